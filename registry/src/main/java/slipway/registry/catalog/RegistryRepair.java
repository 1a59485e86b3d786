package slipway.registry.catalog;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import slipway.base.FileReason;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.registry.blobs.BlobStorage;
import slipway.registry.blobs.BlobStorage.Stored;
import slipway.registry.blobs.FileBlobStorage;
import slipway.registry.catalog.Change.LinkBlob;
import slipway.registry.catalog.Change.ManifestEntry;
import slipway.registry.catalog.Change.PutManifest;
import slipway.registry.catalog.Change.ReferrerFields;

/**
 * Makes a registry's directory usable again after its journal was lost or damaged. What whole lines
 * of the journal name stays where it was; what is left, and whole, can be pulled by digest from the
 * repository {@value #RECOVERED} afterwards. Nothing is deleted: the damaged journal is kept beside
 * the new one, whose rename is the commit point.
 */
public final class RegistryRepair {
  /** The repository of content that no line of the journal names. */
  public static final String RECOVERED = "recovered";

  private final Path root;
  private final Catalog catalog = new Catalog();

  private RegistryRepair(Path root) {
    this.root = root;
  }

  /**
   * What was found and done.
   *
   * @param damagedLines of the journal, each one commit
   * @param repositories named by the rest of the journal
   * @param manifests that went to {@value #RECOVERED}
   * @param blobs likewise
   * @param broken files that do not have their digest, and were left as they are
   * @param oldJournal where the old journal is now, or null when there was none
   */
  public record Result(
      int damagedLines,
      int repositories,
      int manifests,
      int blobs,
      int broken,
      @Nullable Path oldJournal) {}

  /**
   * Repairs the registry below a directory.
   *
   * @throws Problem when a registry is running there, or the directory holds none
   */
  public static Result repair(Path root) {
    if (!Files.isDirectory(root)) {
      throw Problem.notFound("there is no directory " + root);
    }
    refuseWhatIsNone(root);
    try (var lock = StoreDirectory.lock(root).lock()) {
      return new RegistryRepair(root).run();
    } catch (IOException e) {
      throw new Problem(
          Problem.Kind.ENVIRONMENT, "cannot repair " + root + ": " + FileReason.ofFolder(e), e);
    }
  }

  /** Before anything is written there, the lock too. */
  private static void refuseWhatIsNone(Path root) {
    try {
      if (!Files.exists(Journal.path(root)) && FileBlobStorage.isEmpty(root)) {
        throw Problem.notFound(
            root
                + " has neither a journal nor blobs; if one is a file system of"
                + " its own, mount it");
      }
    } catch (IOException e) {
      throw new Problem(Problem.Kind.ENVIRONMENT, "cannot read " + root + ": " + e, e);
    }
  }

  private Result run() throws IOException {
    Path journal = Journal.path(root);
    boolean exists = Files.exists(journal);
    Journal.Salvage salvage =
        exists ? Journal.salvage(journal, catalog::apply) : new Journal.Salvage(null, 0);
    int repositories = catalog.repositories().size();
    String id = salvage.id() == null ? UUID.randomUUID().toString() : salvage.id();
    int[] counts = new int[3];
    try (BlobStorage blobs = FileBlobStorage.open(root, id)) {
      recover(blobs, counts);
    }
    Path old = null;
    if (exists) {
      old = Journal.unused(journal, "old");
      Files.createLink(old, journal);
    }
    Journal.write(journal, id, catalog::snapshot);
    FileBlobStorage.mark(root, id);
    return new Result(salvage.damagedLines(), repositories, counts[0], counts[1], counts[2], old);
  }

  /** Counts manifests, blobs and broken files. */
  private void recover(BlobStorage blobs, int[] counts) throws IOException {
    Set<Digest> removed = new HashSet<>(catalog.takeUnheld());
    for (Map.Entry<Digest, Stored> each : blobs.list().entrySet()) {
      Digest digest = each.getKey();
      Stored stored = each.getValue();
      if (catalog.isHeld(digest) || stored.provisional() || removed.contains(digest)) {
        continue;
      }
      Path file = FileBlobStorage.path(root, digest);
      if (!hash(digest.algorithm(), file).equals(digest)) {
        counts[2]++;
        continue;
      }
      Manifest manifest = manifest(file, stored.size());
      if (manifest == null) {
        catalog.apply(new LinkBlob(RECOVERED, digest, stored.size()));
        counts[1]++;
      } else {
        adopt(manifest, digest);
        counts[0]++;
      }
    }
  }

  private static Digest hash(Digest.Algorithm algorithm, Path file) throws IOException {
    MessageDigest hash = algorithm.newMessageDigest();
    try (InputStream in = Files.newInputStream(file);
        OutputStream out = new DigestOutputStream(OutputStream.nullOutputStream(), hash)) {
      in.transferTo(out);
    }
    return Digest.of(algorithm, hash.digest());
  }

  private static @Nullable Manifest manifest(Path file, long size) throws IOException {
    if (size > Limit.MANIFEST_BYTES.value()) {
      return null;
    }
    try {
      return Manifest.parse(Files.readAllBytes(file), null);
    } catch (Problem e) {
      return null; // a blob then
    }
  }

  /** With what it is made of, as far as others hold that. */
  private void adopt(Manifest manifest, Digest digest) {
    Descriptor subject = manifest.subject();
    ReferrerFields fields = subject == null ? null : ReferrerFields.of(manifest).kept();
    ManifestEntry entry =
        new ManifestEntry(
            manifest.mediaType(),
            manifest.bytes().length,
            subject == null ? null : subject.digest(),
            fields);
    catalog.apply(new PutManifest(RECOVERED, digest, entry));
    if (manifest instanceof Manifest.Image image) {
      Stream.concat(Stream.of(image.config()), image.layers().stream())
          .map(Descriptor::digest)
          .forEach(
              d -> {
                Long size = catalog.sizeAnywhere(d);
                if (size != null) {
                  catalog.apply(new LinkBlob(RECOVERED, d, size));
                }
              });
    }
  }
}
