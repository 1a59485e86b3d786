package slipway.host.system;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.Transfer;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;
import slipway.oci.podman.PodmanStore;
import slipway.sysroot.state.ContainerReference;

/**
 * The images of applications that belong to the versions of the operating system on a machine: a
 * store of podman's below {@code /sysroot}, which {@code /usr/lib/bootc/storage} leads to and which
 * containers use by {@code --storage-opt=additionalimagestore=/usr/lib/bootc/storage}. It lies
 * where bootc has it, so either takes over what the other has brought.
 */
public final class BoundStore {
  /** Below the root of the machine's disk. */
  public static final String FOLDER = "ostree/bootc/storage";

  private final Path folder;
  private final ImageSources sources;
  private final InstantSource clock;
  private final Progress progress;

  /**
   * @param root that holds {@code ostree}
   * @param sources where images come from
   */
  public BoundStore(Path root, ImageSources sources, InstantSource clock, Progress progress) {
    this.folder = root.resolve(FOLDER);
    this.sources = sources;
    this.clock = clock;
    this.progress = progress;
  }

  /** That of a machine. */
  public static BoundStore of(HostEnvironment host) {
    return new BoundStore(host.root(), host.images(), host.clock(), host.progress());
  }

  /** The folder of the store. */
  public Path folder() {
    return folder;
  }

  /** Where images are looked for. */
  public enum From {
    /** In the registries that their names say. */
    REGISTRIES,
    /** In this machine's own store of podman's. */
    PODMAN,
    /**
     * Nowhere but beside the image that they are bound to: what is not there is told, and comes
     * with the next upgrade.
     */
    BESIDE
  }

  /**
   * Makes the store where it is missing, and brings those that it lacks. One that is there under
   * its name stays as it is, though its tag may lead elsewhere by now.
   *
   * @param names as quadlet files have them
   * @return how many were brought
   * @throws Problem that names the image; those before it are there
   */
  public int bring(List<String> names, From from) throws IOException {
    return bring(names, from, null);
  }

  /**
   * As {@link #bring(List, From)}; what lies beside another image under its name comes from there,
   * as on a stick that brings a machine without a network both; but for one of whose name the
   * machine's policy demands a signature.
   *
   * @param beside the source of the image that they are bound to; null for none
   */
  public int bring(List<String> names, From from, @Nullable ImageSource beside) throws IOException {
    PodmanStore store = PodmanStore.create(folder, clock);
    int brought = 0;
    for (String name : new LinkedHashSet<>(names)) {
      try {
        if (store.find(name).isEmpty()) {
          Optional<ImageSource> there = beside == null ? Optional.empty() : standIn(beside, name);
          if (there.isEmpty() && from == From.BESIDE) {
            progress.note(
                "the bound image "
                    + Printable.text(name)
                    + " comes with the machine's next upgrade");
            continue;
          }
          progress.note("Fetching bound image: " + Printable.text(name));
          if (there.isPresent()) {
            store.add(there.get(), name, progress);
          } else {
            bring(store, name, from);
          }
          brought++;
        }
      } catch (Problem e) {
        throw new Problem(
            e.kind(), "the bound image " + Printable.text(name) + ": " + e.sentence(), e);
      }
    }
    return brought;
  }

  /**
   * Looks whether images could be brought, and brings none.
   *
   * @param names as quadlet files have them
   * @throws Problem that names the image that is not there
   */
  public void require(List<String> names, From from) throws IOException {
    for (String name : new LinkedHashSet<>(names)) {
      try (ImageSource source = sources.open(place(name, from))) {
        Transfer.resolve(source, null, Platform.host());
      } catch (Problem e) {
        throw new Problem(
            e.kind(), "the bound image " + Printable.text(name) + ": " + e.sentence(), e);
      }
    }
  }

  private static ContainerReference place(String name, From from) {
    return switch (from) {
      case REGISTRIES -> ContainerReference.registry(PodmanStore.name(name));
      case PODMAN -> ContainerReference.unverified("containers-storage", name);
      case BESIDE -> throw new IllegalArgumentException("there is no such place for " + name);
    };
  }

  /** What lies beside an image keeps no signatures; where one is demanded, it is the registry's. */
  private Optional<ImageSource> standIn(ImageSource beside, String name) throws IOException {
    return sources.isFree(Reference.parse(PodmanStore.name(name)))
        ? held(beside, name)
        : Optional.empty();
  }

  /** An image that a source holds under a name, beside what else it holds. */
  private Optional<ImageSource> held(ImageSource all, String name) throws IOException {
    String wanted = PodmanStore.name(name);
    Digest digest = Reference.parse(name).digest();
    for (ImageSource.Held image : all.images()) {
      if (image.names().stream().anyMatch(own -> isNamed(own, wanted))) {
        ImageSource one = new One(all, image.selector());
        if (isUsable(one, name, digest)) {
          return Optional.of(one);
        }
      }
    }
    return Optional.empty();
  }

  /**
   * Whether a source has an image for this machine, under this digest or one of an index that leads
   * to it. A copy of a part, or one for other machines, is no reason not to look elsewhere.
   *
   * @param digest that is asked for; null for any
   */
  private boolean isUsable(ImageSource source, String name, @Nullable Digest digest)
      throws IOException {
    try {
      return Transfer.way(source, null, Platform.host()).stream()
          .anyMatch(manifest -> digest == null || manifest.digest().equals(digest));
    } catch (Problem e) {
      if (e.kind() != Problem.Kind.NOT_FOUND && e.kind() != Problem.Kind.CORRUPT) {
        throw e;
      }
      progress.note(
          "the bound image " + Printable.text(name) + " is looked for elsewhere: " + e.sentence());
      return false;
    }
  }

  /** Names in a folder are whatever somebody wrote; those that name no image mean none. */
  private static boolean isNamed(String own, String wanted) {
    try {
      return PodmanStore.name(own).equals(wanted);
    } catch (Problem e) {
      return false;
    }
  }

  /** One image of several in a source, which is somebody else's to close. */
  private record One(ImageSource all, String selector) implements ImageSource {
    @Override
    public String describe() {
      return all.describe();
    }

    @Override
    public Manifest manifest(@Nullable String other) throws IOException {
      return all.manifest(other == null ? selector : other);
    }

    @Override
    public InputStream blob(Descriptor descriptor, long offset) throws IOException {
      return all.blob(descriptor, offset);
    }
  }

  private void bring(PodmanStore store, String name, From from) throws IOException {
    try (ImageSource source = sources.open(place(name, from))) {
      store.add(source, name, progress);
    }
  }

  /**
   * Brings an image in under a name, whether it is there or not.
   *
   * @return its id
   */
  public String add(ImageSource source, String name) throws IOException {
    return PodmanStore.create(folder, clock).add(source, name, progress);
  }

  /** The id of an image, if it is there. */
  public Optional<String> find(String name) throws IOException {
    return PodmanStore.exists(folder)
        ? PodmanStore.create(folder, clock).find(name)
        : Optional.empty();
  }

  /**
   * Removes what none of these names means; one that is no name means nothing.
   *
   * @return the names of what was removed
   */
  public List<String> keepOnly(Set<String> names) throws IOException {
    if (!PodmanStore.exists(folder)) {
      return List.of();
    }
    Set<String> kept = new HashSet<>();
    for (String name : names) {
      try {
        kept.add(PodmanStore.name(name));
      } catch (Problem e) {
        // No image has a name that is none.
      }
    }
    return PodmanStore.create(folder, clock).keepOnly(kept).stream()
        .map(gone -> gone.names().isEmpty() ? gone.id() : gone.names().getFirst())
        .toList();
  }
}
