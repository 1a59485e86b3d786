package slipway.build;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import slipway.linux.OsPath;

/** The users and groups of an image: its {@code /etc/passwd} and {@code /etc/group}. */
final class Accounts {
  private static final long LIMIT = 16 * 1024 * 1024;
  private static final long MAX_ID = 0xfffffffeL;

  private record User(String name, int uid, int gid, String home) {}

  private record Group(String name, int gid, List<String> members) {}

  private final List<User> users = new ArrayList<>();
  private final List<Group> groups = new ArrayList<>();

  private Accounts() {}

  /**
   * Who a process runs as.
   *
   * @param groups supplementary ones
   * @param home the home directory, {@code /} when the image does not know one
   */
  record Identity(int uid, int gid, List<Integer> groups, String home) {}

  /** Reads them; an image without these files has no names. */
  static Accounts of(OsPath root) throws IOException {
    Accounts accounts = new Accounts();
    for (String[] f : lines(root, "etc/passwd")) {
      Optional<Integer> uid = id(f.length > 3 ? f[2] : "");
      Optional<Integer> gid = id(f.length > 3 ? f[3] : "");
      if (uid.isPresent() && gid.isPresent()) {
        accounts.users.add(new User(f[0], uid.get(), gid.get(), f.length > 5 ? f[5] : ""));
      }
    }
    for (String[] f : lines(root, "etc/group")) {
      Optional<Integer> gid = id(f.length > 2 ? f[2] : "");
      if (gid.isPresent()) {
        List<String> members = f.length > 3 ? List.of(f[3].split(",")) : List.of();
        accounts.groups.add(new Group(f[0], gid.get(), members));
      }
    }
    return accounts;
  }

  private static List<String[]> lines(OsPath root, String file) throws IOException {
    Optional<OsPath> path = InRoot.resolve(root, file);
    if (path.isEmpty() || !Files.isRegularFile(path.get().toPath())) {
      return List.of();
    }
    if (Files.size(path.get().toPath()) > LIMIT) {
      throw slipway.base.Problem.corrupt("the image's /" + file + " is larger than 16 MiB");
    }
    String text = Files.readString(path.get().toPath(), StandardCharsets.ISO_8859_1);
    return text.lines().map(l -> l.split(":", -1)).toList();
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
  Identity identity(@Nullable String user, Position at) {
    String text = user == null || user.isEmpty() ? "0" : user;
    int colon = text.indexOf(':');
    String name = colon < 0 ? text : text.substring(0, colon);
    User known = user(name);
    int uid = known != null ? known.uid() : numeric(name, "user", "/etc/passwd", at);
    String home = known == null || known.home().isEmpty() ? "/" : known.home();
    if (colon >= 0) {
      return new Identity(uid, gid(text.substring(colon + 1), at), List.of(), home);
    }
    TreeSet<Integer> more = new TreeSet<>();
    if (known != null) {
      groups.stream()
          .filter(g -> g.members().contains(known.name()))
          .forEach(g -> more.add(g.gid()));
    }
    return new Identity(uid, known == null ? 0 : known.gid(), List.copyOf(more), home);
  }

  /**
   * Whom {@code --chown} names; a number without a group stands for the group of that number too
   * (Dockerfile reference, "COPY --chown").
   */
  InRoot.Ownership ownership(String spec, Position at) {
    int colon = spec.indexOf(':');
    String name = colon < 0 ? spec : spec.substring(0, colon);
    User known = name.isEmpty() ? null : user(name);
    int uid =
        name.isEmpty() ? 0 : known != null ? known.uid() : numeric(name, "user", "/etc/passwd", at);
    if (colon >= 0 && colon + 1 < spec.length()) {
      return new InRoot.Ownership(uid, gid(spec.substring(colon + 1), at));
    }
    boolean number = name.matches("[0-9]+");
    return new InRoot.Ownership(uid, known != null && !number ? known.gid() : uid);
  }

  private @Nullable User user(String name) {
    Optional<Integer> number = id(name);
    return users.stream()
        .filter(u -> u.name().equals(name) || (number.isPresent() && u.uid() == number.get()))
        .findFirst()
        .orElse(null);
  }

  private int gid(String name, Position at) {
    return groups.stream()
        .filter(g -> g.name().equals(name))
        .findFirst()
        .map(Group::gid)
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
