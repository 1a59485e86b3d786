package slipway.builder.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import slipway.base.FullDisk;
import slipway.base.Position;
import slipway.base.Problem;
import slipway.builder.cache.CacheKey;
import slipway.builder.cache.LayerRef;
import slipway.builder.cache.Snapshots;
import slipway.builder.cache.StepCache;
import slipway.builder.language.Containerfile.Stage;
import slipway.builder.session.BuildSession;
import slipway.builder.session.StageResult;
import slipway.builder.session.StepExecutor;
import slipway.container.StubLayer;
import slipway.linux.lock.Flock;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Platform;

/**
 * The steps of a stage, one for each instruction, and the layers that they made. Each has a key: a
 * digest of the state before it, its text with variables replaced, and what it reads. A key that an
 * earlier build has seen is not carried out again.
 */
final class StageSteps {
  private static final String KEY_VERSION = "slipway-step-2";

  private final BuildSession session;
  private final Stage stage;
  private final boolean inImage;
  private final List<LayerRef> layers = new ArrayList<>();
  private ImageDraft image;
  private String state;
  private @Nullable String created;
  private StageResult.@Nullable Base base;
  private Position at;
  private int number = 1;

  /**
   * @param image that the stage begins with, which gets the history of the steps
   */
  StageSteps(BuildSession session, Stage stage, Platform platform, ImageDraft image) {
    this.session = session;
    this.stage = stage;
    this.inImage = session.graph().inImage().contains(stage.index());
    this.image = image;
    this.state = CacheKey.of("scratch", platform.toString());
    this.at = stage.from().at();
  }

  /** Goes on from an image or the end of another stage. */
  void inherit(StageResult from, ImageDraft draft) {
    image = draft;
    layers.addAll(from.layers());
    state = from.state();
    created = from.created();
    base = from.base();
  }

  /** Says where the instruction stands that is carried out now. */
  void at(Position position) {
    at = position;
  }

  /** Counts one more instruction of the stage for what is told. */
  void next() {
    number++;
  }

  /** What the stage ends with. */
  StageResult result() {
    return new StageResult(state, image.toConfig(created, List.of()), layers, created, base);
  }

  /** Tells of a step. */
  void announce(String what, boolean cached) {
    String name = stage.name();
    int total = stage.instructions().size() + 1;
    String prefix =
        session.graph().needed().size() == 1
            ? ""
            : (name == null ? String.valueOf(stage.index()) : name) + " ";
    String text = what.indexOf('\n') < 0 ? what : what.substring(0, what.indexOf('\n')) + " …";
    session
        .progress()
        .note("[" + prefix + number + "/" + total + "] " + text + (cached ? " (cached)" : ""));
  }

  /** For an instruction of which the text says all, as one with one word or with JSON does. */
  void metadata(String text) throws IOException {
    metadata(text, List.of());
  }

  /**
   * Adds an instruction that changes the configuration only.
   *
   * @param words what the instruction says, one by one: joined in the text, two different lists may
   *     look the same
   */
  void metadata(String text, List<String> words) throws IOException {
    String key = key(text, CacheKey.of(words));
    Optional<StepCache.Step> known =
        session.request().cache() ? session.cache().step(key) : Optional.empty();
    announce(text, known.isPresent());
    StepCache.Step step = known.orElseGet(() -> new StepCache.Step(session.now(), null));
    if (known.isEmpty()) {
      session.cache().putStep(key, step);
    }
    record(key, text, step);
  }

  private String key(String text, String inputs) {
    return CacheKey.of(KEY_VERSION, state, text, inputs);
  }

  /** Adds a finished step to the image. */
  private void record(String key, String text, StepCache.Step step) throws IOException {
    String when = session.request().sourceDateEpoch() == null ? step.created() : session.now();
    created = when;
    String snapshot = step.snapshot();
    image.addHistory(new ImageConfig.History(when, text, "slipway", snapshot == null));
    if (snapshot == null) {
      state = key;
      return;
    }
    state = CacheKey.of(key, snapshot);
    LayerRef layer =
        new LayerRef(
            snapshot,
            session.snapshots().has(snapshot)
                ? null
                : session.exporter().known(snapshot).orElse(null));
    layers.add(layer);
    if (inImage) {
      session.exporter().begin(layer, at + ": what this step made");
    }
  }

  /**
   * Adds an instruction that changes files: takes the step from the cache, or carries it out.
   *
   * @param text for the history, and part of the key
   * @param inputs what else decides the outcome
   */
  void step(Position where, String text, String inputs, StepExecutor.Action action)
      throws Exception {
    String key = key(text, inputs);
    Optional<StepCache.Step> known = usable(key);
    if (known.isPresent()) {
      announce(text, true);
      record(key, text, known.get());
      return;
    }
    try (AutoCloseable slot = session.slot();
        Flock lock = session.snapshots().lock(Snapshots.Locks.STEP, key)) {
      known = usable(key); // Another build may just have done it.
      announce(text, known.isPresent());
      StepCache.Step step =
          known.isPresent() ? known.get() : new StepCache.Step(session.now(), execute(action));
      if (known.isEmpty()) {
        session.cache().putStep(key, step);
      }
      record(key, text, step);
    } catch (IOException e) {
      String what = FullDisk.tell(session.root(), e);
      throw new Problem(Problem.Kind.ENVIRONMENT, where + ": " + what, e);
    }
  }

  private Optional<StepCache.Step> usable(String key) throws IOException {
    if (!session.request().cache()) {
      return Optional.empty();
    }
    Optional<StepCache.Step> known = session.cache().step(key);
    String snapshot = known.map(StepCache.Step::snapshot).orElse(null);
    boolean there =
        snapshot == null
            || session.snapshots().has(snapshot)
            || session.exporter().known(snapshot).isPresent();
    return there ? known : Optional.empty();
  }

  /** Carries out an action; gives the snapshot of its changes, or null when there are none. */
  private @Nullable String execute(StepExecutor.Action action) throws Exception {
    session.steps().begin();
    List<Path> lowers = session.unpacked(layers);
    Path scratch = session.workspace().newDirectory("step");
    try {
      Path upper = Files.createDirectory(scratch.resolve("upper"));
      if (lowers.isEmpty()) {
        Posix.chmod(OsPath.of(upper), 0755);
      } else {
        StubLayer.copyMetadata(OsPath.of(lowers.getLast()), OsPath.of(upper));
      }
      Stat before = Posix.lstat(OsPath.of(upper));
      session.steps().apply(action, lowers, upper, scratch);
      if (!changed(upper, before)) {
        return null;
      }
      String name = session.newName();
      session.snapshots().adopt(upper, name, session.workspace().newDirectory("adopt"));
      return name;
    } finally {
      session.workspace().discard(scratch);
    }
  }

  private static boolean changed(Path upper, Stat before) throws IOException {
    Stat after = Posix.lstat(OsPath.of(upper));
    return !Posix.list(OsPath.of(upper)).isEmpty()
        || after.mode() != before.mode()
        || after.uid() != before.uid()
        || after.gid() != before.gid();
  }
}
