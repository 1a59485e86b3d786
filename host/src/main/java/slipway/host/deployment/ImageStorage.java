package slipway.host.deployment;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import slipway.base.AtomicFile;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.config.auth.AuthFile;
import slipway.host.system.BoundStore;
import slipway.host.system.HostEnvironment;
import slipway.host.system.ImageTarget;
import slipway.host.update.ImagePull;
import slipway.linux.process.Command;
import slipway.oci.copy.ImageSource;
import slipway.oci.registry.RegistryOptions;
import slipway.oci.transport.TransportRef;
import slipway.ostree.container.ContainerImages;
import slipway.ostree.container.ExportedImage;
import slipway.ostree.repo.Repository;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.ContainerReference;
import slipway.sysroot.state.Deployment;

/**
 * Moves images between the places of a machine where they lie: its repository, podman's store, and
 * the store of bound images ({@code bootc image}).
 */
public final class ImageStorage {
  private static final String DEFAULT_TARGET = "localhost/bootc";

  private final HostEnvironment host;

  public ImageStorage(HostEnvironment host) {
    this.host = host;
  }

  /**
   * Copies an operating system out of the repository. Its layers are written anew, see {@link
   * ExportedImage}.
   *
   * @param source name of the image, with its transport when that is no registry; null for the
   *     booted one
   * @param target with its transport, or a name in podman's store; null for {@code localhost/bootc}
   *     there
   * @throws Problem of kind NOT_FOUND when the repository has no such image
   */
  public void copyToStorage(@Nullable String source, @Nullable String target) throws IOException {
    host.requireHost();
    Sysroot sysroot = host.sysroot();
    Repository repository = sysroot.repository();
    String name = source == null ? booted(sysroot) : imageName(source);
    String place = target == null ? DEFAULT_TARGET : target;
    TransportRef to =
        TransportRef.parse(
            TransportRef.hasTransport(place) ? place : "containers-storage:" + place);
    ContainerImages images = new ContainerImages(repository);
    Optional<ContainerImages.Stored> stored =
        source == null
            ? Optional.of(images.read(sysroot.booted().orElseThrow().checksum()))
            : images.find(name);
    ContainerImages.Stored image =
        stored.orElseThrow(
            () ->
                Problem.notFound(
                    "the repository has no image "
                        + Printable.text(name)
                        + "; bootc image list shows those that it has"));
    say("Copying local image " + name + " to " + to + " ...");
    try (ExportedImage exported = ExportedImage.open(repository, image, name)) {
      RegistryOptions options =
          RegistryOptions.anonymous(host.variables()).withCredentials(AuthFile.host(host.root()));
      ImageTarget.copy(exported, to, host, options, host.progress());
      say("Pushed: " + to + " " + exported.manifest(null).digest());
    }
  }

  private void say(String line) {
    host.out().accept(Printable.text(line));
  }

  private static String booted(Sysroot sysroot) {
    Deployment booted = sysroot.booted().orElseThrow(HostEnvironment::notInMenu);
    return booted
        .origin()
        .container()
        .map(ImagePull::transportName)
        .orElseThrow(
            () -> Problem.input("what runs was not deployed from an image; name one by --source"));
  }

  /** As the repository names it. */
  private static String imageName(String source) {
    return TransportRef.hasTransport(source)
        ? TransportRef.parse(source).toString()
        : "docker://" + source;
  }

  /**
   * Takes an image of podman's store into that of bound images. It stays there until the next
   * change of the deployments, unless one of them binds it.
   *
   * @return its id
   */
  public String pullFromDefaultStorage(String image) throws IOException {
    host.requireHost();
    ContainerReference place = ContainerReference.unverified("containers-storage", image);
    try (ImageSource source = host.images().open(place)) {
      return BoundStore.of(host).add(source, image);
    }
  }

  /**
   * Runs {@code podman image} on the store of bound images, with the machine's credentials and on
   * this process' terminal.
   *
   * @param words behind {@code podman image}
   * @return its exit code
   * @throws Problem of kind ENVIRONMENT when the machine has no podman
   */
  public int podman(List<String> words) throws IOException {
    host.requireHost();
    BoundStore store = BoundStore.of(host);
    store.bring(List.of(), BoundStore.From.REGISTRIES);
    Path runtime = Files.createDirectories(host.run().resolve("bootc"));
    Path none = runtime.resolve("no-auth.json");
    AtomicFile.write(none, "{}");
    Process process =
        Command.of("podman", "--root", store.folder().toString())
            .with("--runroot", runtime.resolve("storage").toString())
            .with("--storage-driver", "overlay", "image")
            .with(words.toArray(String[]::new))
            // Never those of the user who happens to be root now.
            .environment(
                "REGISTRY_AUTH_FILE", AuthFile.hostFile(host.root()).orElse(none).toString())
            .startInherited();
    try {
      return process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Problem(Problem.Kind.ENVIRONMENT, "podman was interrupted", e);
    } finally {
      Command.kill(process);
    }
  }
}
