package slipway.disk.customize;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
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
import slipway.system.accounts.AccountFile;

/**
 * One account file of an image's /etc, to be changed. The file of that name in /usr/lib
 * (nss-altfiles) counts for what is there.
 */
final class AccountTable {
  private static final int FIRST_ID = 1000;
  private static final int LAST_ID = 59999;

  private final Path path;
  private final int fields;
  private final int mode;
  private final int uid;
  private final int gid;
  private final AccountFile file;
  private final AccountFile below;

  private AccountTable(
      Path path, int fields, int mode, int uid, int gid, AccountFile file, AccountFile below) {
    this.file = file;
    this.below = below;
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
    AccountFile file = parse(etc, name, "the image's /etc/" + name);
    AccountFile below = parse(etc.resolve(".."), "usr/lib/" + name, "the image's /usr/lib/" + name);
    return stat == null
        ? new AccountTable(path, fields, fallbackMode, 0, 0, file, below)
        : new AccountTable(path, fields, stat.permissions(), stat.uid(), stat.gid(), file, below);
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

  private static AccountFile parse(Path root, String inside, String where) throws IOException {
    return AccountFile.read(OsPath.of(root), inside, RootedFile.Links.BENEATH, where);
  }

  /** The line of a name, to be read or changed; one of /usr/lib is copied to /etc. */
  Optional<String[]> find(String name) {
    Optional<String[]> here = file.find(name, fields);
    return here.isPresent() ? here : below.find(name, fields).map(l -> add(l.clone()));
  }

  /** The name of whoever has an id. */
  Optional<String> nameOf(int id) {
    String text = Integer.toUnsignedString(id);
    return Stream.concat(file.lines().stream(), below.lines().stream())
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
    return file.add(line);
  }

  void write() throws IOException {
    byte[] content = file.toString().getBytes(StandardCharsets.ISO_8859_1);
    OwnedFiles.put(path, content, mode, uid, gid);
  }
}
