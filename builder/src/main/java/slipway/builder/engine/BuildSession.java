package slipway.builder.engine;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import slipway.base.Position;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.builder.language.Containerfile;
import slipway.container.ContainerRuntime;
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

/** What the stages of one build share. Safe for use by many threads. */
public final class BuildSession {
  /** An image's id or the beginning of one, which is no short name. */
  private static final Pattern ID = Pattern.compile("(sha256:|sha512:)?[0-9a-f]{4,128}");

  final BuildRequest request;
  final LocalStore store;
  final Snapshots snapshots;
  final Arrivals arrivals;
  final StepCache cache;
  final Workspace workspace;
  final LayerExporter exporter;
  final Containerfile file;
  final StageGraph graph;
  final Progress progress;
  final Path root;
  final StepExecutor steps;

  /** Of all values that variables and labels of the stages got, one after the other. */
  final AtomicLong valueCharacters = new AtomicLong();

  /** Instructions of all stages that were carried out, triggers of base images included. */
  final AtomicLong instructions = new AtomicLong();

  /** Names of ARGs that were carried out, also those that base images bring by ONBUILD. */
  final Set<String> declared = ConcurrentHashMap.newKeySet();

  /** Lines that RUN commands print. */
  final Consumer<String> output;

  private final ImagePuller puller;
  private final Clock clock;
  private final Map<String, String> environment;
  private final Supplier<RegistryOptions> web;
  private final RandomGenerator random;
  private final Semaphore slots;
  private final Map<Integer, CompletableFuture<StageResult>> stages;

  private final Map<Integer, Map<String, String>> stageArguments = new ConcurrentHashMap<>();
  private final Map<Integer, Map<String, String>> stageForeign = new ConcurrentHashMap<>();
  private volatile IntConsumer stageStarter = stage -> {};
  private @Nullable ContainerRuntime runtime;

  /** Where the machine's parts come in. */
  public record Machine(
      LocalStore store,
      Path root,
      ImagePuller puller,
      Clock clock,
      Map<String, String> environment,
      RandomGenerator random,
      StepExecutor steps,
      Supplier<RegistryOptions> web) {}

  BuildSession(
      BuildRequest request,
      Containerfile file,
      StageGraph graph,
      Machine machine,
      Workspace workspace,
      Progress progress,
      Consumer<String> output)
      throws IOException {
    this.request = request;
    this.file = file;
    this.graph = graph;
    this.store = machine.store();
    this.root = machine.root();
    this.steps = machine.steps();
    this.puller = machine.puller();
    this.clock = machine.clock();
    this.environment = machine.environment();
    this.web = machine.web();
    this.random = machine.random();
    this.workspace = workspace;
    this.progress = progress;
    this.output = output;
    this.snapshots = new Snapshots(root, store, CacheDurability.of(root));
    this.arrivals = new Arrivals(store, request.platform());
    this.cache = new StepCache(root, workspace.newDirectory("entries"));
    this.exporter =
        new LayerExporter(
            store, snapshots, cache, request.compression(), request.sourceDateEpoch());
    this.slots = new Semaphore(request.jobs());
    this.stages = new java.util.concurrent.ConcurrentHashMap<>();
  }

  /** The place where a stage's result is put and waited for. */
  CompletableFuture<StageResult> result(int stage) {
    return stages.computeIfAbsent(stage, i -> new CompletableFuture<>());
  }

  /** Hears which stages are waited for: some are known only when a base image is. */
  void onAwait(IntConsumer starter) {
    stageStarter = starter;
  }

  /** The arguments in scope at the end of a stage, which those built on it inherit. */
  Map<String, String> arguments(int stage) {
    return stageArguments.getOrDefault(stage, Map.of());
  }

  /** {@link ForeignVariables#values} at the end of a stage. */
  Map<String, String> foreign(int stage) {
    return stageForeign.getOrDefault(stage, Map.of());
  }

  void putVariables(int stage, Map<String, String> arguments, Map<String, String> foreign) {
    stageArguments.put(stage, Collections.unmodifiableMap(new LinkedHashMap<>(arguments)));
    stageForeign.put(stage, foreign);
  }

  /** Waits for a stage, which is started if it has not been. */
  StageResult await(int stage) throws InterruptedException {
    try {
      stageStarter.accept(stage);
      return result(stage).get();
    } catch (ExecutionException e) {
      throw new StageFailed(e.getCause());
    }
  }

  /** A stage cannot go on because one that it needs failed; that one tells why. */
  static final class StageFailed extends RuntimeException {
    private static final long serialVersionUID = 1L;

    StageFailed(@Nullable Throwable cause) {
      super(cause);
    }
  }

  /** One of the places for steps under way; close it when the step is done. */
  AutoCloseable slot() throws InterruptedException {
    slots.acquire();
    return slots::release;
  }

  /** The time of what is made now, RFC 3339 in whole seconds. */
  String now() {
    Long epoch = request.sourceDateEpoch();
    Instant now = epoch == null ? clock.instant() : Instant.ofEpochSecond(epoch);
    return now.truncatedTo(ChronoUnit.SECONDS).toString();
  }

  long nowSeconds() {
    Long epoch = request.sourceDateEpoch();
    return epoch == null ? clock.instant().getEpochSecond() : epoch;
  }

  /** A name that nothing had before. */
  String newName() {
    byte[] bytes = new byte[16];
    synchronized (random) {
      random.nextBytes(bytes);
    }
    return HexFormat.of().formatHex(bytes);
  }

  synchronized ContainerRuntime runtime() {
    if (runtime == null) {
      runtime = ContainerRuntime.find();
    }
    return runtime;
  }

  /** How ADD talks to servers. */
  RegistryOptions web() {
    return web.get();
  }

  /** The environment in which the build was started. */
  Map<String, String> environment() {
    return environment;
  }

  /** Finds a base image, pulling it when the request says so. */
  StageResult image(String name, Platform platform, Position at) throws IOException {
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

  /** The directories of layers, unpacked. */
  List<Path> unpacked(List<LayerRef> layers) throws IOException, InterruptedException {
    List<Path> paths = snapshots.unpacked(layers, workspace, progress);
    arrivals.unpacked(layers);
    return paths;
  }
}
