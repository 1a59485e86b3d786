package slipway.builder.engine;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import slipway.base.Cleanup;
import slipway.base.FullDisk;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.builder.cache.BuildStorage;
import slipway.builder.cache.LayerExporter;
import slipway.builder.cache.LayerRef;
import slipway.builder.cache.Workspace;
import slipway.builder.files.IgnoreRules;
import slipway.builder.language.BuildFile;
import slipway.builder.language.Containerfile;
import slipway.builder.language.Instruction;
import slipway.builder.run.RunStep;
import slipway.builder.session.Arrivals;
import slipway.builder.session.BuildRequest;
import slipway.builder.session.BuildSession;
import slipway.builder.session.ImagePuller;
import slipway.builder.session.StageGraph;
import slipway.builder.session.StageResult;
import slipway.builder.session.StepExecutor;
import slipway.linux.lock.Flock;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Reference;
import slipway.oci.registry.RegistryOptions;
import slipway.oci.store.LocalStore;

/**
 * Builds images from Containerfiles. Needs root: it mounts overlays, in namespaces of its own so
 * that nothing of it is seen outside or stays behind. The image enters the store when all of it is
 * there; a build that fails leaves the store as it was, but for base images that it pulled.
 */
public final class Builder {
  private final BuildSession.Machine machine;

  /** As the other constructor; ADD talks to servers as the environment says. */
  public Builder(
      LocalStore store,
      Path root,
      ImagePuller puller,
      Clock clock,
      Map<String, String> environment,
      RandomGenerator random) {
    this(
        store,
        root,
        puller,
        clock,
        environment,
        random,
        () -> RegistryOptions.anonymous(environment));
  }

  /**
   * @param store where base images come from and images go to
   * @param root where unpacked layers and the cache are kept, such as {@code
   *     /var/lib/slipway/build}; on a file system that overlayfs can write to
   * @param puller brings base images that are not in the store
   * @param environment variables of the caller; RUN sees the proxies among them
   * @param web how ADD talks to servers: certificates, proxies and patience; credentials are not
   *     used
   */
  public Builder(
      LocalStore store,
      Path root,
      ImagePuller puller,
      Clock clock,
      Map<String, String> environment,
      RandomGenerator random,
      Supplier<RegistryOptions> web) {
    this(
        new BuildSession.Machine(
            store,
            root.toAbsolutePath().normalize(),
            puller,
            clock,
            environment,
            random,
            StepExecutor.MOUNTS,
            web));
  }

  public Builder(BuildSession.Machine machine) {
    this.machine = machine;
  }

  /**
   * Builds, stores and names an image.
   *
   * @param progress hears each step
   * @param output hears each line that a RUN prints; called by several threads
   * @throws Problem of kind INPUT that begins with {@code file:line:} for a mistake in the
   *     Containerfile and for a RUN that fails
   */
  public Manifest.Image build(BuildRequest request, Progress progress, Consumer<String> output) {
    IgnoreRules.requireDirectory(request.context());
    Containerfile file =
        Containerfile.parse(request.file().toString(), read(request), progress::note);
    StageGraph graph = new StageGraph(file, request);
    Manifest.Image image = build(request, file, graph, progress, output);
    trim(progress);
    return image;
  }

  private Manifest.Image build(
      BuildRequest request,
      Containerfile file,
      StageGraph graph,
      Progress progress,
      Consumer<String> output) {
    Manifest.Image image = null;
    try (LocalStore.Hold hold = machine.store().hold();
        Flock use = BuildStorage.use(machine.root());
        Workspace workspace = Workspace.create(machine.root(), newName(), progress)) {
      BuildSession session =
          new BuildSession(request, file, graph, machine, workspace, progress, output);
      try (Arrivals arrivals = session.arrivals();
          LayerExporter exporter = session.exporter()) {
        image = new StageRunner(session).run(this::commit);
      } finally {
        warnUnused(session);
      }
    } catch (IOException e) {
      if (image != null) {
        progress.note("not all that the build used was cleared away: " + e.getMessage());
        return image;
      }
      String what = FullDisk.tell(machine.root(), e);
      throw new Problem(Problem.Kind.ENVIRONMENT, "the build cannot go on: " + what, e);
    }
    return image;
  }

  /** The image is there already, so trouble with old things is only told. */
  private void trim(Progress progress) {
    try {
      new BuildStorage(machine.root(), machine.random()).trim(progress);
    } catch (RuntimeException e) {
      progress.note("the build cache may grow beyond its bound: " + e.getMessage());
    }
  }

  private String newName() {
    byte[] bytes = new byte[8];
    machine.random().nextBytes(bytes);
    return HexFormat.of().formatHex(bytes);
  }

  private static String read(BuildRequest request) {
    Path file = request.file();
    try {
      return BuildFile.read(request.context(), file)
          .orElseThrow(
              () -> Problem.notFound("there is no " + file + "; name the Containerfile with -f"));
    } catch (IOException e) {
      throw new Problem(Problem.Kind.INPUT, file + " cannot be read: " + e.getMessage(), e);
    }
  }

  /** Told at the end, when it is known which ARGs base images bring by ONBUILD. */
  private static void warnUnused(BuildSession session) {
    Containerfile file = session.file();
    List<Instruction.Arg> declared = new ArrayList<>(file.globals());
    file.stages()
        .forEach(
            s ->
                s.instructions().stream()
                    .filter(Instruction.Arg.class::isInstance)
                    .map(Instruction.Arg.class::cast)
                    .forEach(declared::add));
    for (String name : session.request().arguments().keySet()) {
      boolean known =
          RunStep.isProxy(name)
              || session.isDeclared(name)
              || declared.stream()
                  .flatMap(a -> a.arguments().stream())
                  .anyMatch(a -> a.name().equals(name));
      if (!known) {
        session.progress().note("no ARG takes the build argument " + name);
      }
    }
  }

  /** Puts the finished image into the store. Its names are the commit point. */
  private Manifest.Image commit(BuildSession session, StageResult result)
      throws IOException, InterruptedException {
    session.arrivals().admit();
    Optional<Manifest.Image> same = result.untouched().filter(i -> keepsBase(session.request()));
    if (same.isPresent()) {
      put(session.request(), same.get());
      return same.get();
    }
    Thread sync = Thread.ofPlatform().name("sync").start(() -> sync(session));
    try {
      Manifest.Image image = image(session, result);
      put(session.request(), image);
      return image;
    } finally {
      await(sync);
    }
  }

  /** Whether the build fails or not, nothing of it goes on behind it. */
  private static void await(Thread sync) {
    try {
      sync.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // The process shall end, and is not to wait for a disk.
    }
  }

  /** Finishes the layers and writes the config. */
  private Manifest.Image image(BuildSession session, StageResult result)
      throws IOException, InterruptedException {
    List<Descriptor> layers = new ArrayList<>();
    List<Digest> diffIds = new ArrayList<>();
    for (LayerRef layer : result.layers()) {
      LayerRef.Blob blob = session.exporter().finish(layer);
      layers.add(blob.descriptor());
      diffIds.add(blob.diffId());
    }
    ImageConfig config = config(session, result, diffIds);
    byte[] json = config.toJson();
    Limit.CONFIG_BYTES.check(json.length, "the image's configuration");
    Descriptor configBlob = machine.store().putBlob(MediaTypes.OCI_CONFIG, json);
    return Manifest.Image.of(configBlob, layers, annotations(session.request(), result));
  }

  private void put(BuildRequest request, Manifest.Image image) {
    if (request.tags().isEmpty()) {
      machine.store().putManifest(image, null);
    }
    for (Reference tag : request.tags()) {
      machine.store().putManifest(image, tag);
    }
  }

  /** Whether FROM alone gives the very image, as with podman: the request adds nothing to it. */
  private static boolean keepsBase(BuildRequest request) {
    return request.labels().isEmpty()
        && request.annotations().isEmpty()
        && request.sourceDateEpoch() == null;
  }

  /** Beside the last compressing and writing, which wait for the same disk. */
  private static void sync(BuildSession session) {
    try {
      session.snapshots().sync();
    } catch (IOException | Problem e) {
      if (Cleanup.isStopped()) {
        return; // Why the build ends is told already.
      }
      session.progress().note("the build cache may not outlast a power cut: " + e.getMessage());
    }
  }

  private static ImageConfig config(
      BuildSession session, StageResult result, List<Digest> diffIds) {
    ImageDraft draft = ImageDraft.of(result.config());
    draft.labels.putAll(session.request().labels());
    String created = result.created() == null ? session.now() : result.created();
    return draft.toConfig(
        session.request().sourceDateEpoch() == null ? created : session.now(), diffIds);
  }

  /** OCI image-spec, annotations.md: what the image was made from. */
  private static Map<String, String> annotations(BuildRequest request, StageResult result) {
    Map<String, String> all = new LinkedHashMap<>();
    StageResult.Base base = result.base();
    if (base != null) {
      all.put("org.opencontainers.image.base.digest", base.manifest().digest().toString());
      all.put("org.opencontainers.image.base.name", base.name());
    }
    all.putAll(request.annotations());
    return all;
  }
}
