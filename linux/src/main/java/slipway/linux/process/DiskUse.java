package slipway.linux.process;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What one sort of things takes on the disk.
 *
 * @param count of files or directories
 * @param bytes on the disk
 */
public record DiskUse(int count, long bytes) {
  /**
   * What was removed.
   *
   * @param busy nothing, because a build is under way
   */
  public record Removed(int count, long bytes, boolean busy) {}

  /** The space that each takes, by du(1), which follows no path however deep the trees are. */
  public static List<Long> bytes(List<Path> paths) {
    List<Path> there = paths.stream().filter(Files::exists).toList();
    if (there.isEmpty()) {
      return paths.stream().map(p -> 0L).toList();
    }
    String input = String.join("\0", there.stream().map(Path::toString).toList()) + "\0";
    String text =
        Command.of("du", "--summarize", "--block-size=1", "--null", "--files0-from=-")
            .stdin(input.getBytes(StandardCharsets.UTF_8))
            .tryRun()
            .text();
    java.util.Map<String, Long> sizes = new java.util.HashMap<>();
    for (String line : text.split("\0")) {
      int tab = line.indexOf('\t');
      if (tab > 0) {
        sizes.put(line.substring(tab + 1), Long.parseLong(line.substring(0, tab)));
      }
    }
    return paths.stream().map(p -> sizes.getOrDefault(p.toString(), 0L)).toList();
  }
}
