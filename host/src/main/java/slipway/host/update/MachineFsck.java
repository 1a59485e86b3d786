package slipway.host.update;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.host.system.HostEnvironment;
import slipway.oci.copy.ImageSource;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.ostree.container.ContainerImages;
import slipway.ostree.container.ContainerRepair;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.ObjectType;
import slipway.ostree.repo.FsckReport;
import slipway.ostree.repo.Repository;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.ContainerReference;
import slipway.sysroot.state.Deployment;

/** Checks every object of a machine's repository, and mends what the images can give again. */
final class MachineFsck {
  private final HostEnvironment host;
  private final Sysroot sysroot;
  private final Repository repository;

  MachineFsck(HostEnvironment host, Sysroot sysroot) throws IOException {
    this.host = host;
    this.sysroot = sysroot;
    this.repository = sysroot.repository();
  }

  /**
   * What was found and done.
   *
   * @param found at first
   * @param mended how many objects are whole again
   * @param relinked how many files of deployments lead to an object that is whole again
   * @param left what is broken still
   */
  record Result(FsckReport found, int mended, int relinked, FsckReport left) {}

  Result run(boolean repair) throws IOException {
    FsckReport found = repository.fsck(host.progress());
    if (found.broken().isEmpty() || !repair) {
      return new Result(found, 0, 0, found);
    }
    List<Deployment> deployments = new ArrayList<>(sysroot.deployments());
    sysroot.staged().ifPresent(deployments::add);
    Set<FsckReport.Broken> left = new HashSet<>(found.broken());
    for (Deployment deployment : deployments) {
      if (!left.isEmpty()) {
        mend(deployment, left);
      }
    }
    Set<FsckReport.Broken> mended = new HashSet<>(found.broken());
    mended.removeAll(left);
    int relinked = relink(deployments, mended);
    FsckReport after = mended.isEmpty() ? found : repository.fsck(host.progress());
    return new Result(found, mended.size(), relinked, after);
  }

  /** By the image of one deployment; a place that does not answer leaves the others their turn. */
  private void mend(Deployment deployment, Set<FsckReport.Broken> left) throws IOException {
    Optional<ContainerReference> reference = deployment.origin().container();
    if (reference.isEmpty()) {
      return;
    }
    try (ImageSource source = host.images().open(reference.get())) {
      Named image = image(deployment.checksum(), reference.get());
      left.removeAll(
          ContainerRepair.run(
              repository,
              left,
              source,
              image.manifest(),
              image.config(),
              ImagePull.transportName(reference.get()),
              host.progress()));
    } catch (Problem e) {
      host.progress()
          .note(
              "warning: "
                  + Printable.text(reference.get().image())
                  + " mends nothing: "
                  + e.getMessage());
    }
  }

  private record Named(Manifest.Image manifest, ImageConfig config) {}

  /** As the deployment's commit has it; where that is broken, as its name says today. */
  private Named image(Checksum commit, ContainerReference reference) throws IOException {
    try {
      ContainerImages.Stored stored = new ContainerImages(repository).read(commit);
      return new Named(stored.manifest(), stored.config());
    } catch (Problem e) {
      ImagePull.Wanted wanted = new ImagePull.Wanted(reference, reference, null);
      try (ImagePull pull = ImagePull.prepare(host, repository, wanted)) {
        return new Named(pull.manifest(), pull.config());
      }
    }
  }

  private int relink(List<Deployment> deployments, Set<FsckReport.Broken> mended)
      throws IOException {
    Set<Checksum> files = new HashSet<>();
    for (FsckReport.Broken object : mended) {
      if (object.type() == ObjectType.FILE) {
        files.add(object.checksum());
      }
    }
    int count = 0;
    if (!files.isEmpty()) {
      for (Deployment deployment : deployments) {
        count += sysroot.relink(deployment, files);
      }
    }
    return count;
  }
}
