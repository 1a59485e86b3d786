package slipway.e2e;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import slipway.linux.process.Command;

/**
 * What a directory holds, as find, sha256sum and getfattr see it: by path the kind, permissions,
 * owner, link target, size and digest of content, and extended attributes. Times are left out.
 */
final class Listing {
  private final SortedMap<String, String> lines = new TreeMap<>();

  private Listing() {}

  /**
   * @param without paths below the directory that are left out with all that is in them
   */
  static SortedMap<String, String> of(Path directory, String... without) {
    Listing listing = new Listing();
    listing.metadata(directory, List.of(without));
    listing.digests(directory, List.of(without));
    listing.xattrs(directory);
    return listing.lines;
  }

  private static Command find(Path directory, List<String> without) {
    List<String> argv = new ArrayList<>(List.of("find", "."));
    for (String path : without) {
      argv.addAll(List.of("-path", "./" + path, "-prune", "-o"));
    }
    return Command.of(argv).directory(directory);
  }

  private void metadata(Path directory, List<String> without) {
    String text =
        find(directory, without)
            .with("-type", "f", "-printf", "%p\t%y %m %U:%G %s\n", "-o")
            .with("-printf", "%p\t%y %m %U:%G %l\n")
            .run()
            .text();
    text.lines()
        .forEach(
            line -> {
              int tab = line.indexOf('\t');
              lines.put(line.substring(0, tab), line.substring(tab + 1));
            });
  }

  private void digests(Path directory, List<String> without) {
    String text =
        find(directory, without)
            .with("-type", "f", "-exec", "sha256sum", "--zero", "{}", "+")
            .run()
            .text();
    // Where there is no file at all, the one line is empty.
    for (String line : text.isEmpty() ? new String[0] : text.split("\0")) {
      append(line.substring(66), line.substring(0, 64));
    }
  }

  private void xattrs(Path directory) {
    Command all =
        Command.of("getfattr", "-R", "-P", "-h", "-d", "-m", "-", "-e", "hex", ".")
            .directory(directory);
    for (String block : all.run().text().split("\n\n")) {
      List<String> found = block.lines().toList();
      if (!block.isBlank()) {
        String name = found.getFirst().substring("# file: ".length()).replace("\\134", "\\");
        String path = name.equals(".") ? "." : "./" + name;
        found.stream().skip(1).sorted().forEach(line -> append(path, line));
      }
    }
  }

  /** What was pruned has no line to append to. */
  private void append(String path, String more) {
    lines.computeIfPresent(path, (p, line) -> line + " " + more);
  }
}
