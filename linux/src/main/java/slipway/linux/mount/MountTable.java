package slipway.linux.mount;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import slipway.base.RawText;
import slipway.linux.posix.OsPath;

/** The mounts that this process sees (proc_pid_mountinfo(5)). */
public final class MountTable {
  private static final Path FILE = Path.of("/proc/self/mountinfo");

  private MountTable() {}

  /**
   * Where something is mounted; a folder or file with two mounts over each other is there twice.
   */
  public static List<OsPath> points() throws IOException {
    return points(RawText.decode(Files.readAllBytes(FILE)));
  }

  static List<OsPath> points(String text) {
    List<OsPath> points = new ArrayList<>();
    for (String line : RawText.lines(text)) {
      String[] fields = line.split(" ", -1);
      if (fields.length > 4) {
        points.add(OsPath.ofBytes(RawText.encode(decoded(fields[4]))));
      }
    }
    return points;
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
