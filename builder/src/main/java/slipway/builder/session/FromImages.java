package slipway.builder.session;

import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import slipway.base.Position;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.oci.copy.ImageSink;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.Transfer;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;
import slipway.oci.registry.RegistryOptions;
import slipway.oci.store.LocalStore;
import slipway.oci.transport.TransportRef;

/**
 * Finds the images that FROM and {@code --from} name: in the store, or where they can be brought
 * from. Safe for use by many threads.
 */
final class FromImages {
  /** An image's id or the beginning of one, which is no short name. */
  private static final Pattern ID = Pattern.compile("(sha256:|sha512:)?[0-9a-f]{4,128}");

  private final BuildRequest request;
  private final LocalStore store;
  private final ImagePuller puller;
  private final Map<String, String> environment;
  private final Arrivals arrivals;
  private final Progress progress;

  FromImages(
      BuildRequest request, BuildSession.Machine machine, Arrivals arrivals, Progress progress) {
    this.request = request;
    this.store = machine.store();
    this.puller = machine.puller();
    this.environment = machine.environment();
    this.arrivals = arrivals;
    this.progress = progress;
  }

  /**
   * Finds a base image, pulling it when the request says so.
   *
   * @param name as FROM or {@code --from} has it, with variables replaced
   * @param at for problems
   * @throws Problem when there is none, or it is not what it says
   */
  StageResult find(String name, Platform platform, Position at) throws IOException {
    Manifest.Image manifest = manifest(name, platform, at);
    ImageConfig config = store.config(manifest);
    if (config.diffIds().size() != manifest.layers().size()) {
      throw Problem.corrupt(
          "the image "
              + name
              + " has "
              + manifest.layers().size()
              + " layers but its config names "
              + config.diffIds().size());
    }
    if (!platform.accepts(config.platform())) {
      progress.note(at + ": " + name + " is for " + config.platform() + ", not for " + platform);
    }
    return StageResult.of(name, manifest, config);
  }

  private synchronized Manifest.Image manifest(String name, Platform platform, Position at)
      throws IOException {
    if (!TransportRef.hasTransport(name)) {
      return named(name, platform, at);
    }
    TransportRef transport = TransportRef.parse(name);
    if (transport instanceof TransportRef.Registry registry) {
      return named(registry.reference().toString(), platform, at);
    }
    return arrivals.image(name, platform, at, null, sink -> copy(transport, platform, sink));
  }

  /** Copies an image from a directory, an archive or podman's store; it gets no name here. */
  private Manifest copy(TransportRef transport, Platform platform, ImageSink sink)
      throws IOException {
    try (ImageSource source = transport.source(RegistryOptions.anonymous(environment))) {
      return Transfer.copy(source, null, sink, null, Transfer.Options.of(platform), progress);
    } catch (Problem e) {
      throw new Problem(e.kind(), transport + ": " + e.getMessage(), e);
    }
  }

  /**
   * An image of the store or a registry. A name without a host is one of this machine's own images,
   * the beginning of an id, or what registries.conf makes of it, as with {@code pull}.
   */
  private Manifest.Image named(String name, Platform platform, Position at) throws IOException {
    boolean always = request.pull() == BuildRequest.Pull.ALWAYS;
    Optional<Manifest> known = always ? Optional.empty() : inStore(name, platform, at);
    if (known.isPresent()) {
      // Not by the name, which may stand for another image by now.
      return store.image(known.get(), name, platform);
    }
    if (request.pull() == BuildRequest.Pull.NEVER) {
      throw at.problem("there is no image " + name + " in the store, and --pull=never was given");
    }
    Reference reference = resolve(name, at);
    return arrivals.image(
        reference.toString(),
        platform,
        at,
        isTaken(reference.toString(), platform) ? null : reference,
        sink -> puller.pull(reference, platform, sink, progress));
  }

  /** Whether a name stands for an image of the platform that is built for, which is to keep it. */
  private boolean isTaken(String name, Platform platform) {
    Platform own = request.platform();
    return !platform.equals(own) && store.find(name).filter(m -> fits(m, own)).isPresent();
  }

  private boolean fits(Manifest manifest, Platform platform) {
    return !store.lacks(manifest, platform) && !store.isForAnother(manifest, platform);
  }

  private Reference resolve(String name, Position at) throws IOException {
    try {
      return puller.resolve(name).orLatest();
    } catch (Problem e) {
      throw new Problem(e.kind(), at + ": " + e.getMessage(), e);
    }
  }

  /** The image that a name means, unless the store lacks it for this platform. */
  private Optional<Manifest> inStore(String name, Platform platform, Position at)
      throws IOException {
    if (Reference.hasHost(name)) {
      return present(name, platform);
    }
    if (ID.matcher(name).matches()) {
      Optional<Manifest> byId = store.find(name);
      if (byId.isPresent()) {
        return byId;
      }
    }
    String own;
    try {
      own = LocalStore.localName(name).toString();
    } catch (Problem e) {
      throw new Problem(e.kind(), at + ": " + e.getMessage(), e);
    }
    Optional<Manifest> known = present(own, platform);
    return known.isPresent() ? known : present(resolve(name, at).toString(), platform);
  }

  /**
   * What a whole name stands for in the store. A name stands for one image there, which need not be
   * of the platform that is asked for: it is taken all the same when no other can be had.
   */
  private Optional<Manifest> present(String name, Platform platform) {
    return store
        .find(name)
        .filter(m -> isFetched(name) ? fits(m, platform) : !store.lacks(m, platform));
  }

  /** Whether a registry may have another image under this name, and may be asked. */
  private boolean isFetched(String name) {
    Reference reference = Reference.parse(name);
    return request.pull() != BuildRequest.Pull.NEVER
        && reference.digest() == null
        && !reference.registry().equals(LocalStore.HOST);
  }
}
