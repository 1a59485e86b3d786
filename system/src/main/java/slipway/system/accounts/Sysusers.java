package slipway.system.accounts;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What lines of sysusers.d(5) make when a machine starts.
 *
 * @param users names of users
 * @param groups names of groups, those that come with a user too
 */
public record Sysusers(Set<String> users, Set<String> groups) {
  private static final Pattern WORD =
      Pattern.compile("\"((?:[^\"\\\\]|\\\\.)*)\"|'([^']*)'|(\\S+)");

  /** Reads the lines of all files. */
  public static Sysusers of(Collection<String> files) {
    Set<String> users = new LinkedHashSet<>();
    Set<String> groups = new LinkedHashSet<>();
    for (String file : files) {
      for (String line : file.lines().toList()) {
        List<String> words = words(line);
        if (words.size() < 2) {
          continue;
        }
        switch (words.getFirst()) {
          case "u", "u!" -> {
            users.add(words.get(1));
            if (words.size() < 3 || !words.get(2).contains(":")) {
              groups.add(words.get(1));
            }
          }
          case "g" -> groups.add(words.get(1));
          default -> {}
        }
      }
    }
    return new Sysusers(users, groups);
  }

  /** Splits a line at blanks, with quotes; a comment gives nothing. */
  public static List<String> words(String line) {
    List<String> words = new ArrayList<>();
    if (line.startsWith("#")) {
      return words;
    }
    Matcher matcher = WORD.matcher(line);
    while (matcher.find()) {
      String quoted = matcher.group(1) != null ? matcher.group(1) : matcher.group(2);
      words.add(quoted != null ? quoted : matcher.group(3));
    }
    return words;
  }

  /** The first fields of passwd(5) or group(5). */
  public static List<String> names(String database) {
    return AccountFile.parse(database).lines().stream()
        .map(fields -> fields[0])
        .filter(name -> !name.isBlank() && "#+-".indexOf(name.charAt(0)) < 0)
        .toList();
  }
}
