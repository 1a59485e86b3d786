package slipway.media.kickstart;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What pykickstart says of a text.
 *
 * @param message as it prints it, with {@code |} for line ends; empty when the text is taken
 */
record Verdict(KickstartVersion version, boolean taken, String text, String message) {
  private static final Pattern LINE =
      Pattern.compile("(\\w+) (OK|FAIL) +'((?:[^'\\\\]|\\\\.)*)'(?: -> KickstartParseError (.*))?");

  /** All that were kept. */
  static List<Verdict> all() throws IOException {
    try (InputStream in =
        Objects.requireNonNull(Verdict.class.getResourceAsStream("pykickstart-verdicts.txt"))) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> !line.startsWith("#"))
          .map(Verdict::of)
          .toList();
    }
  }

  private static Verdict of(String line) {
    Matcher parts = LINE.matcher(line);
    if (!parts.matches()) {
      throw new IllegalArgumentException(line);
    }
    return new Verdict(
        KickstartVersion.valueOf(parts.group(1)),
        parts.group(2).equals("OK"),
        parts.group(3).translateEscapes(),
        parts.group(4) == null ? "" : parts.group(4));
  }

  /** What we say of it. */
  static KickstartFile read(String text, KickstartVersion version) {
    return KickstartParser.parse(new KickstartSource.Text("ks.cfg", "", text), null, version);
  }

  /** The first error as pykickstart would print it, or nothing. */
  static String message(KickstartFile file) {
    return file.findings().stream()
        .filter(KickstartFinding::isError)
        .findFirst()
        .map(
            error ->
                "The following problem occurred on line "
                    + error.at().line()
                    + " of the kickstart file: |  | "
                    + error.message())
        .orElse("");
  }
}
