package slipway.sysroot;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import slipway.base.Problem;

/** The name of an operating system: os-release(5). */
final class OsRelease {
  private OsRelease() {}

  /**
   * The name for people.
   *
   * @throws Problem of kind INPUT when the image has neither name nor id
   */
  static String prettyName(Path deployment) throws IOException {
    Path file = deployment.resolve("usr/lib/os-release");
    if (!Files.isRegularFile(file)) {
      file = deployment.resolve("etc/os-release");
    }
    if (!Files.isRegularFile(file)) {
      throw Problem.input("the image has no /usr/lib/os-release");
    }
    Map<String, String> values = parse(Files.readString(file));
    String name = values.getOrDefault("PRETTY_NAME", values.get("ID"));
    if (name == null || name.isBlank()) {
      throw Problem.input("/usr/lib/os-release of the image has neither PRETTY_NAME nor ID");
    }
    return name;
  }

  static Map<String, String> parse(String text) {
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
