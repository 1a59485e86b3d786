package slipway.host.status;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.RawText;
import slipway.linux.posix.OpenDirectory;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.RootedFile;
import slipway.system.files.ImageFiles;
import slipway.tree.FileTree;
import slipway.tree.Node;

/**
 * The application images that belong to a version of the operating system (bootc's logically bound
 * images): links in {@code /usr/lib/bootc/bound-images.d} to quadlet files that name them.
 */
public final class BoundImages {
  private static final String FOLDER = "usr/lib/bootc/bound-images.d";
  private static final OsPath DIRECTORY = OsPath.of(FOLDER);

  private BoundImages() {}

  /**
   * Their names, in the order of the files' names.
   *
   * @param root of the operating system
   * @throws Problem of kind INPUT for a file that does not say which image, or asks for what is not
   *     supported
   */
  public static List<String> read(OsPath root) throws IOException {
    List<String> images = new ArrayList<>();
    try (OpenDirectory top = OpenDirectory.of(root)) {
      Optional<OpenDirectory> found = top.find(DIRECTORY);
      if (found.isEmpty()) {
        return images;
      }
      try (OpenDirectory directory = found.get()) {
        for (OsPath name : directory.names().stream().sorted().toList()) {
          String where = shown(name);
          requireLink(Posix.lstat(directory.at(name)).isSymlink(), where);
          Optional<byte[]> file =
              RootedFile.read(root, DIRECTORY.resolve(name), RootedFile.Links.IN_ROOT, where);
          images.add(image(name.toString(), where, file.map(RawText::decode)));
        }
      }
    }
    return images;
  }

  /**
   * As {@link #read}, of what is not deployed yet.
   *
   * @param tree of the image; its {@code /etc} may be below {@code /usr}
   */
  public static List<String> of(FileTree tree) throws IOException {
    ImageFiles files = new ImageFiles(withEtc(tree));
    List<String> images = new ArrayList<>();
    for (String name : files.names(FOLDER)) {
      String path = FOLDER + "/" + name;
      String where = shown(OsPath.of(name));
      requireLink(files.node(path) instanceof Node.Symlink, where);
      images.add(image(name, where, files.text(path)));
    }
    return images;
  }

  /** Links of the image lead to where files are when it runs. */
  private static FileTree withEtc(FileTree tree) {
    Optional<Node> etc = tree.find("usr/etc");
    if (etc.isEmpty() || tree.find("etc").isPresent()) {
      return tree;
    }
    TreeMap<OsPath, Node> children = new TreeMap<>(tree.root().children());
    children.put(OsPath.of("etc"), etc.get());
    return new FileTree(new Node.Directory(tree.root().metadata(), children));
  }

  private static void requireLink(boolean link, String where) {
    if (!link) {
      throw Problem.input(where + " is no symbolic link to an image or container file");
    }
  }

  private static String shown(OsPath name) {
    return "/" + FOLDER + "/" + Printable.text(name.toString());
  }

  private static String image(String name, String where, Optional<String> text) {
    String group =
        name.endsWith(".image") ? "Image" : name.endsWith(".container") ? "Container" : "";
    if (group.isEmpty()) {
      throw Problem.input(where + " is neither an .image nor a .container file");
    }
    Map<String, String> keys =
        keys(text.orElseThrow(() -> Problem.input(where + " leads to no file")), group);
    if (keys.containsKey("AuthFile")) {
      throw Problem.input(where + " has AuthFile, which bound images cannot have");
    }
    String image = keys.getOrDefault("Image", "");
    if (image.isEmpty()) {
      throw Problem.input(where + " names no image: [" + group + "] Image=");
    }
    if (image.replace("%%", "").contains("%")) {
      throw Problem.input(
          where + " has a specifier of systemd in Image, which bound images cannot have");
    }
    if (image.endsWith(".image") || image.endsWith(".build")) {
      throw Problem.input(
          where
              + " names the unit "
              + Printable.text(image)
              + " in place of an image; bind a file that names the image itself");
    }
    return image.replace("%%", "%");
  }

  /** The last value of each key in a group of a unit file (systemd.syntax(7)). */
  private static Map<String, String> keys(String text, String group) {
    Map<String, String> keys = new HashMap<>();
    boolean inside = false;
    for (String line : text.replace("\\\n", " ").lines().map(String::strip).toList()) {
      int equals = line.indexOf('=');
      if (line.startsWith("[")) {
        inside = line.equals("[" + group + "]");
      } else if (inside && equals > 0 && !line.startsWith("#") && !line.startsWith(";")) {
        keys.put(line.substring(0, equals).strip(), line.substring(equals + 1).strip());
      }
    }
    return keys;
  }
}
