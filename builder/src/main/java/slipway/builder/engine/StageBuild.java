package slipway.builder.engine;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import slipway.base.Position;
import slipway.base.Problem;
import slipway.builder.copy.CopyStep;
import slipway.builder.language.Containerfile;
import slipway.builder.language.Containerfile.Stage;
import slipway.builder.language.HealthcheckJson;
import slipway.builder.language.Instruction;
import slipway.builder.language.JsonArray;
import slipway.builder.language.Ports;
import slipway.builder.run.RunStep;
import slipway.builder.run.StageNetwork;
import slipway.builder.session.BuildSession;
import slipway.builder.session.StageResult;
import slipway.container.OverlayMount;
import slipway.linux.posix.InRoot;
import slipway.linux.posix.OsPath;
import slipway.oci.model.Platform;
import slipway.system.accounts.ImageAccounts;

/**
 * Carries out one stage, in a thread of its own: what each instruction does to the image, and which
 * step it is.
 */
final class StageBuild {
  private final BuildSession session;
  private final Stage stage;
  private final Platform platform;
  private final StageNetwork network;
  private final StageVariables variables;
  private final StageSteps steps;
  private final OwnSources own;
  private ImageDraft image;
  private boolean cmdSet;

  StageBuild(BuildSession session, Stage stage) {
    this.session = session;
    this.stage = stage;
    this.platform = session.graph().platform(stage);
    this.image = ImageDraft.scratch(platform);
    this.network = new StageNetwork(session);
    this.variables = new StageVariables(session, image);
    this.steps = new StageSteps(session, stage, platform, image);
    this.own = new OwnSources(session, stage, variables);
  }

  /**
   * Builds the stage.
   *
   * @throws Problem when an instruction fails, with its place
   */
  StageResult run() throws Exception {
    try (network) {
      begin();
      triggers();
      for (Instruction instruction : stage.instructions()) {
        steps.next();
        carryOut(instruction);
      }
    }
    variables.publish(stage.index());
    return steps.result();
  }

  private void begin() throws Exception {
    String name = session.graph().base(stage);
    steps.announce("FROM " + name, false);
    Optional<Stage> earlier = session.graph().baseStage(stage);
    StageResult from;
    if (earlier.isPresent()) {
      from = session.await(earlier.get().index());
      image = draft(from);
      variables.inherit(image, earlier.get().index());
    } else if (name.equals("scratch")) {
      return;
    } else {
      from = session.image(name, platform, stage.from().at());
      image = draft(from);
      variables.inherit(image);
    }
    steps.inherit(from, image);
  }

  private ImageDraft draft(StageResult from) {
    try {
      return ImageDraft.of(from.config());
    } catch (Problem e) {
      throw new Problem(e.kind(), stage.from().at() + ": " + e.getMessage(), e);
    }
  }

  /** Carries out what the base image's ONBUILD asks for. */
  private void triggers() throws Exception {
    List<String> triggers = List.copyOf(image.onBuild);
    image.onBuild.clear();
    // Those of a stage stand in this Containerfile, which is obeyed.
    boolean fromElsewhere = session.graph().baseStage(stage).isEmpty();
    variables.inTrigger(fromElsewhere);
    Triggers rules = new Triggers(session.request(), session.graph(), stage);
    for (String trigger : triggers) {
      Instruction instruction = Containerfile.parseTrigger(trigger, stage.from().at());
      if (fromElsewhere) {
        rules.check(instruction, variables.expander());
      }
      carryOut(instruction);
    }
    variables.inTrigger(false);
  }

  /** Carries an instruction out; problems that do not say where they are learn it here. */
  private void carryOut(Instruction instruction) throws Exception {
    steps.at(instruction.at());
    session.countInstruction(instruction.at());
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
        steps.metadata("CMD " + json(image.cmd));
      }
      case Instruction.Entrypoint e -> entrypoint(e);
      case Instruction.Shell s -> {
        image.shell(s.words());
        steps.metadata("SHELL " + json(s.words()));
      }
      case Instruction.StopSignal s -> {
        image.stopSignal = word(s.signal(), s.at());
        steps.metadata("STOPSIGNAL " + image.stopSignal);
      }
      case Instruction.Healthcheck h -> {
        image.healthcheck = HealthcheckJson.of(h, image.shell());
        steps.metadata("HEALTHCHECK " + image.healthcheck);
      }
      case Instruction.OnBuild o -> {
        image.onBuild.add(o.trigger());
        steps.metadata("ONBUILD " + o.trigger());
      }
      case Instruction.Maintainer m -> {
        image.author(m.name());
        steps.metadata("MAINTAINER " + m.name());
      }
    }
  }

  // ---- instructions that change the configuration only

  private void arg(Instruction.Arg instruction) throws IOException {
    StringBuilder text = new StringBuilder("ARG");
    List<String> words = new ArrayList<>();
    for (Instruction.Assignment a : instruction.arguments()) {
      String name = word(a.name(), instruction.at());
      String value = variables.declare(name, a.value(), instruction.at());
      text.append(' ').append(name);
      words.add(name);
      words.add(value == null ? "unset" : "=" + value);
      if (value != null) {
        text.append('=').append(value);
      }
    }
    steps.metadata(text.toString(), words);
  }

  private void env(Instruction.Env instruction) throws IOException {
    Map<String, String> fresh = variables.setEnv(instruction.variables(), instruction.at());
    steps.metadata("ENV" + joined(fresh), words(fresh));
  }

  private void label(Instruction.Label instruction) throws IOException {
    Map<String, String> fresh = variables.assignments(instruction.labels(), instruction.at());
    image.labels.putAll(fresh);
    steps.metadata("LABEL" + joined(fresh), words(fresh));
  }

  private String word(String text, Position at) {
    return variables.word(text, at);
  }

  private void entrypoint(Instruction.Entrypoint e) throws IOException {
    List<String> argv = e.command().argv(e.command().words().isEmpty() ? List.of() : image.shell());
    image.entrypoint = argv.isEmpty() ? null : argv;
    if (!cmdSet) {
      image.cmd = null; // The base's arguments were meant for the base's program.
    }
    steps.metadata("ENTRYPOINT " + json(argv));
  }

  private void user(Instruction.User u) throws IOException {
    image.user = word(u.user(), u.at());
    steps.metadata("USER " + image.user);
  }

  private void expose(Instruction.Expose e) throws IOException {
    List<String> ports = new ArrayList<>();
    for (String port : e.ports()) {
      variables.expander().words(port, e.at()).forEach(p -> ports.addAll(Ports.parse(p, e.at())));
    }
    image.exposedPorts.addAll(ports);
    steps.metadata("EXPOSE " + String.join(" ", ports), ports);
  }

  private void volume(Instruction.Volume v) throws IOException {
    List<String> paths = new ArrayList<>();
    for (String path : v.paths()) {
      paths.add(word(path, v.at()));
    }
    image.volumes.addAll(paths);
    steps.metadata("VOLUME " + json(paths));
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

  // ---- instructions that change files

  private void workdir(Instruction.Workdir w) throws Exception {
    String path = word(w.path(), w.at());
    String absolute = path.startsWith("/") ? path : image.directory() + "/" + path;
    String clean = "/" + InRoot.clean(absolute);
    image.workingDir = clean;
    steps.step(
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
    own.require(c);
    try (CopyStep step = new CopyStep(session, stage, c, variables.expander(), image.directory())) {
      steps.step(c.at(), step.text(), step.inputs(), step::apply);
    }
  }

  private void run(Instruction.Run r) throws Exception {
    own.require(r);
    RunStep.Surroundings seen =
        new RunStep.Surroundings(
            image.directory(),
            image.shell(),
            image.user,
            image.env(),
            variables.visibleArguments());
    RunStep step = new RunStep(session, stage, r, variables.expander(), seen, network);
    steps.step(r.at(), step.text(), step.inputs(), step::apply);
  }
}
