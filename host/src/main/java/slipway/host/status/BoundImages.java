package slipway.host.status;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import slipway.base.FileReason;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.RawText;
import slipway.linux.posix.OpenDirectory;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.RootedFile;
import slipway.oci.podman.PodmanStore;
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

  /** Characters of a name: registry, repository, tag and digest together have less. */
  private static final int MAX_NAME = 1000;

  private BoundImages() {}

  /** A file of the folder. */
  private record Entry(String name, boolean link, Optional<String> text) {
    String where() {
      return shown(name);
    }

    String image() {
      if (!link) {
        throw Problem.input(where() + " is no symbolic link to an image or container file");
      }
      return BoundImages.image(name, where(), text);
    }

    /** What it names, also where that is refused. */
    Optional<String> mentioned() {
      return text.map(t -> keys(t, group(name)).get("Image")).map(i -> i.replace("%%", "%"));
    }
  }

  /**
   * What a deployment's files name, with those that are refused.
   *
   * @param images all that some file mentions
   * @param faults of each file that cannot be understood, what is wrong with it
   */
  public record Mentioned(List<String> images, List<String> faults) {}

  /**
   * Their names, in the order of the files' names.
   *
   * @param root of the operating system
   * @throws Problem of kind INPUT for a file that does not say which image, or asks for what is not
   *     supported
   */
  public static List<String> read(OsPath root) throws IOException {
    List<String> images = new ArrayList<>();
    for (OsPath name : names(root)) {
      images.add(entry(root, name).image());
    }
    return images;
  }

  /**
   * As {@link #read}, of one that nobody can mend any more: a file that is at fault hides no other.
   *
   * @param root of the operating system
   */
  public static Mentioned mentioned(OsPath root) throws IOException {
    List<String> images = new ArrayList<>();
    List<String> faults = new ArrayList<>();
    List<OsPath> names = List.of();
    try {
      names = names(root);
    } catch (Problem e) {
      faults.add(e.getMessage());
    }
    for (OsPath name : names) {
      try {
        Entry entry = entry(root, name);
        entry.mentioned().ifPresent(images::add);
        PodmanStore.name(entry.image());
      } catch (Problem | IOException e) {
        faults.add(fault(shown(name.toString()), e));
      }
    }
    return new Mentioned(images, faults);
  }

  private static String fault(String where, Exception e) {
    String why = FileReason.why(e);
    return why.startsWith(where) ? why : where + ": " + why;
  }

  private static List<OsPath> names(OsPath root) throws IOException {
    try (OpenDirectory top = OpenDirectory.of(root)) {
      Optional<OpenDirectory> found = top.find(DIRECTORY);
      if (found.isEmpty()) {
        requireFolder(top.lstat(DIRECTORY).isEmpty());
        return List.of();
      }
      try (OpenDirectory directory = found.get()) {
        return directory.names().stream().sorted().toList();
      }
    }
  }

  /** What stands in the folder's place names no images, and whoever put it there meant some. */
  private static void requireFolder(boolean fine) {
    if (!fine) {
      throw Problem.input(
          "/" + FOLDER + " is no folder, so that nobody knows which images it means");
    }
  }

  private static Entry entry(OsPath root, OsPath name) throws IOException {
    OsPath path = DIRECTORY.resolve(name);
    boolean link = Posix.lstat(root.resolve(path)).isSymlink();
    Optional<byte[]> file =
        RootedFile.read(root, path, RootedFile.Links.IN_ROOT, shown(name.toString()));
    return new Entry(name.toString(), link, file.map(RawText::decode));
  }

  /**
   * As {@link #read}, of what is not deployed yet.
   *
   * @param tree of the image; its {@code /etc} may be below {@code /usr}
   */
  public static List<String> of(FileTree tree) throws IOException {
    ImageFiles files = new ImageFiles(withEtc(tree));
    requireFolder(files.node(FOLDER) == null || files.isDirectory(FOLDER));
    List<String> images = new ArrayList<>();
    for (String name : files.names(FOLDER)) {
      String path = FOLDER + "/" + name;
      boolean link = files.node(path) instanceof Node.Symlink;
      images.add(new Entry(name, link, link ? files.text(path) : Optional.empty()).image());
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

  private static String shown(String name) {
    return "/" + FOLDER + "/" + Printable.text(name);
  }

  private static String group(String name) {
    return name.endsWith(".image") ? "Image" : name.endsWith(".container") ? "Container" : "";
  }

  private static String image(String name, String where, Optional<String> text) {
    String group = group(name);
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
    if (image.length() > MAX_NAME) {
      throw Problem.input(
          where + " has an Image of " + image.length() + " characters, which is the name of none");
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
