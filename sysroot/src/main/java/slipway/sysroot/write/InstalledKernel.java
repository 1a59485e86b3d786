package slipway.sysroot.write;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import slipway.base.FileReason;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.ostree.repo.Repository;
import slipway.sysroot.state.Deployment;
import slipway.sysroot.state.EspMenu;
import slipway.system.boot.KernelLayout;

/**
 * A deployment's kernel in {@code /boot}: whether it still is what the folder's name says, and the
 * way back. The boot loader reads it there, and never in the deployment.
 */
public final class InstalledKernel {
  private final Path root;
  private final Deployment deployment;
  private final Path source;
  private final Path directory;
  private final boolean whole;

  /**
   * @param whole whether all files of the kernel are there, and not only those that an entry names
   */
  private InstalledKernel(Path root, Deployment deployment, Path store, boolean whole) {
    this.root = root;
    this.deployment = deployment;
    this.source = root.resolve(deployment.directory());
    this.directory = BootWriter.kernelIn(store, deployment);
    this.whole = whole;
  }

  /**
   * All copies of a deployment's kernel: that in {@code /boot}, and that on the EFI system
   * partition where systemd-boot starts the machine.
   *
   * @throws Problem of kind ENVIRONMENT when that partition is not there
   */
  public static List<InstalledKernel> all(Path root, Deployment deployment) throws IOException {
    List<InstalledKernel> all = new ArrayList<>();
    all.add(new InstalledKernel(root, deployment, root.resolve("boot"), true));
    Optional<EspMenu> partition = EspMenu.of(root);
    if (partition.isPresent()) {
      partition.get().require();
      all.add(new InstalledKernel(root, deployment, partition.get().folder(), false));
    }
    return all;
  }

  /**
   * Looks, and changes nothing.
   *
   * @return a sentence for each error
   * @throws Problem when the deployment has no kernel to compare with
   */
  public List<String> check() throws IOException {
    List<String> errors = new ArrayList<>();
    KernelLayout layout = KernelLayout.of(source);
    for (KernelLayout.BootFile file : files(layout)) {
      Path target = directory.resolve(file.name());
      if (!Files.isRegularFile(target, LinkOption.NOFOLLOW_LINKS)) {
        errors.add(shown() + " lacks " + Printable.text(file.name()));
      } else if (!(whole && file.summed()) && !isSame(file, target)) {
        errors.add(shown() + " has another " + Printable.text(file.name()) + " than its image");
      }
    }
    if (errors.isEmpty() && whole) {
      checkSum(layout, errors);
    }
    return errors;
  }

  /** The files that have to be there. */
  private List<KernelLayout.BootFile> files(KernelLayout layout) {
    return layout.files().stream()
        .filter(
            f ->
                whole
                    || f.name().equals(layout.kernelName())
                    || f.name().equals(layout.initramfsName())
                    || f.name().equals(layout.deviceTree()))
        .toList();
  }

  private void checkSum(KernelLayout layout, List<String> errors) {
    try {
      String actual = layout.at(directory).bootChecksum();
      if (!actual.equals(deployment.bootChecksum())) {
        errors.add(shown() + " is damaged: its checksum is " + actual);
      }
    } catch (IOException e) {
      errors.add(shown() + " cannot be read: " + FileReason.of(e));
    }
  }

  private String shown() {
    return "the kernel in " + Printable.text(root.relativize(directory).toString());
  }

  /**
   * Puts what differs there once more, each file by one rename. What the deployment itself does not
   * have whole stays as it is in {@code /boot}, where it may be better.
   *
   * @return how many files
   */
  public int mend(Repository repository, Durability durability) throws IOException {
    Relinking files = new Relinking(root, repository, deployment);
    BootWriter.sweep(directory);
    int count = 0;
    for (KernelLayout.BootFile file : files(KernelLayout.of(source))) {
      Path target = directory.resolve(file.name());
      if (!isSame(file, target) && files.isWhole(OsPath.of(file.source()))) {
        BootWriter.install(source.resolve(file.source()), file, target);
        count++;
      }
    }
    if (count > 0) {
      InheritedLabel.give(directory);
      durability.syncBoot();
      Posix.syncfs(OsPath.of(directory));
    }
    return count;
  }

  private boolean isSame(KernelLayout.BootFile file, Path target) {
    try {
      return Files.mismatch(source.resolve(file.source()), target) < 0;
    } catch (IOException e) {
      return false; // It is missing, or its disk does not give it.
    }
  }
}
