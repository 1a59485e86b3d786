package slipway.ostree.container;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.ImageTotals;
import slipway.base.AfterCommit;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.oci.copy.ImageSource;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.ostree.gvariant.GVariant;
import slipway.ostree.object.Checksum;
import slipway.ostree.repo.Repository;
import slipway.ostree.repo.Transaction;

/**
 * Brings the commit out of an image that encapsulates it, see {@link Encapsulation}, into a
 * repository. Each object has to have the checksum that it is called by, and the commit to reach
 * all that it names.
 */
public final class EncapsulatedImport {
  private EncapsulatedImport() {}

  /**
   * Imports the commit. Its ref, if there shall be one, is the last that is written.
   *
   * @param ref that is to lead to it, or null
   * @throws Problem of kind INPUT for an image that does not encapsulate a commit, or has layers
   *     above it; CORRUPT when objects are missing or not what they are called
   */
  public static Checksum run(
      Repository repository,
      ImageSource source,
      Manifest.Image manifest,
      ImageConfig config,
      @Nullable String ref,
      Progress progress)
      throws IOException {
    List<Digest> diffIds = config.diffIds();
    requireEncapsulated(manifest, config);
    Checksum name;
    Map<String, GVariant> more;
    try (Transaction transaction = repository.begin()) {
      EncapsulatedBase base = new EncapsulatedBase();
      ImageTotals totals = new ImageTotals("the image's layers");
      for (int i = 0; i < diffIds.size(); i++) {
        Descriptor blob = manifest.layers().get(i);
        base.add(
            EncapsulatedLayer.read(transaction, source, blob, diffIds.get(i), totals, progress));
      }
      name = base.write(transaction, base.tree(totals));
      more = base.detached();
      if (ref != null) {
        transaction.setRef(ref, name);
      }
      transaction.commit();
    }
    if (!more.isEmpty()) {
      new AfterCommit(progress::note)
          .attempt(
              "the signatures of the commit " + name + " could not be kept",
              () -> repository.addDetachedMetadata(name, more));
    }
    return name;
  }

  private static void requireEncapsulated(Manifest.Image manifest, ImageConfig config) {
    String last = config.labels().get(Encapsulation.FINAL_DIFF_ID);
    if (last == null && !config.labels().containsKey(Encapsulation.COMMIT)) {
      throw Problem.input(
          "the image encapsulates no commit: it lacks the label " + Encapsulation.FINAL_DIFF_ID);
    }
    if (config.diffIds().isEmpty() || config.diffIds().size() != manifest.layers().size()) {
      throw Problem.corrupt("the image's config lists other layers than its manifest");
    }
    int of =
        last == null ? 0 : config.diffIds().stream().map(Digest::toString).toList().indexOf(last);
    if (of < 0) {
      throw Problem.corrupt(
          "the image has no layer "
              + Printable.text(String.valueOf(last))
              + ", which its label names");
    }
    int above = config.diffIds().size() - 1 - of;
    if (above > 0) {
      throw Problem.input(
          "the image has " + above + " layers above those of its commit, which is not alone then");
    }
  }
}
