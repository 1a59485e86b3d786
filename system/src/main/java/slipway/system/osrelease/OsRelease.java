package slipway.system.osrelease;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.RootedFile;
import slipway.system.files.ImageFiles;

/** The name of an operating system: os-release(5). */
public final class OsRelease {
  private OsRelease() {}

  /**
   * The name for people, on one line.
   *
   * @throws Problem of kind INPUT when the image has neither name nor id
   */
  public static String prettyName(Path deployment) throws IOException {
    Optional<byte[]> text = read(deployment, "usr/lib/os-release");
    if (text.isEmpty()) {
      text = read(deployment, "etc/os-release");
    }
    return prettyName(text.map(bytes -> new String(bytes, StandardCharsets.UTF_8)));
  }

  /** As {@link #prettyName(Path)}, of an image whose defaults of /etc are in /usr/etc. */
  public static String prettyName(ImageFiles files) throws IOException {
    Optional<String> text = files.text("usr/lib/os-release");
    return prettyName(text.isEmpty() ? files.text("usr/etc/os-release") : text);
  }

  private static String prettyName(Optional<String> text) {
    Map<String, String> values =
        parse(text.orElseThrow(() -> Problem.input("the image has no /usr/lib/os-release")));
    String name = values.getOrDefault("PRETTY_NAME", values.get("ID"));
    if (name == null || name.isBlank()) {
      throw Problem.input("/usr/lib/os-release of the image has neither PRETTY_NAME nor ID");
    }
    return Printable.text(name);
  }

  /** The file with links as the machine will see them. */
  private static Optional<byte[]> read(Path deployment, String path) throws IOException {
    return RootedFile.read(
        OsPath.of(deployment), OsPath.of(path), RootedFile.Links.IN_ROOT, "the image's /" + path);
  }

  public static Map<String, String> parse(String text) {
    Map<String, String> values = new HashMap<>();
    for (String line : text.lines().toList()) {
      int equals = line.indexOf('=');
      if (equals > 0 && !line.startsWith("#")) {
        values.put(line.substring(0, equals).strip(), unquote(line.substring(equals + 1).strip()));
      }
    }
    return values;
  }

  /** Undoes a shell's quotes and backslashes. */
  private static String unquote(String text) {
    StringBuilder out = new StringBuilder();
    char quote = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '\\' && quote != '\'' && i + 1 < text.length()) {
        out.append(text.charAt(++i));
      } else if (quote != 0 && c == quote) {
        quote = 0;
      } else if (quote == 0 && (c == '"' || c == '\'')) {
        quote = c;
      } else {
        out.append(c);
      }
    }
    return out.toString();
  }
}
