package slipway.iso;

import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import slipway.base.FullDisk;
import slipway.base.Problem;
import slipway.linux.process.Command;

/** A tool that writes a large file, for which there may be no room. */
final class WritingTool {
  /** As xorriso says it before it writes anything. */
  private static final String NO_ROOM = "exceeds free space on media";

  private WritingTool() {}

  /**
   * Runs it.
   *
   * @param file that it writes, whose own name may be one for the time being
   * @throws Problem of kind FULL when the file system of the file has no room
   */
  static void run(Command tool, Path file) {
    try {
      tool.run();
    } catch (Problem e) {
      String said = e.getMessage() + "\n" + e.details();
      throw isFull(said) ? full(file, e) : e;
    }
  }

  /** Whether what a tool said is that it has no room. */
  static boolean isFull(String said) {
    return FullDisk.isSaidIn(said) || said.contains(NO_ROOM);
  }

  /** What is told of it. */
  static Problem full(Path file, @Nullable Throwable cause) {
    return new Problem(
        Problem.Kind.FULL,
        FullDisk.sentence(Objects.requireNonNull(file.toAbsolutePath().getParent())),
        cause);
  }
}
