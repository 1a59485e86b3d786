package slipway.system.accounts;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import slipway.base.RawText;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.RootedFile;

/**
 * A file of colon-separated lines: passwd(5), shadow(5), group(5) or gshadow(5). Lines that are no
 * accounts are kept as they are, empty ones are not. Read as bytes, one char each, because old
 * files are not always UTF-8.
 */
public final class AccountFile {
  private final List<String[]> lines;

  private AccountFile(List<String[]> lines) {
    this.lines = lines;
  }

  /** Splits text into lines and fields. */
  public static AccountFile parse(String text) {
    List<String[]> lines = new ArrayList<>();
    RawText.lines(text).stream()
        .filter(l -> !l.isEmpty())
        .forEach(l -> lines.add(l.split(":", -1)));
    return new AccountFile(lines);
  }

  /**
   * Reads a file of an image; one that does not exist is empty.
   *
   * @param file its path below {@code root}
   * @param where what to call it in a message
   */
  public static AccountFile read(OsPath root, String file, RootedFile.Links links, String where)
      throws IOException {
    return parse(
        RootedFile.read(root, OsPath.of(file), links, where)
            .map(bytes -> new String(bytes, StandardCharsets.ISO_8859_1))
            .orElse(""));
  }

  /** All lines, the array of each its fields; a change of a field is one of the file. */
  public List<String[]> lines() {
    return lines;
  }

  /** The lines with so many fields and a name: the accounts. */
  public List<String[]> accounts(int fields) {
    return lines.stream().filter(l -> l.length == fields && !l[0].isEmpty()).toList();
  }

  /** The account of a name. */
  public Optional<String[]> find(String name, int fields) {
    return lines.stream().filter(l -> l.length == fields && l[0].equals(name)).findFirst();
  }

  /** Adds a line at the end. */
  public String[] add(String... line) {
    lines.add(line);
    return line;
  }

  /** The file's content. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    lines.forEach(l -> text.append(String.join(":", l)).append('\n'));
    return text.toString();
  }
}
