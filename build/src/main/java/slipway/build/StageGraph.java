package slipway.build;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.build.Containerfile.Stage;
import slipway.oci.Platform;

/** Which stages a build needs, and what the names in FROM and --from stand for. */
final class StageGraph {
  private final Containerfile file;
  private final BuildRequest request;
  private final Map<String, String> globals = new LinkedHashMap<>();

  StageGraph(Containerfile file, BuildRequest request) {
    this.file = file;
    this.request = request;
    platforms(request.platform());
    long characters = 0;
    for (Instruction.Arg arg : file.globals()) {
      for (Instruction.Assignment a : arg.arguments()) {
        Expander expander = new Expander(file.escape(), globals::get);
        String name = expander.word(a.name(), arg.at());
        String given = request.arguments().get(name);
        if (given != null) {
          globals.put(name, given);
        } else if (a.value() != null) {
          String value = expander.word(a.value(), arg.at());
          characters += value.length();
          Limit.VARIABLE_CHARACTERS.check(characters, arg.at().toString());
          globals.put(name, value);
        }
      }
    }
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
  Map<String, String> globals() {
    return globals;
  }

  /** The image or stage of a FROM, with variables replaced. */
  String base(Stage stage) {
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
  Platform platform(Stage stage) {
    String text = stage.from().platform();
    if (text == null) {
      return request.platform();
    }
    return Platform.parse(new Expander(file.escape(), globals::get).word(text, stage.from().at()));
  }

  /** The stage to build. */
  Stage target() {
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

  private java.util.List<String> names() {
    return file.stages().stream().map(Stage::name).filter(java.util.Objects::nonNull).toList();
  }

  /**
   * An earlier stage by its name or number.
   *
   * @param before the number of the stage that refers to it
   */
  Optional<Stage> find(String name, int before) {
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
  Optional<Stage> baseStage(Stage stage) {
    return find(base(stage), stage.index());
  }

  /** The numbers of the stages that the target needs, itself too. */
  Set<Integer> needed() {
    TreeSet<Integer> needed = new TreeSet<>();
    Deque<Stage> open = new ArrayDeque<>();
    open.add(target());
    while (!open.isEmpty()) {
      Stage stage = open.removeFirst();
      if (!needed.add(stage.index())) {
        continue;
      }
      baseStage(stage).ifPresent(open::add);
      StaticScope scope = new StaticScope();
      for (Instruction instruction : stage.instructions()) {
        scope.froms(instruction).forEach(name -> find(name, stage.index()).ifPresent(open::add));
      }
    }
    return needed;
  }

  /** The numbers of the stages whose layers end in the image. */
  Set<Integer> inImage() {
    TreeSet<Integer> stages = new TreeSet<>();
    for (Optional<Stage> s = Optional.of(target()); s.isPresent(); s = baseStage(s.get())) {
      stages.add(s.get().index());
    }
    return stages;
  }

  /** What variables are before a stage runs: without those that a base image brings. */
  private final class StaticScope {
    private final Map<String, String> values = new HashMap<>();
    private final Expander expander = new Expander(file.escape(), values::get);

    java.util.List<String> froms(Instruction instruction) {
      return switch (instruction) {
        case Instruction.Arg arg -> {
          arg.arguments().forEach(a -> declare(a, arg.at()));
          yield java.util.List.of();
        }
        case Instruction.Env env -> {
          env.variables().forEach(v -> values.put(v.name(), String.valueOf(v.value())));
          yield java.util.List.of();
        }
        case Instruction.Copy copy ->
            copy.from() == null
                ? java.util.List.of()
                : java.util.List.of(expander.word(copy.from(), copy.at()));
        case Instruction.Run run ->
            run.mounts().stream()
                .map(m -> RunMount.parse(m, run.at(), expander.at(run.at())).from())
                .filter(java.util.Objects::nonNull)
                .toList();
        default -> java.util.List.of();
      };
    }

    private void declare(Instruction.Assignment a, Position at) {
      @Nullable String given = request.arguments().get(a.name());
      String value =
          given != null
              ? given
              : a.value() != null ? expander.word(a.value(), at) : globals.get(a.name());
      if (value != null) {
        values.put(a.name(), value);
      }
    }
  }
}
