package slipway.builder.engine;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import slipway.base.Position;
import slipway.builder.language.Expander;
import slipway.builder.language.Instruction;
import slipway.builder.session.BuildSession;

/**
 * The variables of a stage: the arguments in scope and those of the image, and which of them base
 * images chose.
 */
final class StageVariables {
  private final BuildSession session;
  private final Map<String, String> arguments = new LinkedHashMap<>();
  private final ForeignVariables foreign = new ForeignVariables();
  private ImageDraft image;
  private boolean inTrigger;

  /**
   * @param image that the stage begins with
   */
  StageVariables(BuildSession session, ImageDraft image) {
    this.session = session;
    this.image = image;
  }

  /** Goes on with the image and the variables at the end of another stage. */
  void inherit(ImageDraft draft, int stage) {
    image = draft;
    arguments.putAll(session.arguments(stage));
    foreign.addStage(session.foreign(stage));
  }

  /** Goes on with an image from elsewhere. */
  void inherit(ImageDraft draft) {
    image = draft;
    foreign.addImage(image.env().keySet());
  }

  /** Says whether the instructions that follow are those of a base image from elsewhere. */
  void inTrigger(boolean is) {
    inTrigger = is;
  }

  /** Gives the variables to the stages that are built on this one. */
  void publish(int stage) {
    session.putVariables(stage, arguments, foreign.values());
  }

  /** The arguments that RUN sees; a variable of the image hides one. */
  Map<String, String> visibleArguments() {
    Map<String, String> visible = new LinkedHashMap<>(arguments);
    visible.keySet().removeIf(n -> image.env(n) != null);
    return visible;
  }

  /** Replaces the variables in texts. */
  Expander expander() {
    return new Expander(session.file().escape(), this::value);
  }

  private @Nullable String value(String name) {
    String value = image.env(name);
    return value != null ? value : arguments.get(name);
  }

  /** As {@link #expander()}, with what the variables would be had base images set others. */
  Expander otherwise() {
    return new Expander(session.file().escape(), foreign.otherwise(this::value));
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

  /** A text with its variables replaced; tells of those that are not set. */
  String word(String text, Position at) {
    return word(expander(), text, at);
  }

  private String word(Expander expander, String text, Position at) {
    String word = expander.word(text, at);
    expander
        .unset()
        .forEach(n -> session.progress().note(at + ": the variable " + n + " is not set"));
    return word;
  }

  /**
   * Declares an argument, which gets its value from the request, else its own, else the one from
   * before the first FROM.
   *
   * @return the value, or null when it has none
   */
  @Nullable String declare(String name, @Nullable String preset, Position at) {
    session.declare(name);
    String value = session.request().arguments().get(name);
    String other = null;
    if (value == null && preset != null) {
      Expander expander = expander();
      value = word(expander, preset, at);
      other = otherwise(expander, preset, at);
    } else if (value == null) {
      value = session.graph().globals().get(name);
    }
    if (value != null) {
      session.countValue(value, at);
      arguments.put(name, value);
      if (other != null || image.env(name) == null) { // A variable of the image hides the rest.
        foreign.assigned(name, other);
      }
    }
    return value;
  }

  /** Sets variables of the image; gives those that were set, in their order. */
  Map<String, String> setEnv(List<Instruction.Assignment> list, Position at) {
    Map<String, @Nullable String> others = new LinkedHashMap<>();
    Map<String, String> fresh = assignments(list, at, others);
    fresh.forEach(image::setEnv);
    others.forEach(foreign::assigned);
    return fresh;
  }

  /** Names and values with variables replaced, in their order. */
  Map<String, String> assignments(List<Instruction.Assignment> list, Position at) {
    return assignments(list, at, new LinkedHashMap<>());
  }

  /**
   * All values see the variables as they were before the instruction. Each is counted, also one
   * that another replaces: it is in the history.
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
      session.countValue(value, at);
      String name = word(a.name(), at);
      fresh.put(name, value);
      others.put(name, otherwise(expander, text, at));
    }
    return fresh;
  }
}
