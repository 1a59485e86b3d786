package slipway.sysroot.write;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.ostree.repo.Repository;
import slipway.sysroot.state.Deployment;
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

  public InstalledKernel(Path root, Deployment deployment) {
    this.root = root;
    this.deployment = deployment;
    this.source = root.resolve(deployment.directory());
    this.directory = BootWriter.kernelDirectory(root, deployment);
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
    for (KernelLayout.BootFile file : layout.files()) {
      Path target = directory.resolve(file.name());
      if (!Files.isRegularFile(target, LinkOption.NOFOLLOW_LINKS)) {
        errors.add(shown() + " lacks " + Printable.text(file.name()));
      } else if (!file.summed() && !isSame(file, target)) {
        errors.add(shown() + " has another " + Printable.text(file.name()) + " than its image");
      }
    }
    if (errors.isEmpty()) {
      checkSum(layout, errors);
    }
    return errors;
  }

  private void checkSum(KernelLayout layout, List<String> errors) {
    try {
      String actual = layout.at(directory).bootChecksum();
      if (!actual.equals(deployment.bootChecksum())) {
        errors.add(shown() + " is damaged: its checksum is " + actual);
      }
    } catch (IOException e) {
      errors.add(shown() + " cannot be read: " + e.getMessage());
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
    for (KernelLayout.BootFile file : KernelLayout.of(source).files()) {
      Path target = directory.resolve(file.name());
      if (!isSame(file, target) && files.isWhole(OsPath.of(file.source()))) {
        BootWriter.install(source.resolve(file.source()), file, target);
        count++;
      }
    }
    if (count > 0) {
      durability.syncBoot();
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
