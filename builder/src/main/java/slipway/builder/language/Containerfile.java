package slipway.builder.language;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import slipway.base.Limit;
import slipway.base.Position;

/**
 * A parsed Containerfile.
 *
 * @param globals the ARG instructions before the first FROM
 * @param escape the escape character
 */
public record Containerfile(List<Instruction.Arg> globals, List<Stage> stages, char escape) {
  /**
   * What one FROM begins.
   *
   * @param index counted from 0, as COPY --from counts
   */
  public record Stage(int index, Instruction.From from, List<Instruction> instructions) {
    public Stage {
      instructions = List.copyOf(instructions);
    }

    @Nullable
    public String name() {
      return from.name();
    }
  }

  public Containerfile {
    globals = List.copyOf(globals);
    stages = List.copyOf(stages);
  }

  /**
   * Parses.
   *
   * @param file its name for messages
   * @param warnings hears of what is accepted but odd, each line with its place
   * @throws slipway.base.Problem of kind INPUT that begins with {@code file:line:}
   */
  public static Containerfile parse(String file, String text, Consumer<String> warnings) {
    LineReader reader = new LineReader(file, text, 1, '\\', warnings);
    List<Line> lines = reader.read();
    InstructionParser parser = new InstructionParser(reader.escape(), warnings);
    List<Instruction.Arg> globals = new ArrayList<>();
    List<Stage> stages = new ArrayList<>();
    List<Instruction> current = new ArrayList<>();
    Instruction.From from = null;
    long count = 0;
    for (Line line : lines) {
      Limit.INSTRUCTIONS.check(++count, line.at().toString());
      Instruction instruction = parser.parse(line);
      if (instruction instanceof Instruction.From next) {
        if (from != null) {
          stages.add(new Stage(stages.size(), from, current));
        }
        Limit.STAGES.check(stages.size() + 1L, line.at().toString());
        current = new ArrayList<>();
        from = next;
      } else if (from != null) {
        current.add(instruction);
      } else if (instruction instanceof Instruction.Arg global) {
        globals.add(global);
      } else {
        throw line.at().problem(instruction.keyword() + " stands before the first FROM");
      }
    }
    if (from == null) {
      throw new Position(file, 1).problem("there is no FROM; begin with FROM IMAGE");
    }
    stages.add(new Stage(stages.size(), from, current));
    return new Containerfile(globals, stages, reader.escape());
  }

  /** Parses what an ONBUILD of a base image holds. */
  public static Instruction parseTrigger(String trigger, Position from) {
    LineReader reader = new LineReader(from.file(), trigger, from.line(), '\\', w -> {});
    List<Line> lines = reader.read();
    if (lines.size() != 1) {
      throw from.problem("the base image's ONBUILD \"" + trigger + "\" is not one instruction");
    }
    return new InstructionParser('\\', w -> {})
        .trigger(lines.getFirst(), "the base image's ONBUILD");
  }
}
