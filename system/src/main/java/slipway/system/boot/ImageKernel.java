package slipway.system.boot;

import java.util.Optional;
import slipway.system.files.ImageFiles;
import slipway.tree.FileTree;
import slipway.tree.Node;

/**
 * The kernel that an image brings.
 *
 * @param version the name of its modules' folder, or of its file
 * @param unified whether it is one file with its initramfs and arguments (UAPI.5, unified kernel
 *     image) in {@code /boot/EFI/Linux}
 */
public record ImageKernel(String version, boolean unified) {
  /** The folder of unified kernels, from the root. */
  public static final String UNIFIED = "boot/EFI/Linux";

  /** The folder of the others, each in one of its version. */
  public static final String MODULES = "usr/lib/modules";

  private static final String END = ".efi";

  /** Looks for it; a unified one counts first. */
  public static Optional<ImageKernel> find(FileTree tree) {
    ImageFiles files = new ImageFiles(tree);
    for (String name : files.names(UNIFIED)) {
      if (name.endsWith(END) && files.node(UNIFIED + "/" + name) instanceof Node.File) {
        return Optional.of(new ImageKernel(name.substring(0, name.length() - END.length()), true));
      }
    }
    for (String version : files.names(MODULES)) {
      if (files.node(MODULES + "/" + version + "/vmlinuz") instanceof Node.File) {
        return Optional.of(new ImageKernel(version, false));
      }
    }
    return Optional.empty();
  }
}
