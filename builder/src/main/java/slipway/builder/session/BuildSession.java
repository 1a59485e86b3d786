package slipway.builder.session;

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
import org.jspecify.annotations.Nullable;
import slipway.base.Limit;
import slipway.base.Position;
import slipway.base.Progress;
import slipway.builder.cache.CacheDurability;
import slipway.builder.cache.LayerExporter;
import slipway.builder.cache.LayerRef;
import slipway.builder.cache.Snapshots;
import slipway.builder.cache.StepCache;
import slipway.builder.cache.Workspace;
import slipway.builder.language.Containerfile;
import slipway.container.ContainerRuntime;
import slipway.oci.model.Platform;
import slipway.oci.registry.RegistryOptions;
import slipway.oci.store.LocalStore;

/** What the stages of one build share. Safe for use by many threads. */
public final class BuildSession {
  private final BuildRequest request;
  private final Snapshots snapshots;
  private final Arrivals arrivals;
  private final FromImages images;
  private final StepCache cache;
  private final Workspace workspace;
  private final LayerExporter exporter;
  private final Containerfile file;
  private final StageGraph graph;
  private final Progress progress;
  private final Path root;
  private final StepExecutor steps;
  private final AtomicLong valueCharacters = new AtomicLong();
  private final AtomicLong instructions = new AtomicLong();
  private final Set<String> declared = ConcurrentHashMap.newKeySet();
  private final Consumer<String> output;
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

  public BuildSession(
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
    LocalStore store = machine.store();
    this.root = machine.root();
    this.steps = machine.steps();
    this.clock = machine.clock();
    this.environment = machine.environment();
    this.web = machine.web();
    this.random = machine.random();
    this.workspace = workspace;
    this.progress = progress;
    this.output = output;
    this.snapshots = new Snapshots(root, store, CacheDurability.of(root));
    this.arrivals = new Arrivals(store, request.platform());
    this.images = new FromImages(request, machine, arrivals, progress);
    this.cache = new StepCache(root, workspace.newDirectory("entries"));
    this.exporter =
        new LayerExporter(
            store, snapshots, cache, request.compression(), request.sourceDateEpoch());
    this.slots = new Semaphore(request.jobs());
    this.stages = new ConcurrentHashMap<>();
  }

  /** What to build. */
  public BuildRequest request() {
    return request;
  }

  /** The Containerfile. */
  public Containerfile file() {
    return file;
  }

  /** Which of its stages are built, and what names in them stand for. */
  public StageGraph graph() {
    return graph;
  }

  /** The build directory, where unpacked layers and the cache are kept. */
  public Path root() {
    return root;
  }

  /** What of the build directory is this build's own. */
  public Workspace workspace() {
    return workspace;
  }

  /** What earlier builds found out. */
  public StepCache cache() {
    return cache;
  }

  /** The unpacked layers. */
  public Snapshots snapshots() {
    return snapshots;
  }

  /** Makes blobs of layers. */
  public LayerExporter exporter() {
    return exporter;
  }

  /** The images that this build brought. */
  public Arrivals arrivals() {
    return arrivals;
  }

  /** How actions of steps are carried out. */
  public StepExecutor steps() {
    return steps;
  }

  /** Hears each step. */
  public Progress progress() {
    return progress;
  }

  /** Takes the lines that RUN commands print. */
  public Consumer<String> output() {
    return output;
  }

  /** Counts an instruction of any stage that is carried out, triggers of base images included. */
  public void countInstruction(Position at) {
    Limit.INSTRUCTIONS.check(instructions.incrementAndGet(), at.toString());
  }

  /** Counts a value that a variable or label of any stage gets, one after the other. */
  public void countValue(String value, Position at) {
    Limit.VARIABLE_CHARACTERS.check(valueCharacters.addAndGet(value.length()), at.toString());
  }

  /** Notes the name of an ARG that was carried out, also of one that a base image brings. */
  public void declare(String name) {
    declared.add(name);
  }

  /** Whether an ARG of this name was carried out. */
  public boolean isDeclared(String name) {
    return declared.contains(name);
  }

  /** The place where a stage's result is put and waited for. */
  public CompletableFuture<StageResult> result(int stage) {
    return stages.computeIfAbsent(stage, i -> new CompletableFuture<>());
  }

  /** Hears which stages are waited for: some are known only when a base image is. */
  public void onAwait(IntConsumer starter) {
    stageStarter = starter;
  }

  /** The arguments in scope at the end of a stage, which those built on it inherit. */
  public Map<String, String> arguments(int stage) {
    return stageArguments.getOrDefault(stage, Map.of());
  }

  /** What variables of a stage would be at its end had base images set others. */
  public Map<String, String> foreign(int stage) {
    return stageForeign.getOrDefault(stage, Map.of());
  }

  public void putVariables(int stage, Map<String, String> arguments, Map<String, String> foreign) {
    stageArguments.put(stage, Collections.unmodifiableMap(new LinkedHashMap<>(arguments)));
    stageForeign.put(stage, foreign);
  }

  /** Waits for a stage, which is started if it has not been. */
  public StageResult await(int stage) throws InterruptedException {
    try {
      stageStarter.accept(stage);
      return result(stage).get();
    } catch (ExecutionException e) {
      throw new StageFailed(e.getCause());
    }
  }

  /** A stage cannot go on because one that it needs failed; that one tells why. */
  public static final class StageFailed extends RuntimeException {
    private static final long serialVersionUID = 1L;

    StageFailed(@Nullable Throwable cause) {
      super(cause);
    }
  }

  /** One of the places for steps under way; close it when the step is done. */
  public AutoCloseable slot() throws InterruptedException {
    slots.acquire();
    return slots::release;
  }

  /** The time of what is made now, RFC 3339 in whole seconds. */
  public String now() {
    Long epoch = request.sourceDateEpoch();
    Instant now = epoch == null ? clock.instant() : Instant.ofEpochSecond(epoch);
    return now.truncatedTo(ChronoUnit.SECONDS).toString();
  }

  public long nowSeconds() {
    Long epoch = request.sourceDateEpoch();
    return epoch == null ? clock.instant().getEpochSecond() : epoch;
  }

  /** A name that nothing had before. */
  public String newName() {
    byte[] bytes = new byte[16];
    synchronized (random) {
      random.nextBytes(bytes);
    }
    return HexFormat.of().formatHex(bytes);
  }

  public synchronized ContainerRuntime runtime() {
    if (runtime == null) {
      runtime = ContainerRuntime.find();
    }
    return runtime;
  }

  /** How ADD talks to servers. */
  public RegistryOptions web() {
    return web.get();
  }

  /** The environment in which the build was started. */
  public Map<String, String> environment() {
    return environment;
  }

  /** Finds a base image, pulling it when the request says so. */
  public StageResult image(String name, Platform platform, Position at) throws IOException {
    return images.find(name, platform, at);
  }

  /** The directories of layers, unpacked. */
  public List<Path> unpacked(List<LayerRef> layers) throws IOException, InterruptedException {
    List<Path> paths = snapshots.unpacked(layers, workspace, progress);
    arrivals.unpacked(layers);
    return paths;
  }
}
