package slipway.builder.language;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import slipway.base.Position;

/**
 * One instruction of a Containerfile, parsed but with variables not yet replaced (Dockerfile
 * reference, docs.docker.com/reference/dockerfile; Containerfile(5)).
 */
public sealed interface Instruction {
  /** What was written, and where. */
  Line line();

  default Position at() {
    return line().at();
  }

  /** The instruction's keyword in capitals. */
  default String keyword() {
    return this instanceof Copy c && c.add()
        ? "ADD"
        : getClass().getSimpleName().toUpperCase(java.util.Locale.ROOT);
  }

  /**
   * @param image a name, an earlier stage, or {@code scratch}
   * @param name of the stage, in lower case, or null
   */
  record From(Line line, String image, @Nullable String name, @Nullable String platform)
      implements Instruction {}

  /** A name and its value; null for an ARG without a default. */
  record Assignment(String name, @Nullable String value) {}

  record Arg(Line line, List<Assignment> arguments) implements Instruction {}

  record Env(Line line, List<Assignment> variables) implements Instruction {}

  record Label(Line line, List<Assignment> labels) implements Instruction {}

  /**
   * What RUN, CMD and ENTRYPOINT start.
   *
   * @param exec whether {@code words} is an argument list; else it is one string for the shell
   */
  record CommandLine(boolean exec, List<String> words) {
    public CommandLine {
      words = List.copyOf(words);
    }

    /** The argument list, with the shell in front when one is needed. */
    public List<String> argv(List<String> shell) {
      if (exec) {
        return words;
      }
      List<String> all = new java.util.ArrayList<>(shell);
      all.addAll(words);
      return all;
    }
  }

  /**
   * @param mounts the values of {@code --mount}
   * @param network default, none or host
   * @param security sandbox or insecure
   */
  record Run(Line line, CommandLine command, List<String> mounts, String network, String security)
      implements Instruction {}

  /**
   * COPY, and ADD with {@code add}.
   *
   * @param sources paths, patterns, or for ADD addresses
   * @param inline documents that stand among the sources
   * @param from a stage, its number, an image, or null for the context
   * @param flags of the rest
   */
  record Copy(
      Line line,
      boolean add,
      List<String> sources,
      List<Heredoc> inline,
      String destination,
      @Nullable String from,
      CopyFlags flags)
      implements Instruction {}

  /**
   * @param parents keep the directories of the source's path
   * @param link accepted: layers are independent of it here
   * @param checksum of what ADD downloads, or null
   * @param unpack whether ADD extracts archives; null when not said: local ones only
   */
  record CopyFlags(
      @Nullable String chown,
      @Nullable String chmod,
      List<String> excludes,
      boolean parents,
      boolean link,
      @Nullable String checksum,
      boolean keepGitDirectory,
      @Nullable Boolean unpack) {}

  record Workdir(Line line, String path) implements Instruction {}

  record User(Line line, String user) implements Instruction {}

  record Expose(Line line, List<String> ports) implements Instruction {}

  record Volume(Line line, List<String> paths) implements Instruction {}

  record Cmd(Line line, CommandLine command) implements Instruction {}

  record Entrypoint(Line line, CommandLine command) implements Instruction {}

  record Shell(Line line, List<String> words) implements Instruction {}

  record StopSignal(Line line, String signal) implements Instruction {}

  /**
   * @param command null for {@code HEALTHCHECK NONE}
   * @param nanoseconds interval, timeout, start period and start interval under the names of the
   *     image config
   * @param retries 0 when not said
   */
  record Healthcheck(
      Line line, @Nullable CommandLine command, Map<String, Long> nanoseconds, int retries)
      implements Instruction {}

  /**
   * @param trigger the instruction to run in a build that starts from this image
   */
  record OnBuild(Line line, String trigger) implements Instruction {}

  record Maintainer(Line line, String name) implements Instruction {}
}
