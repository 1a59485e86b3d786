package slipway.builder.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import slipway.base.FullDisk;
import slipway.base.Limit;
import slipway.base.Position;
import slipway.base.Problem;
import slipway.builder.language.Containerfile;
import slipway.builder.language.Containerfile.Stage;
import slipway.builder.language.Expander;
import slipway.builder.language.HealthcheckJson;
import slipway.builder.language.Instruction;
import slipway.builder.language.JsonArray;
import slipway.builder.language.Ports;
import slipway.builder.language.RunMount;
import slipway.container.OverlayMount;
import slipway.container.StubLayer;
import slipway.linux.lock.Flock;
import slipway.linux.posix.InRoot;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Platform;
import slipway.system.accounts.ImageAccounts;

/**
 * Carries out one stage, in a thread of its own. Each instruction becomes a key: a digest of the
 * state before it, its text with variables replaced, and what it reads. A key that an earlier build
 * has seen is not carried out again.
 */
public final class StageBuild {
  private static final String KEY_VERSION = "slipway-step-2";
  private final BuildSession session;
  private final Stage stage;
  private final Platform platform;
  private final boolean inImage;
  private final Map<String, String> arguments = new LinkedHashMap<>();
  private final List<LayerRef> layers = new ArrayList<>();
  private final StageNetwork network;
  private ImageDraft image;
  private String state;
  private @Nullable String created;
  private StageResult.@Nullable Base base;
  private final ForeignVariables foreign = new ForeignVariables();
  private boolean cmdSet;

  /** Whether the instruction is one of a base image from elsewhere. */
  private boolean inTrigger;

  /** Of the instruction that is carried out. */
  private Position at;

  private int number = 1;

  StageBuild(BuildSession session, Stage stage) {
    this.session = session;
    this.stage = stage;
    this.platform = session.graph.platform(stage);
    this.inImage = session.graph.inImage().contains(stage.index());
    this.image = ImageDraft.scratch(platform);
    this.state = CacheKey.of("scratch", platform.toString());
    this.network = new StageNetwork(session);
    this.at = stage.from().at();
  }

  /**
   * Builds the stage.
   *
   * @throws Problem when an instruction fails, with its place
   */
  StageResult run() throws Exception {
    try (network) {
      carryOutAll();
    }
    session.putVariables(stage.index(), arguments, foreign.values());
    return new StageResult(state, image.toConfig(created, List.of()), layers, created, base);
  }

  private void carryOutAll() throws Exception {
    begin();
    List<String> triggers = List.copyOf(image.onBuild);
    image.onBuild.clear();
    // Those of a stage stand in this Containerfile, which is obeyed.
    inTrigger = session.graph.baseStage(stage).isEmpty();
    Triggers rules = new Triggers(session.request, session.graph, stage);
    for (String trigger : triggers) {
      Instruction instruction = Containerfile.parseTrigger(trigger, stage.from().at());
      if (inTrigger) {
        rules.check(instruction, expander());
      }
      carryOut(instruction);
    }
    inTrigger = false;
    for (Instruction instruction : stage.instructions()) {
      number++;
      carryOut(instruction);
    }
  }

  private void begin() throws Exception {
    String name = session.graph.base(stage);
    announce("FROM " + name, false);
    Optional<Stage> earlier = session.graph.baseStage(stage);
    StageResult from;
    if (earlier.isPresent()) {
      from = session.await(earlier.get().index());
      arguments.putAll(session.arguments(earlier.get().index()));
      foreign.addStage(session.foreign(earlier.get().index()));
    } else if (name.equals("scratch")) {
      return;
    } else {
      from = session.image(name, platform, stage.from().at());
    }
    image = draft(from);
    if (earlier.isEmpty()) {
      foreign.addImage(image.env().keySet());
    }
    layers.addAll(from.layers());
    state = from.state();
    created = from.created();
    base = from.base();
  }

  private ImageDraft draft(StageResult from) {
    try {
      return ImageDraft.of(from.config());
    } catch (Problem e) {
      throw new Problem(e.kind(), at + ": " + e.getMessage(), e);
    }
  }

  private void announce(String what, boolean cached) {
    String name = stage.name();
    int total = stage.instructions().size() + 1;
    String prefix =
        session.graph.needed().size() == 1
            ? ""
            : (name == null ? String.valueOf(stage.index()) : name) + " ";
    String text = what.indexOf('\n') < 0 ? what : what.substring(0, what.indexOf('\n')) + " …";
    session.progress.note(
        "[" + prefix + number + "/" + total + "] " + text + (cached ? " (cached)" : ""));
  }

  /** Carries an instruction out; problems that do not say where they are learn it here. */
  private void carryOut(Instruction instruction) throws Exception {
    at = instruction.at();
    Limit.INSTRUCTIONS.check(session.instructions.incrementAndGet(), at.toString());
    try {
      dispatch(instruction);
    } catch (Problem e) {
      String message = String.valueOf(e.getMessage());
      if (message.startsWith(instruction.at().toString())) {
        throw e;
      }
      throw new Problem(e.kind(), instruction.at() + ": " + message, e);
    }
  }

  private void dispatch(Instruction instruction) throws Exception {
    switch (instruction) {
      case Instruction.From f -> throw new AssertionError("FROM begins a stage");
      case Instruction.Arg a -> arg(a);
      case Instruction.Env e -> env(e);
      case Instruction.Label l -> label(l);
      case Instruction.Run r -> run(r);
      case Instruction.Copy c -> copy(c);
      case Instruction.Workdir w -> workdir(w);
      case Instruction.User u -> user(u);
      case Instruction.Expose e -> expose(e);
      case Instruction.Volume v -> volume(v);
      case Instruction.Cmd c -> {
        image.cmd = c.command().argv(c.command().words().isEmpty() ? List.of() : image.shell());
        cmdSet = true;
        metadata("CMD " + json(image.cmd));
      }
      case Instruction.Entrypoint e -> entrypoint(e);
      case Instruction.Shell s -> {
        image.shell(s.words());
        metadata("SHELL " + json(s.words()));
      }
      case Instruction.StopSignal s -> {
        image.stopSignal = word(s.signal(), s.at());
        metadata("STOPSIGNAL " + image.stopSignal);
      }
      case Instruction.Healthcheck h -> {
        image.healthcheck = HealthcheckJson.of(h, image.shell());
        metadata("HEALTHCHECK " + image.healthcheck);
      }
      case Instruction.OnBuild o -> {
        image.onBuild.add(o.trigger());
        metadata("ONBUILD " + o.trigger());
      }
      case Instruction.Maintainer m -> {
        image.author(m.name());
        metadata("MAINTAINER " + m.name());
      }
    }
  }

  // ---- variables

  private Expander expander() {
    return new Expander(session.file.escape(), this::variable);
  }

  private @Nullable String variable(String name) {
    String value = image.env(name);
    return value != null ? value : arguments.get(name);
  }

  private String word(String text, Position at) {
    return word(expander(), text, at);
  }

  /** As {@link #expander()}, with what the variables would be had base images set others. */
  private Expander otherwise() {
    return new Expander(session.file.escape(), foreign.otherwise(this::variable));
  }

  /**
   * What a text would become had base images set other variables.
   *
   * @param expander that it was expanded by
   * @return null when they have no part in it
   */
  private @Nullable String otherwise(Expander expander, String text, Position at) {
    if (inTrigger) {
      return ForeignVariables.ofTrigger();
    }
    return foreign.wereUsedBy(expander) ? otherwise().word(text, at) : null;
  }

  private String word(Expander expander, String text, Position at) {
    String word = expander.word(text, at);
    expander
        .unset()
        .forEach(n -> session.progress.note(at + ": the variable " + n + " is not set"));
    return word;
  }

  private void arg(Instruction.Arg instruction) throws IOException {
    StringBuilder text = new StringBuilder("ARG");
    List<String> words = new ArrayList<>();
    for (Instruction.Assignment a : instruction.arguments()) {
      String name = word(a.name(), instruction.at());
      session.declared.add(name);
      String value = session.request.arguments().get(name);
      String other = null;
      String preset = a.value();
      if (value == null && preset != null) {
        Expander expander = expander();
        value = word(expander, preset, instruction.at());
        other = otherwise(expander, preset, instruction.at());
      } else if (value == null) {
        value = session.graph.globals().get(name);
      }
      text.append(' ').append(name);
      words.add(name);
      words.add(value == null ? "unset" : "=" + value);
      if (value != null) {
        assigned(value, instruction.at());
        arguments.put(name, value);
        if (other != null || image.env(name) == null) { // A variable of the image hides the rest.
          foreign.assigned(name, other);
        }
        text.append('=').append(value);
      }
    }
    metadata(text.toString(), words);
  }

  private void env(Instruction.Env instruction) throws IOException {
    Map<String, @Nullable String> others = new LinkedHashMap<>();
    Map<String, String> fresh = assignments(instruction.variables(), instruction.at(), others);
    fresh.forEach(image::setEnv);
    others.forEach(foreign::assigned);
    metadata("ENV" + joined(fresh), words(fresh));
  }

  private void label(Instruction.Label instruction) throws IOException {
    Map<String, String> fresh =
        assignments(instruction.labels(), instruction.at(), new HashMap<>());
    image.labels.putAll(fresh);
    metadata("LABEL" + joined(fresh), words(fresh));
  }

  /**
   * All values see the variables as they were before the instruction.
   *
   * @param others takes what {@link ForeignVariables#assigned} wants to know
   */
  private Map<String, String> assignments(
      List<Instruction.Assignment> list, Position at, Map<String, @Nullable String> others) {
    Map<String, String> fresh = new LinkedHashMap<>();
    for (Instruction.Assignment a : list) {
      Expander expander = expander();
      String text = String.valueOf(a.value());
      String value = word(expander, text, at);
      assigned(value, at);
      String name = word(a.name(), at);
      fresh.put(name, value);
      others.put(name, otherwise(expander, text, at));
    }
    return fresh;
  }

  /** Counts all values, also those that others replace: each is in the history. */
  private void assigned(String value, Position at) {
    Limit.VARIABLE_CHARACTERS.check(
        session.valueCharacters.addAndGet(value.length()), at.toString());
  }

  private static String joined(Map<String, String> map) {
    StringBuilder text = new StringBuilder();
    map.forEach((name, value) -> text.append(' ').append(name).append('=').append(value));
    return text.toString();
  }

  private static List<String> words(Map<String, String> map) {
    List<String> words = new ArrayList<>();
    map.forEach((name, value) -> words.addAll(List.of(name, value)));
    return words;
  }

  private static String json(@Nullable List<String> words) {
    return words == null ? "null" : JsonArray.write(words);
  }

  // ---- instructions that change the configuration only

  private void entrypoint(Instruction.Entrypoint e) throws IOException {
    List<String> argv = e.command().argv(e.command().words().isEmpty() ? List.of() : image.shell());
    image.entrypoint = argv.isEmpty() ? null : argv;
    if (!cmdSet) {
      image.cmd = null; // The base's arguments were meant for the base's program.
    }
    metadata("ENTRYPOINT " + json(argv));
  }

  private void user(Instruction.User u) throws IOException {
    image.user = word(u.user(), u.at());
    metadata("USER " + image.user);
  }

  private void expose(Instruction.Expose e) throws IOException {
    List<String> ports = new ArrayList<>();
    for (String port : e.ports()) {
      expander().words(port, e.at()).forEach(p -> ports.addAll(Ports.parse(p, e.at())));
    }
    image.exposedPorts.addAll(ports);
    metadata("EXPOSE " + String.join(" ", ports), ports);
  }

  private void volume(Instruction.Volume v) throws IOException {
    List<String> paths = new ArrayList<>();
    for (String path : v.paths()) {
      paths.add(word(path, v.at()));
    }
    image.volumes.addAll(paths);
    metadata("VOLUME " + json(paths));
  }

  /** For an instruction of which the text says all, as one with one word or with JSON does. */
  private void metadata(String text) throws IOException {
    metadata(text, List.of());
  }

  /**
   * @param words what the instruction says, one by one: joined in the text, two different lists may
   *     look the same
   */
  private void metadata(String text, List<String> words) throws IOException {
    String key = key(text, CacheKey.of(words));
    Optional<StepCache.Step> known =
        session.request.cache() ? session.cache.step(key) : Optional.empty();
    announce(text, known.isPresent());
    StepCache.Step step = known.orElseGet(() -> new StepCache.Step(session.now(), null));
    if (known.isEmpty()) {
      session.cache.putStep(key, step);
    }
    record(key, text, step);
  }

  private String key(String text, String inputs) {
    return CacheKey.of(KEY_VERSION, state, text, inputs);
  }

  /** Adds a finished step to the image. */
  private void record(String key, String text, StepCache.Step step) throws IOException {
    String when = session.request.sourceDateEpoch() == null ? step.created() : session.now();
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
            session.snapshots.has(snapshot) ? null : session.exporter.known(snapshot).orElse(null));
    layers.add(layer);
    if (inImage) {
      session.exporter.begin(layer, at + ": what this step made");
    }
  }

  // ---- instructions that change files

  /**
   * Takes a step from the cache, or carries it out.
   *
   * @param text for the history, and part of the key
   * @param inputs what else decides the outcome
   */
  private void step(Position at, String text, String inputs, StepExecutor.Action action) throws Exception {
    String key = key(text, inputs);
    Optional<StepCache.Step> known = usable(key);
    if (known.isPresent()) {
      announce(text, true);
      record(key, text, known.get());
      return;
    }
    try (AutoCloseable slot = session.slot();
        Flock lock = session.snapshots.lock(Snapshots.Locks.STEP, key)) {
      known = usable(key); // Another build may just have done it.
      announce(text, known.isPresent());
      StepCache.Step step =
          known.isPresent() ? known.get() : new StepCache.Step(session.now(), execute(action));
      if (known.isEmpty()) {
        session.cache.putStep(key, step);
      }
      record(key, text, step);
    } catch (IOException e) {
      String what = FullDisk.tell(session.root, e);
      throw new Problem(Problem.Kind.ENVIRONMENT, at + ": " + what, e);
    }
  }

  private Optional<StepCache.Step> usable(String key) throws IOException {
    if (!session.request.cache()) {
      return Optional.empty();
    }
    Optional<StepCache.Step> known = session.cache.step(key);
    String snapshot = known.map(StepCache.Step::snapshot).orElse(null);
    boolean there =
        snapshot == null
            || session.snapshots.has(snapshot)
            || session.exporter.known(snapshot).isPresent();
    return there ? known : Optional.empty();
  }

  /** Carries out an action; gives the snapshot of its changes, or null when there are none. */
  private @Nullable String execute(StepExecutor.Action action) throws Exception {
    session.steps.begin();
    List<Path> lowers = session.unpacked(layers);
    Path scratch = session.workspace.newDirectory("step");
    try {
      Path upper = Files.createDirectory(scratch.resolve("upper"));
      if (lowers.isEmpty()) {
        Posix.chmod(OsPath.of(upper), 0755);
      } else {
        StubLayer.copyMetadata(OsPath.of(lowers.getLast()), OsPath.of(upper));
      }
      Stat before = Posix.lstat(OsPath.of(upper));
      session.steps.apply(action, lowers, upper, scratch);
      if (!changed(upper, before)) {
        return null;
      }
      String name = session.newName();
      session.snapshots.adopt(upper, name, session.workspace.newDirectory("adopt"));
      return name;
    } finally {
      session.workspace.discard(scratch);
    }
  }

  private static boolean changed(Path upper, Stat before) throws IOException {
    Stat after = Posix.lstat(OsPath.of(upper));
    return !Posix.list(OsPath.of(upper)).isEmpty()
        || after.mode() != before.mode()
        || after.uid() != before.uid()
        || after.gid() != before.gid();
  }

  private void workdir(Instruction.Workdir w) throws Exception {
    String path = word(w.path(), w.at());
    String absolute = path.startsWith("/") ? path : image.directory() + "/" + path;
    String clean = "/" + InRoot.clean(absolute);
    image.workingDir = clean;
    step(
        w.at(),
        "WORKDIR " + clean,
        String.valueOf(image.user),
        (lowers, upper, scratch) -> {
          try (OverlayMount tree = OverlayMount.writable(lowers, upper, scratch)) {
            ImageAccounts.Identity who = ImageAccounts.of(tree.root()).identity(image.user, w.at());
            InRoot.mkdirs(
                tree.root(),
                OsPath.of(InRoot.clean(clean)),
                new InRoot.Ownership(who.uid(), who.gid()));
          }
        });
  }

  private void copy(Instruction.Copy c) throws Exception {
    if (!session.request.allowOnBuild()) {
      requireOwnSources(c);
    }
    try (CopyStep step = new CopyStep(session, stage, c, expander(), image.directory())) {
      step(c.at(), step.text(), step.inputs(), step::apply);
    }
  }

  private void requireOwnSources(Instruction.Copy c) {
    if (c.from() != null) {
      String from = expander().word(c.from(), c.at());
      requireOwnImage(from, otherwise().word(c.from(), c.at()), c.at());
    }
    for (String source : c.add() ? c.sources() : List.<String>of()) {
      String address = expander().word(source, c.at());
      if (CopyStep.isDownload(address)) {
        ForeignVariables.checkDownload(address, otherwise().word(source, c.at()), c.at());
      }
    }
  }

  /** Stages and contexts are given by the build, so whoever names one may have it. */
  private void requireOwnImage(String from, String other, Position where) {
    if (!from.equals(other)
        && !session.request.contexts().containsKey(from)
        && session.graph.find(from, stage.index()).isEmpty()) {
      ForeignVariables.checkImage(from, other, where);
    }
  }

  private void run(Instruction.Run r) throws Exception {
    if (!session.request.allowOnBuild()) {
      r.mounts().forEach(mount -> requireOwnMount(mount, r.at()));
    }
    RunStep step = new RunStep(session, stage, r, expander(), surroundings(), network);
    step(r.at(), step.text(), step.inputs(), step::apply);
  }

  private void requireOwnMount(String text, Position where) {
    RunMount mount = RunMount.parse(text, where, expander().at(where));
    RunMount other =
        RunMount.parse(
            text,
            where,
            (key, value) -> (RunMount.isName(key) ? otherwise() : expander()).word(value, where));
    if (mount.from() != null) {
      requireOwnImage(mount.from(), String.valueOf(other.from()), where);
    }
    boolean given =
        switch (mount.type()) {
          case SECRET -> session.request.secrets().containsKey(mount.id());
          case SSH -> session.request.agents().containsKey(mount.id());
          case BIND, CACHE, TMPFS -> false;
        };
    if (given && !mount.id().equals(other.id())) {
      throw ForeignVariables.refused(
          mount.id(), "a secret or an agent that the build was given", where);
    }
  }

  /** What RUN sees; a variable of the image hides an argument. */
  private RunStep.Surroundings surroundings() {
    Map<String, String> visible = new LinkedHashMap<>(arguments);
    visible.keySet().removeIf(n -> image.env(n) != null);
    return new RunStep.Surroundings(
        image.directory(), image.shell(), image.user, image.env(), visible);
  }
}
