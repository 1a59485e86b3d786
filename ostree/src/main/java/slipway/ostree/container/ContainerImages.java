package slipway.ostree.container;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import slipway.base.Problem;
import slipway.base.RawText;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.Commit;
import slipway.ostree.object.ObjectType;
import slipway.ostree.repo.Repository;
import slipway.ostree.repo.Transaction;

/** The container images that a repository holds. */
public final class ContainerImages {
  static final String MANIFEST_DIGEST = "ostree.manifest-digest";
  public static final String MANIFEST = "ostree.manifest";
  static final String CONFIG = "ostree.container.image-config";

  /**
   * Metadata of an image some of whose layers were taken by the digests of their blobs alone, so
   * that nobody knows whether they are what its config lists.
   */
  static final String UNCHECKED = "slipway.image.unchecked";

  private final Repository repository;

  public ContainerImages(Repository repository) {
    this.repository = repository;
  }

  /**
   * An image as it was imported.
   *
   * @param commit with its merged file system
   * @param manifestDigest as the source named it
   */
  public record Stored(
      Commit commit, Digest manifestDigest, Manifest.Image manifest, ImageConfig config) {}

  /**
   * Whether an image's commit is known to hold what the config in it lists: each layer was held to
   * its diff id. Only then is another manifest with the same config the same image; else somebody
   * may have put that config beside layers of their own.
   */
  public static boolean isChecked(Commit image) {
    return image.string(LayerCommits.IMPORTER).equals(Optional.of(LayerCommits.IMPORTER_VERSION))
        && !image.metadata().containsKey(UNCHECKED);
  }

  /** All images by the name they were imported under, such as {@code docker://HOST/REPO:TAG}. */
  public SortedMap<String, Checksum> list() throws IOException {
    SortedMap<String, Checksum> images = new TreeMap<>();
    for (Map.Entry<String, Checksum> ref : repository.refs(ContainerRefs.IMAGES).entrySet()) {
      String escaped = ref.getKey().substring(ContainerRefs.IMAGES.length() + 1);
      images.put(ContainerRefs.unescape(escaped), ref.getValue());
    }
    return images;
  }

  /**
   * The images whose refs leave no place for that of another: refs are files, so one cannot lie
   * below another, as {@code docker://host/os/next:1} would below {@code docker://host/os}.
   *
   * @param imgref the other's name
   */
  public SortedSet<String> conflicting(String imgref) throws IOException {
    String ref = ContainerRefs.image(imgref);
    SortedSet<String> found = new TreeSet<>();
    for (String there : repository.refs(ContainerRefs.IMAGES).keySet()) {
      if (there.startsWith(ref + "/") || ref.startsWith(there + "/")) {
        found.add(ContainerRefs.unescape(there.substring(ContainerRefs.IMAGES.length() + 1)));
      }
    }
    return found;
  }

  /** The image imported under a name. */
  public Optional<Stored> find(String imgref) throws IOException {
    Optional<Checksum> commit = repository.resolveRef(ContainerRefs.image(imgref));
    return commit.isEmpty() ? Optional.empty() : Optional.of(read(commit.get()));
  }

  /**
   * The image that a merge commit was made from.
   *
   * @throws Problem of kind INPUT when the commit was not made from an image
   */
  public Stored read(Checksum checksum) throws IOException {
    Commit commit = repository.readCommit(checksum);
    return new Stored(
        commit,
        Digest.parse(text(commit, MANIFEST_DIGEST)),
        manifest(commit),
        ImageConfig.parse(RawText.encode(text(commit, CONFIG))));
  }

  private static Manifest.Image manifest(Commit commit) {
    Manifest manifest = Manifest.parse(RawText.encode(text(commit, MANIFEST)), null);
    if (!(manifest instanceof Manifest.Image image)) {
      throw Problem.corrupt(
          "the commit " + commit.checksum() + " holds an image index, not a manifest");
    }
    return image;
  }

  /** The commits of an image's layers, bottom first; those that are still there. */
  public List<Checksum> layersOf(Commit image) throws IOException {
    List<Checksum> commits = new ArrayList<>();
    for (Descriptor layer : manifest(image).layers()) {
      repository
          .resolveRef(ContainerRefs.layer(layer.digest()))
          .filter(commit -> repository.has(commit, ObjectType.COMMIT))
          .ifPresent(commits::add);
    }
    return commits;
  }

  private static String text(Commit commit, String key) {
    return commit
        .string(key)
        .orElseThrow(
            () ->
                Problem.input(
                    "the commit " + commit.checksum() + " is not an image: it lacks " + key));
  }

  /** Forgets images, but not the objects that they hold; those go with the next prune. */
  public void remove(Set<String> imgrefs) throws IOException {
    try (Transaction transaction = repository.begin()) {
      for (String imgref : imgrefs) {
        transaction.setRef(ContainerRefs.image(imgref), null);
      }
      transaction.commit();
    }
  }

  /**
   * Forgets layers that no image has any more; their objects go with the next prune.
   *
   * @return how many layers
   */
  public int removeUnusedLayers() throws IOException {
    Set<String> used = new HashSet<>();
    for (Checksum commit : list().values()) {
      for (Descriptor layer : read(commit).manifest().layers()) {
        used.add(ContainerRefs.layer(layer.digest()));
      }
    }
    Set<String> unused = new HashSet<>(repository.refs(ContainerRefs.LAYERS).keySet());
    unused.removeAll(used);
    if (!unused.isEmpty()) {
      try (Transaction transaction = repository.begin()) {
        unused.forEach(ref -> transaction.setRef(ref, null));
        transaction.commit();
      }
    }
    return unused.size();
  }
}
