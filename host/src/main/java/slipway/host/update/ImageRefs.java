package slipway.host.update;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.RawText;
import slipway.host.status.BoundImages;
import slipway.host.status.StatusReader;
import slipway.host.system.BoundStore;
import slipway.host.system.HostEnvironment;
import slipway.host.system.ImagesInUse;
import slipway.linux.lock.Flock;
import slipway.linux.posix.OsPath;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.ostree.container.ContainerImport;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.Commit;
import slipway.ostree.repo.Repository;
import slipway.ostree.repo.Transaction;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.Deployment;

/**
 * The refs that hold images and their layers in the repository. Those that no deployment needs any
 * more are dropped, and what they alone held goes with the next prune.
 */
public final class ImageRefs {
  static final String IMAGES = "ostree/container/image/";
  private static final String LAYERS = "ostree/container/blob/";
  private static final String BASES = "ostree/container/baseimage/";

  private ImageRefs() {}

  static String layer(Digest digest) {
    return LAYERS + ContainerImport.escapeRef(digest.toString());
  }

  /**
   * Drops what no deployment needs, prunes the repository, and removes the images that are bound to
   * no deployment any more. While the commit of a deployment cannot be read, its layers are
   * unknown: then no layer's ref is dropped. While an origin cannot be, no image's is. While
   * another process fetches something, which no deployment needs yet, nothing of this is done: it
   * is left to whoever collects next, which that process does once it has staged, unless it is to
   * retain images or only brings bound ones.
   *
   * @throws Problem of kind CORRUPT, at the end, when the repository cannot be pruned for such
   *     damage
   */
  public static void collect(HostEnvironment host, Sysroot sysroot) throws IOException {
    try (Flock alone = ImagesInUse.removing(host)) {
      if (alone == null) {
        sysroot.cleanup(false);
      } else {
        sysroot.reload();
        String known = sysroot.fingerprint();
        try {
          collectAlone(host, sysroot);
        } catch (IOException | RuntimeException e) {
          if (isChanged(sysroot, known)) {
            throw Problem.unavailable(
                "another process changed the deployments meanwhile; the next change removes them",
                e);
          }
          throw e;
        }
      }
    }
  }

  /** Whether another process did something to the deployments, or is about to. */
  private static boolean isChanged(Sysroot sysroot, String known) {
    try {
      sysroot.reload();
      return !sysroot.fingerprint().equals(known);
    } catch (IOException | RuntimeException e) {
      return true;
    }
  }

  /** The menu, the default first, and what is staged. */
  private static List<Deployment> all(Sysroot sysroot) {
    List<Deployment> all = new ArrayList<>(sysroot.deployments());
    sysroot.staged().ifPresent(all::add);
    return all;
  }

  private static void collectAlone(HostEnvironment host, Sysroot sysroot) throws IOException {
    Repository repository = sysroot.repository();
    List<Deployment> deployments = all(sysroot);
    Set<String> keep = new HashSet<>();
    Set<Checksum> commits = new HashSet<>();
    for (Deployment d : deployments) {
      d.origin().container().ifPresent(reference -> keep.add(ImagePull.ref(reference)));
      commits.add(d.checksum());
    }
    var all = repository.refs("ostree/container");
    all.forEach(
        (ref, commit) -> {
          if (keep.contains(ref) || ref.startsWith(BASES)) {
            commits.add(commit);
          }
        });
    boolean imagesUnknown = deployments.stream().anyMatch(d -> d.origin().damage() != null);
    boolean layersUnknown = false;
    for (Checksum commit : commits) {
      Optional<Commit> read = repository.readableCommit(commit);
      layersUnknown |= read.isEmpty();
      read.flatMap(ImageRefs::manifest)
          .ifPresent(m -> m.layers().forEach(l -> keep.add(layer(l.digest()))));
    }
    try (Transaction transaction = repository.begin()) {
      for (String ref : all.keySet()) {
        // What a damaged deployment needs, nobody knows until it is mended.
        boolean ours =
            (ref.startsWith(IMAGES) && !imagesUnknown)
                || (ref.startsWith(LAYERS) && !layersUnknown);
        if (ours && !keep.contains(ref)) {
          transaction.setRef(ref, null);
        }
      }
      transaction.commit();
    }
    try {
      sysroot.cleanup(true);
    } catch (IOException | RuntimeException e) {
      // What else can go goes all the same.
      try {
        collectBound(host, sysroot);
      } catch (IOException | RuntimeException more) {
        e.addSuppressed(more);
      }
      throw e;
    }
    collectBound(host, sysroot);
  }

  /**
   * Removes what no deployment binds. What is wrong with the files of one that is only kept costs
   * it what they do not name; what the machine runs or starts next loses nothing for that.
   */
  private static void collectBound(HostEnvironment host, Sysroot sysroot) throws IOException {
    sysroot.reload();
    List<Deployment> deployments = all(sysroot);
    Set<String> bound = new HashSet<>();
    boolean unknown = false;
    for (Deployment d : deployments) {
      BoundImages.Mentioned mentioned = BoundImages.mentioned(OsPath.of(sysroot.path(d)));
      bound.addAll(mentioned.images());
      boolean needed = d.booted() || d.staged() || d.equals(deployments.getFirst());
      unknown |= needed && !mentioned.faults().isEmpty();
      for (String fault : mentioned.faults()) {
        host.progress()
            .note(
                "warning: which image is bound to the deployment "
                    + d.id()
                    + " is not known, "
                    + (needed ? "so no bound image is removed" : "so only those stay that are")
                    + ": "
                    + fault);
      }
    }
    if (!unknown) {
      BoundStore.of(host)
          .keepOnly(bound)
          .forEach(name -> host.progress().note("Removed bound image: " + Printable.text(name)));
    }
  }

  /** The manifest of the image that a commit was made from. */
  static Optional<Manifest.Image> manifest(Commit commit) {
    return commit
        .string(StatusReader.MANIFEST)
        .map(text -> Manifest.parse(RawText.encode(text), null))
        .filter(m -> m instanceof Manifest.Image)
        .map(m -> (Manifest.Image) m);
  }

  /** Bytes of an image's layers as they are transferred. */
  static long size(Manifest.Image manifest) {
    return manifest.layers().stream().mapToLong(Descriptor::size).sum();
  }
}
