package slipway.builder.session;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import slipway.base.Limit;
import slipway.base.Position;
import slipway.base.Problem;
import slipway.base.Spelling;
import slipway.builder.language.Containerfile;
import slipway.builder.language.Containerfile.Stage;
import slipway.builder.language.Expander;
import slipway.builder.language.Instruction;
import slipway.builder.language.RunMount;
import slipway.oci.model.Platform;

/** Which stages a build needs, and what the names in FROM and --from stand for. */
public final class StageGraph {
  private final Containerfile file;
  private final BuildRequest request;
  private final Map<String, String> globals = new LinkedHashMap<>();
  private final Map<Integer, StaticScope> scopes = new HashMap<>();
  private @Nullable Set<Integer> needed;
  private long characters;

  public StageGraph(Containerfile file, BuildRequest request) {
    this.file = file;
    this.request = request;
    platforms(request.platform());
    for (Instruction.Arg arg : file.globals()) {
      for (Instruction.Assignment a : arg.arguments()) {
        Expander expander = new Expander(file.escape(), globals::get);
        String name = expander.word(a.name(), arg.at());
        String given = request.arguments().get(name);
        if (given != null) {
          globals.put(name, given);
        } else if (a.value() != null) {
          String value = expander.word(a.value(), arg.at());
          globals.put(name, held(value, arg.at()));
        }
      }
    }
  }

  /** Counts a text that is kept until the build ends: a few characters of a file make long ones. */
  private String held(String text, Position at) {
    characters += text.length();
    Limit.VARIABLE_CHARACTERS.check(characters, at.toString());
    return text;
  }

  /** The arguments that are there without being given (Dockerfile reference, "ARG"). */
  private void platforms(Platform target) {
    Platform host = Platform.host();
    globals.put("TARGETPLATFORM", target.toString());
    globals.put("TARGETOS", target.os());
    globals.put("TARGETARCH", target.architecture());
    globals.put("TARGETVARIANT", target.variant() == null ? "" : target.variant());
    globals.put("BUILDPLATFORM", host.toString());
    globals.put("BUILDOS", host.os());
    globals.put("BUILDARCH", host.architecture());
    globals.put("BUILDVARIANT", host.variant() == null ? "" : host.variant());
    globals.put("TARGETSTAGE", request.target() == null ? "default" : request.target());
    globals.replaceAll((name, value) -> request.arguments().getOrDefault(name, value));
  }

  /** Arguments from before the first FROM, and those of the platform. */
  public Map<String, String> globals() {
    return globals;
  }

  /** The image or stage of a FROM, with variables replaced. */
  public String base(Stage stage) {
    String image =
        new Expander(file.escape(), globals::get).word(stage.from().image(), stage.from().at());
    if (image.isBlank()) {
      throw stage
          .from()
          .at()
          .problem(
              "FROM "
                  + stage.from().image()
                  + " is empty after its variables are replaced; declare them with ARG before the"
                  + " first FROM, or give --build-arg");
    }
    return image;
  }

  /** The platform of a FROM. */
  public Platform platform(Stage stage) {
    String text = stage.from().platform();
    if (text == null) {
      return request.platform();
    }
    return Platform.parse(new Expander(file.escape(), globals::get).word(text, stage.from().at()));
  }

  /** The stage to build. */
  public Stage target() {
    String name = request.target();
    if (name == null) {
      return file.stages().getLast();
    }
    return find(name, file.stages().size())
        .orElseThrow(
            () ->
                Problem.input(
                    "there is no stage \""
                        + name
                        + "\" in "
                        + request.file()
                        + Spelling.hint(name, names(), "")));
  }

  private List<String> names() {
    return file.stages().stream().map(Stage::name).filter(java.util.Objects::nonNull).toList();
  }

  /**
   * An earlier stage by its name or number.
   *
   * @param before the number of the stage that refers to it
   */
  public Optional<Stage> find(String name, int before) {
    for (int i = before - 1; i >= 0; i--) {
      if (name.toLowerCase(Locale.ROOT).equals(file.stages().get(i).name())) {
        return Optional.of(file.stages().get(i));
      }
    }
    if (name.matches("[0-9]{1,4}") && Integer.parseInt(name) < before) {
      return Optional.of(file.stages().get(Integer.parseInt(name)));
    }
    return Optional.empty();
  }

  /** The base of a stage when that is another stage. */
  public Optional<Stage> baseStage(Stage stage) {
    return find(base(stage), stage.index());
  }

  /**
   * The numbers of the stages that the target needs, itself too, as far as the Containerfile alone
   * tells: variables and triggers of a base image may name more.
   */
  public synchronized Set<Integer> needed() {
    if (needed == null) {
      needed = findNeeded();
    }
    return needed;
  }

  private Set<Integer> findNeeded() {
    TreeSet<Integer> needed = new TreeSet<>();
    Deque<Stage> open = new ArrayDeque<>();
    open.add(target());
    while (!open.isEmpty()) {
      Stage stage = open.removeFirst();
      if (!needed.add(stage.index())) {
        continue;
      }
      baseStage(stage).ifPresent(open::add);
      scope(stage).froms.forEach(name -> find(name, stage.index()).ifPresent(open::add));
    }
    return needed;
  }

  /** The numbers of the stages whose layers end in the image. */
  public Set<Integer> inImage() {
    TreeSet<Integer> stages = new TreeSet<>();
    for (Optional<Stage> s = Optional.of(target()); s.isPresent(); s = baseStage(s.get())) {
      stages.add(s.get().index());
    }
    return stages;
  }

  /** The variables at the end of a stage, begun with those of the stage that it is built on. */
  private StaticScope scope(Stage stage) {
    List<Stage> chain = new ArrayList<>();
    Optional<Stage> next = Optional.of(stage);
    while (next.isPresent() && !scopes.containsKey(next.get().index())) {
      chain.add(next.get());
      next = baseStage(next.get());
    }
    StaticScope scope = next.map(s -> scopes.get(s.index())).orElse(null);
    for (Stage s : chain.reversed()) {
      scope = new StaticScope(scope == null ? Map.of() : scope.values);
      s.instructions().forEach(scope::add);
      scopes.put(s.index(), scope);
    }
    return java.util.Objects.requireNonNull(scope);
  }

  /** What variables are before a stage runs: without those that a base image brings. */
  private final class StaticScope {
    private final Map<String, String> values;
    private final Expander expander;

    /** The stages and images that are named. */
    private final List<String> froms = new ArrayList<>();

    StaticScope(Map<String, String> inherited) {
      this.values = new HashMap<>(inherited);
      this.expander = new Expander(file.escape(), values::get);
    }

    /** What cannot be told without the base image is left for when the stage runs. */
    void add(Instruction instruction) {
      try {
        evaluate(instruction);
      } catch (Problem e) {
        if (characters > Limit.VARIABLE_CHARACTERS.value()) {
          throw e;
        }
        return; // The stage itself tells it, if it is wrong there too.
      }
    }

    private void evaluate(Instruction instruction) {
      switch (instruction) {
        case Instruction.Arg arg -> arg.arguments().forEach(a -> declare(a, arg.at()));
        case Instruction.Env env -> {
          Map<String, String> fresh = new HashMap<>();
          for (Instruction.Assignment v : env.variables()) {
            fresh.put(
                expander.word(v.name(), env.at()),
                held(expander.word(String.valueOf(v.value()), env.at()), env.at()));
          }
          values.putAll(fresh);
        }
        case Instruction.Copy copy -> {
          if (copy.from() != null) {
            froms.add(held(expander.word(copy.from(), copy.at()), copy.at()));
          }
        }
        case Instruction.Run run ->
            run.mounts().stream()
                .map(m -> RunMount.parse(m, run.at(), expander.at(run.at())).from())
                .filter(java.util.Objects::nonNull)
                .forEach(from -> froms.add(held(from, run.at())));
        default -> {}
      }
    }

    private void declare(Instruction.Assignment a, Position at) {
      String name = expander.word(a.name(), at);
      @Nullable String given = request.arguments().get(name);
      String value =
          given != null
              ? given
              : a.value() != null ? expander.word(a.value(), at) : globals.get(name);
      if (value != null) {
        values.put(name, held(value, at));
      }
    }
  }
}
