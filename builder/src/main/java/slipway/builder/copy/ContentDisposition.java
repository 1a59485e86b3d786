package slipway.builder.copy;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import slipway.linux.posix.OsPath;

/** The header field by which a server names a file (RFC 6266). */
final class ContentDisposition {
  private static final int LONGEST = 4096;
  private static final Pattern EXTENDED =
      Pattern.compile("(?i);\\s*filename\\*\\s*=\\s*utf-8'[^']*'([^;\\s]+)");
  private static final Pattern QUOTED =
      Pattern.compile("(?i);\\s*filename\\s*=\\s*\"((?:[^\"\\\\]|\\\\.)*+)\"");
  private static final Pattern TOKEN = Pattern.compile("(?i);\\s*filename\\s*=\\s*([^;\"\\s]+)");

  private ContentDisposition() {}

  /** The last name in the file name that the field gives, if that can name a file. */
  static Optional<String> fileName(String field) {
    if (field.length() > LONGEST) {
      return Optional.empty();
    }
    Matcher extended = EXTENDED.matcher(field);
    Matcher quoted = QUOTED.matcher(field);
    Matcher token = TOKEN.matcher(field);
    String name = "";
    if (extended.find()) {
      name = decoded(extended.group(1));
    } else if (quoted.find()) {
      name = quoted.group(1).replaceAll("\\\\(.)", "$1");
    } else if (token.find()) {
      name = token.group(1);
    }
    String last = name.substring(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1);
    return last.indexOf('\0') < 0 && OsPath.of(last).isName()
        ? Optional.of(last)
        : Optional.empty();
  }

  private static String decoded(String text) {
    try {
      return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      return ""; // A percent sign without two digits.
    }
  }
}
