package slipway.disk.bootloader;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.tree.FileTree;
import slipway.tree.Node;

/**
 * GRUB's own files in an image that is not unpacked.
 *
 * @param image whose GRUB is taken
 * @param purpose what is made of them, for messages, such as {@code an installer}
 */
record GrubFiles(FileTree image, String purpose) {
  /**
   * Those of a platform by their names.
   *
   * @param platform as in {@code i386-pc}
   * @param needed names that must be among them
   * @throws Problem of kind INPUT when one of those is missing
   */
  Map<String, byte[]> of(String platform, List<String> needed) throws IOException {
    String path = Grub.FOLDER + "/" + platform;
    Map<String, byte[]> files = new TreeMap<>();
    Grub.Found all = new Grub.Found(path);
    if (image.find(path).orElse(null) instanceof Node.Directory found) {
      for (Map.Entry<OsPath, Node> child : found.children().entrySet()) {
        String name = child.getKey().toString();
        if (Grub.FILE.matcher(name).matches() && child.getValue() instanceof Node.File file) {
          all.add(file.content().size());
          try (InputStream in = file.content().open()) {
            files.put(name, Limit.BOOT_LOADER_BYTES.read(in, "the image's /" + path));
          }
        }
      }
    }
    for (String name : needed) {
      if (!files.containsKey(name)) {
        throw Problem.input(
            "%s cannot be made of the image, whose /%s/%s is missing; %s"
                .formatted(purpose, path, name, Grub.whatToInstall(path)));
      }
    }
    return files;
  }
}
