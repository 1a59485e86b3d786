package slipway.sysroot;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import slipway.linux.lock.Flock;
import slipway.ostree.object.Checksum;
import slipway.sysroot.state.Deployment;
import slipway.sysroot.write.InstalledComposefs;
import slipway.sysroot.write.InstalledKernel;
import slipway.sysroot.write.Relinking;

/**
 * Compares what a sysroot has of its deployments with what it has to be, and mends it. Looking
 * needs no lock; mending takes it.
 */
public final class SysrootRepair {
  private final Sysroot sysroot;

  SysrootRepair(Sysroot sysroot) {
    this.sysroot = sysroot;
  }

  /**
   * Compares the files of a deployment with their objects.
   *
   * @return a sentence for each that is not what its object is called
   */
  public List<String> checkFiles(Deployment deployment) throws IOException {
    return new Relinking(sysroot.root(), sysroot.repository(), deployment).check();
  }

  /**
   * Compares the composefs image of a deployment with its commit.
   *
   * @return a sentence when it is another one
   */
  public List<String> checkComposefs(Deployment deployment) throws IOException {
    return new InstalledComposefs(sysroot.root(), sysroot.repository(), deployment).check();
  }

  /**
   * Compares the copies of a deployment's kernel that boot loaders read with its checksum.
   *
   * @return a sentence for each error; none for a staged one, which has no kernel there yet
   */
  public List<String> checkKernel(Deployment deployment) throws IOException {
    List<String> errors = new ArrayList<>();
    if (!deployment.staged()) {
      for (InstalledKernel kernel : InstalledKernel.all(sysroot.root(), deployment)) {
        errors.addAll(kernel.check());
      }
    }
    return errors;
  }

  /**
   * Leads the files of a deployment to objects that were replaced in the repository, and those that
   * are not what they should be.
   *
   * @return how many files
   */
  public int relink(Deployment deployment, Set<Checksum> replaced) throws IOException {
    try (Flock lock = sysroot.lock()) {
      int count = new Relinking(sysroot.root(), sysroot.repository(), deployment).run(replaced);
      sysroot.durability().syncRoot();
      return count;
    }
  }

  /**
   * Puts what differs of a deployment's kernel into {@code /boot} once more.
   *
   * @return how many files
   */
  public int mendKernel(Deployment deployment) throws IOException {
    if (deployment.staged()) {
      return 0;
    }
    try (Flock lock = sysroot.lock()) {
      int count = 0;
      for (InstalledKernel kernel : InstalledKernel.all(sysroot.root(), deployment)) {
        count += kernel.mend(sysroot.repository(), sysroot.durability());
      }
      return count;
    }
  }

  /**
   * Writes the composefs image of a deployment once more when it is not what it has to be.
   *
   * @return how many images
   */
  public int mendComposefs(Deployment deployment) throws IOException {
    try (Flock lock = sysroot.lock()) {
      int count = new InstalledComposefs(sysroot.root(), sysroot.repository(), deployment).mend();
      if (count > 0) {
        sysroot.durability().syncRoot();
      }
      return count;
    }
  }
}
