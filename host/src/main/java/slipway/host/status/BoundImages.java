package slipway.host.status;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.RawText;
import slipway.linux.posix.OpenDirectory;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.RootedFile;

/**
 * The application images that belong to a version of the operating system (bootc's logically bound
 * images): links in {@code /usr/lib/bootc/bound-images.d} to quadlet files that name them.
 */
final class BoundImages {
  private static final OsPath DIRECTORY = OsPath.of("usr/lib/bootc/bound-images.d");

  private BoundImages() {}

  /**
   * Their names, in the order of the files' names.
   *
   * @param root of the operating system
   * @throws Problem of kind INPUT for a file that does not say which image, or asks for what is not
   *     supported
   */
  static List<String> read(OsPath root) throws IOException {
    List<String> images = new ArrayList<>();
    try (OpenDirectory top = OpenDirectory.of(root)) {
      Optional<OpenDirectory> found = top.find(DIRECTORY);
      if (found.isEmpty()) {
        return images;
      }
      try (OpenDirectory directory = found.get()) {
        for (OsPath name : directory.names().stream().sorted().toList()) {
          if (!Posix.lstat(directory.at(name)).isSymlink()) {
            throw Problem.input(shown(name) + " is no symbolic link to an image or container file");
          }
          images.add(image(root, name));
        }
      }
    }
    return images;
  }

  private static String shown(OsPath name) {
    return "/" + DIRECTORY + "/" + Printable.text(name.toString());
  }

  private static String image(OsPath root, OsPath name) throws IOException {
    String where = shown(name);
    String group =
        name.toString().endsWith(".image")
            ? "Image"
            : name.toString().endsWith(".container") ? "Container" : "";
    if (group.isEmpty()) {
      throw Problem.input(where + " is neither an .image nor a .container file");
    }
    byte[] bytes =
        RootedFile.read(root, DIRECTORY.resolve(name), RootedFile.Links.IN_ROOT, where)
            .orElseThrow(() -> Problem.input(where + " leads to no file"));
    Map<String, String> keys = keys(RawText.decode(bytes), group);
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
