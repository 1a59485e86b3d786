package slipway.disk.customize;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.RootedFile;
import slipway.linux.posix.Stat;
import slipway.linux.posix.UnixException;

/**
 * One colon-separated account file of an image's /etc (passwd(5), shadow(5), group(5), gshadow(5));
 * lines that are no accounts are kept as they are. Read as bytes, one char each, because old files
 * are not always UTF-8. The file of that name in /usr/lib (nss-altfiles) counts for what is there.
 */
final class AccountTable {
  private static final int FIRST_ID = 1000;
  private static final int LAST_ID = 59999;

  private final Path path;
  private final int fields;
  private final int mode;
  private final int uid;
  private final int gid;
  private final List<String[]> lines = new ArrayList<>();
  private final List<String[]> below = new ArrayList<>();

  private AccountTable(Path path, int fields, int mode, int uid, int gid) {
    this.path = path;
    this.fields = fields;
    this.mode = mode;
    this.uid = uid;
    this.gid = gid;
  }

  /**
   * Reads a file; one that does not exist is empty.
   *
   * @param etc the machine's /etc, a directory
   * @param fallbackMode for a file that does not exist
   * @throws Problem when it is no regular file
   */
  static AccountTable read(Path etc, String name, int fields, int fallbackMode) throws IOException {
    Path path = etc.resolve(name);
    Stat stat = stat(path);
    if (stat != null && !stat.isRegular()) {
      throw Problem.input("the image's /etc/" + name + " is not a regular file");
    }
    AccountTable table =
        stat == null
            ? new AccountTable(path, fields, fallbackMode, 0, 0)
            : new AccountTable(path, fields, stat.permissions(), stat.uid(), stat.gid());
    table.lines.addAll(parse(etc, name, "the image's /etc/" + name));
    table.below.addAll(parse(etc.resolve(".."), "usr/lib/" + name, "the image's /usr/lib/" + name));
    return table;
  }

  private static @Nullable Stat stat(Path path) throws IOException {
    try {
      return Posix.lstat(OsPath.of(path));
    } catch (UnixException e) {
      if (e.errno() == UnixException.ENOENT) {
        return null;
      }
      throw e;
    }
  }

  private static List<String[]> parse(Path root, String inside, String where) throws IOException {
    byte[] bytes =
        RootedFile.read(OsPath.of(root), OsPath.of(inside), RootedFile.Links.BENEATH, where)
            .orElse(new byte[0]);
    return new String(bytes, StandardCharsets.ISO_8859_1)
        .lines()
        .filter(l -> !l.isEmpty())
        .map(l -> l.split(":", -1))
        .toList();
  }

  /** The line of a name, to be read or changed; one of /usr/lib is copied to /etc. */
  Optional<String[]> find(String name) {
    Optional<String[]> here = find(lines, name);
    return here.isPresent() ? here : find(below, name).map(l -> add(l.clone()));
  }

  private Optional<String[]> find(List<String[]> list, String name) {
    return list.stream().filter(l -> l.length == fields && l[0].equals(name)).findFirst();
  }

  /** The name of whoever has an id. */
  Optional<String> nameOf(int id) {
    String text = Integer.toUnsignedString(id);
    return Stream.concat(lines.stream(), below.stream())
        .filter(l -> l.length == fields && l[2].equals(text))
        .map(l -> l[0])
        .findFirst();
  }

  boolean hasId(int id) {
    return nameOf(id).isPresent();
  }

  /** The lowest id for people that nobody has. */
  int freeId() {
    for (int id = FIRST_ID; id <= LAST_ID; id++) {
      if (!hasId(id)) {
        return id;
      }
    }
    throw Problem.input(
        "no id from " + FIRST_ID + " to " + LAST_ID + " is free in " + path.getFileName());
  }

  /**
   * A number in a line.
   *
   * @throws Problem when it is none
   */
  int number(String[] line, int field) {
    try {
      return Integer.parseUnsignedInt(line[field]);
    } catch (NumberFormatException e) {
      throw Problem.input(
          "the image's /etc/"
              + path.getFileName()
              + ": \""
              + Printable.text(line[field])
              + "\" of "
              + Printable.text(line[0])
              + " is not a number; field "
              + (field + 1)
              + " is an id");
    }
  }

  String[] add(String... line) {
    lines.add(line);
    return line;
  }

  void write() throws IOException {
    StringBuilder text = new StringBuilder();
    lines.forEach(l -> text.append(String.join(":", l)).append('\n'));
    OwnedFiles.put(path, text.toString().getBytes(StandardCharsets.ISO_8859_1), mode, uid, gid);
  }
}
