package slipway.linux.mount;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import slipway.base.RawText;
import slipway.linux.posix.OsPath;

/** The mounts that a process sees (proc_pid_mountinfo(5)). */
public final class MountTable {
  private MountTable() {}

  /**
   * A mount.
   *
   * @param point where it is
   * @param inside which folder of its file system is seen there, {@code /} for all of it
   * @param type of the file system, as in {@code ext4}
   * @param source what was mounted, such as a device's name
   * @param options of the file system itself, as the kernel writes them, with commas between
   */
  public record Entry(OsPath point, String inside, String type, String source, String options) {}

  /**
   * Where this process sees something mounted; a folder or file with two mounts over each other is
   * there twice.
   */
  public static List<OsPath> points() throws IOException {
    return points(entries());
  }

  /** As {@link #points()}, as another process sees it. */
  public static List<OsPath> points(long pid) throws IOException {
    return points(entries(Path.of("/proc").resolve(Long.toString(pid))));
  }

  private static List<OsPath> points(List<Entry> entries) {
    return entries.stream().map(Entry::point).toList();
  }

  /** What is mounted, in the order of the table: of two over each other the later one is seen. */
  public static List<Entry> entries() throws IOException {
    return entries(Path.of("/proc/self"));
  }

  private static List<Entry> entries(Path process) throws IOException {
    return entries(RawText.decode(Files.readAllBytes(process.resolve("mountinfo"))));
  }

  /** What is seen at a path without links, if that is where something is mounted. */
  public static Optional<Entry> at(OsPath point) throws IOException {
    return entries().stream().filter(e -> e.point().equals(point)).reduce((lower, upper) -> upper);
  }

  static List<Entry> entries(String text) {
    List<Entry> entries = new ArrayList<>();
    for (String line : RawText.lines(text)) {
      // After the options stands any number of further fields, then a dash.
      String[] halves = line.split(" - ", 2);
      String[] fields = halves[0].split(" ", -1);
      String[] last = halves.length < 2 ? new String[0] : halves[1].split(" ", -1);
      if (fields.length > 4 && last.length > 1) {
        entries.add(
            new Entry(
                OsPath.ofBytes(RawText.encode(decoded(fields[4]))),
                decoded(fields[3]),
                last[0],
                decoded(last[1]),
                last.length > 2 ? decoded(last[2]) : ""));
      }
    }
    return entries;
  }

  /** Blanks and the like stand as a backslash and three octal digits. */
  private static String decoded(String field) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < field.length(); i++) {
      if (field.charAt(i) == '\\' && i + 3 < field.length()) {
        text.append((char) Integer.parseInt(field.substring(i + 1, i + 4), 8));
        i += 3;
      } else {
        text.append(field.charAt(i));
      }
    }
    return text.toString();
  }
}
