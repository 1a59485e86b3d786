package slipway.system.boot;

import slipway.archive.tar.Metadata;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.system.files.ImageFiles;
import slipway.tree.FileTree;
import slipway.tree.Node;
import slipway.tree.TreeBuilder;

/** A root as installers want it that know of no {@code /usr/lib/modules}, such as Anaconda. */
public final class BootCopy {
  private BootCopy() {}

  /**
   * The tree with a copy of its kernel and initramfs in {@code /boot}; a unified kernel is there
   * already.
   *
   * @throws Problem of kind INPUT when it has no kernel
   */
  public static FileTree of(FileTree tree) {
    ImageKernel kernel =
        ImageKernel.find(tree)
            .orElseThrow(
                () ->
                    Problem.input(
                        "the image has no kernel: /usr/lib/modules/*/vmlinuz does not exist"));
    TreeBuilder builder = new TreeBuilder(tree);
    if (builder.find("boot").isEmpty()) {
      builder.directory("boot", Metadata.directory(0755));
    }
    if (!kernel.unified()) {
      String modules = "usr/lib/modules/" + kernel.version() + "/";
      copy(builder, tree, modules + "vmlinuz", "vmlinuz-" + kernel.version());
      copy(builder, tree, modules + "initramfs.img", "initramfs-" + kernel.version() + ".img");
    }
    return builder.build();
  }

  private static void copy(TreeBuilder builder, FileTree tree, String from, String name) {
    if (new ImageFiles(tree).node(from) instanceof Node.File file) {
      // An inode of its own: what is in /boot must not change with what is in /usr.
      OsPath to = OsPath.of("boot").resolve(OsPath.of(name));
      builder.put(to, new Node.File(file.metadata(), file.content()));
    }
  }
}
