package slipway.ostree.container;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import slipway.archive.tar.ImageTotals;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.lock.ScratchFolder;
import slipway.oci.copy.ImageSource;
import slipway.oci.model.Descriptor;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.ostree.object.Checksum;
import slipway.ostree.repo.FsckReport;
import slipway.ostree.repo.Repository;
import slipway.ostree.repo.Transaction;

/**
 * Brings objects that are damaged or missing again, out of the image that they came in. Layers are
 * fetched by their digests, so it does not matter where the image's tag leads to by now. They are
 * read into a repository beside, and what is wanted of them takes the place of what is broken by a
 * rename: nothing is taken away that is not replaced. The repository beside stays whole until the
 * end, for the merge reads its layers again.
 */
public final class ContainerRepair {
  private static final String SCRATCH = "repair-slipway-";

  private final Repository repository;
  private final ImageSource source;
  private final Manifest.Image manifest;
  private final ImageConfig config;
  private final Progress progress;
  private final Set<FsckReport.Broken> left;

  private ContainerRepair(
      Repository repository,
      Set<FsckReport.Broken> left,
      ImageSource source,
      Manifest.Image manifest,
      ImageConfig config,
      Progress progress) {
    this.repository = repository;
    this.left = left;
    this.source = source;
    this.manifest = manifest;
    this.config = config;
    this.progress = progress;
  }

  /**
   * Mends what this image can mend.
   *
   * @param left what is broken; each object that is mended is taken out at once, so that what was
   *     done is known also when this fails later
   * @param source where the image's layers are
   * @param imgref the image's name, as for {@link ContainerImport}
   * @throws Problem when the layers cannot be had; the repository is as it was, or better
   */
  public static void run(
      Repository repository,
      Set<FsckReport.Broken> left,
      ImageSource source,
      Manifest.Image manifest,
      ImageConfig config,
      String imgref,
      Progress progress)
      throws IOException {
    ContainerRepair repair =
        new ContainerRepair(repository, left, source, manifest, config, progress);
    try (ScratchFolder folder =
        ScratchFolder.create(repository.path().resolve("tmp"), SCRATCH, progress::note)) {
      repair.run(Repository.create(folder.path().resolve("repo"), repository.mode()), imgref);
    }
  }

  private void run(Repository scratch, String imgref) throws IOException {
    // Layers of objects make no sense one by one.
    int files = Encapsulation.layers(manifest, config);
    for (int i = files; i < manifest.layers().size() && !left.isEmpty(); i++) {
      Descriptor layer = manifest.layers().get(i);
      if (mayHold(layer)) {
        try (Transaction transaction = Transaction.begin(scratch, true)) {
          ImageTotals totals = new ImageTotals("the image's layers");
          LayerFetch.Fetched fetched =
              new LayerFetch(source, totals, progress)
                  .run(transaction, layer, config.diffIds().get(i), files > 0);
          transaction.setRef(ContainerRefs.layer(layer.digest()), fetched.commit());
          transaction.commit();
        }
        take(scratch);
      }
    }
    if (!left.isEmpty()) {
      // What the layers do not hold, only their merge does: its directories and its commit.
      ContainerImport.run(scratch, source, manifest, config, imgref, progress);
      take(scratch);
    }
  }

  /** Whether a layer has something that is broken, as far as its directories can be read. */
  private boolean mayHold(Descriptor layer) throws IOException {
    Optional<Checksum> commit = repository.resolveRef(ContainerRefs.layer(layer.digest()));
    return commit.isEmpty() || repository.mayReach(commit.get(), left);
  }

  private void take(Repository scratch) throws IOException {
    for (FsckReport.Broken object : List.copyOf(left)) {
      if (scratch.has(object.checksum(), object.type())) {
        repository.takeObject(scratch, object.checksum(), object.type());
        left.remove(object);
      }
    }
  }
}
