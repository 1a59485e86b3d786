package slipway.system.accounts;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import slipway.base.Position;
import slipway.linux.posix.InRoot;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.RootedFile;

/** The users and groups of an image: its {@code /etc/passwd} and {@code /etc/group}. */
public final class ImageAccounts {
  private static final long MAX_ID = 0xfffffffeL;

  /** Ids are as written: one that is no number matters only to whom is asked for. */
  private record User(String name, String uidText, String gidText, String home) {
    int uid(Position at) {
      return written(uidText, "user", name, "/etc/passwd", at);
    }

    int gid(Position at) {
      return written(gidText, "user", name, "/etc/passwd", at);
    }
  }

  private record Group(String name, String gidText, List<String> members) {
    int gid(Position at) {
      return written(gidText, "group", name, "/etc/group", at);
    }
  }

  private static int written(String number, String what, String name, String file, Position at) {
    return id(number)
        .orElseThrow(
            () ->
                at.problem(
                    "the image's "
                        + file
                        + " gives the "
                        + what
                        + " \""
                        + name
                        + "\" the id \""
                        + number
                        + "\", which is no number between 0 and "
                        + MAX_ID));
  }

  private final List<User> users = new ArrayList<>();
  private final List<Group> groups = new ArrayList<>();

  private ImageAccounts() {}

  /**
   * Who a process runs as.
   *
   * @param groups supplementary ones
   * @param home the home directory, {@code /} when the image does not know one
   */
  public record Identity(int uid, int gid, List<Integer> groups, String home) {}

  /** Reads them; an image without these files has no names. */
  public static ImageAccounts of(OsPath root) throws IOException {
    ImageAccounts accounts = new ImageAccounts();
    for (String[] f : read(root, "etc/passwd").lines()) {
      if (f.length > 3) {
        accounts.users.add(new User(f[0], f[2], f[3], f.length > 5 ? f[5] : ""));
      }
    }
    for (String[] f : read(root, "etc/group").lines()) {
      if (f.length > 2) {
        List<String> members = f.length > 3 ? List.of(f[3].split(",")) : List.of();
        accounts.groups.add(new Group(f[0], f[2], members));
      }
    }
    return accounts;
  }

  private static AccountFile read(OsPath root, String file) throws IOException {
    return AccountFile.read(root, file, RootedFile.Links.IN_ROOT, "the image's /" + file);
  }

  private static Optional<Integer> id(String text) {
    if (!text.matches("[0-9]{1,10}") || Long.parseLong(text) > MAX_ID) {
      return Optional.empty();
    }
    return Optional.of((int) Long.parseLong(text));
  }

  /**
   * Who {@code USER} names: {@code user}, {@code uid}, each with {@code :group} or {@code :gid}.
   *
   * @throws slipway.base.Problem for a name that the image does not know
   */
  public Identity identity(@Nullable String user, Position at) {
    String text = user == null || user.isEmpty() ? "0" : user;
    int colon = text.indexOf(':');
    String name = colon < 0 ? text : text.substring(0, colon);
    User known = user(name);
    int uid = known != null ? known.uid(at) : numeric(name, "user", "/etc/passwd", at);
    String home = known == null || known.home().isEmpty() ? "/" : known.home();
    if (colon >= 0) {
      return new Identity(uid, gid(text.substring(colon + 1), at), List.of(), home);
    }
    if (known == null) {
      return new Identity(uid, 0, List.of(), home);
    }
    TreeSet<Integer> more = new TreeSet<>();
    groups.stream()
        .filter(g -> g.members().contains(known.name()))
        .forEach(g -> more.add(g.gid(at)));
    return new Identity(uid, known.gid(at), List.copyOf(more), home);
  }

  /**
   * Whom {@code --chown} names; a number without a group stands for the group of that number too
   * (Dockerfile reference, "COPY --chown").
   */
  public InRoot.Ownership ownership(String spec, Position at) {
    int colon = spec.indexOf(':');
    String name = colon < 0 ? spec : spec.substring(0, colon);
    User known = name.isEmpty() ? null : user(name);
    int uid =
        name.isEmpty()
            ? 0
            : known != null ? known.uid(at) : numeric(name, "user", "/etc/passwd", at);
    if (colon >= 0 && colon + 1 < spec.length()) {
      return new InRoot.Ownership(uid, gid(spec.substring(colon + 1), at));
    }
    boolean number = id(name).isPresent();
    return new InRoot.Ownership(uid, known != null && !number ? known.gid(at) : uid);
  }

  private @Nullable User user(String name) {
    Optional<Integer> number = id(name);
    return users.stream()
        .filter(
            u -> u.name().equals(name) || (number.isPresent() && id(u.uidText()).equals(number)))
        .findFirst()
        .orElse(null);
  }

  private int gid(String name, Position at) {
    return groups.stream()
        .filter(g -> g.name().equals(name))
        .findFirst()
        .map(g -> g.gid(at))
        .orElseGet(() -> numeric(name, "group", "/etc/group", at));
  }

  private static int numeric(String name, String what, String file, Position at) {
    return id(name)
        .orElseThrow(
            () ->
                at.problem(
                    "the "
                        + what
                        + " \""
                        + name
                        + "\" is not in the image's "
                        + file
                        + "; add it, or use its number"));
  }
}
