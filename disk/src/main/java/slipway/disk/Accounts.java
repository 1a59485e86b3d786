package slipway.disk;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import slipway.base.AtomicFile;
import slipway.base.Problem;
import slipway.linux.Command;
import slipway.linux.OsPath;
import slipway.linux.Posix;
import slipway.linux.Stat;
import slipway.linux.UnixException;

/**
 * Writes users, groups, passwords and keys into a machine that does not run: the account files of
 * its /etc (passwd(5), shadow(5), group(5), gshadow(5)) and home folders in its /var. Nothing is
 * run inside the machine, and no link of its is followed. Accounts that the image keeps in
 * /usr/lib/passwd and /usr/lib/group (nss-altfiles) count too; one that is changed is copied to
 * /etc, which comes first.
 */
final class Accounts {
  private static final int FIRST_ID = 1000;
  private static final int LAST_ID = 59999;
  private static final String SHELL = "/bin/bash";

  private final Path etc;
  private final Path var;
  private final LocalDate today;
  private final Table passwd;
  private final Table shadow;
  private final Table group;
  private final Table gshadow;

  private Accounts(Path etc, Path var, LocalDate today) throws IOException {
    this.etc = etc;
    this.var = var;
    this.today = today;
    this.passwd = Table.read(etc.resolve("passwd"), 7, 0644);
    this.shadow = Table.read(etc.resolve("shadow"), 9, 0640);
    this.group = Table.read(etc.resolve("group"), 4, 0644);
    this.gshadow = Table.read(etc.resolve("gshadow"), 4, 0640);
  }

  /**
   * Makes or changes the accounts of {@code config}.
   *
   * @param etc the machine's /etc
   * @param var its /var
   * @param today the day of the password's last change
   * @throws Problem when a group or an id does not fit
   */
  static void apply(Path etc, Path var, DiskConfig config, LocalDate today) throws IOException {
    if (config.users().isEmpty() && config.groups().isEmpty()) {
      return;
    }
    Accounts accounts = new Accounts(etc, var, today);
    for (DiskConfig.Group g : config.groups()) {
      accounts.addGroup(g.name(), g.gid());
    }
    for (DiskConfig.User user : config.users()) {
      accounts.apply(user);
    }
    accounts.write();
    for (DiskConfig.User user : config.users()) {
      accounts.home(user);
    }
  }

  /** The numeric id behind a user's name or number. */
  static int userId(Path etc, String nameOrNumber) throws IOException {
    return id(Table.read(etc.resolve("passwd"), 7, 0644), nameOrNumber, "user");
  }

  /** The numeric id behind a group's name or number. */
  static int groupId(Path etc, String nameOrNumber) throws IOException {
    return id(Table.read(etc.resolve("group"), 4, 0644), nameOrNumber, "group");
  }

  private static int id(Table table, String nameOrNumber, String what) {
    if (nameOrNumber.matches("[0-9]+")) {
      return Integer.parseUnsignedInt(nameOrNumber);
    }
    return table
        .find(nameOrNumber)
        .map(line -> Integer.parseInt(line[2]))
        .orElseThrow(() -> Problem.input("the image has no " + what + " \"" + nameOrNumber + "\""));
  }

  private int addGroup(String name, @Nullable Integer gid) {
    Optional<String[]> there = group.find(name);
    if (there.isPresent()) {
      int id = Integer.parseInt(there.get()[2]);
      if (gid != null && gid != id) {
        throw Problem.input(
            "the group \""
                + name
                + "\" has the gid "
                + id
                + " in the image, the config wants "
                + gid);
      }
      return id;
    }
    int id = gid != null ? gid : group.freeId();
    group.add(name, "x", Integer.toString(id), "");
    gshadow.add(name, "!", "", "");
    return id;
  }

  private void apply(DiskConfig.User user) throws IOException {
    String[] line = passwd.find(user.name()).orElse(null);
    if (line == null) {
      line = create(user);
    } else {
      if (user.uid() != null && user.uid() != Integer.parseInt(line[2])) {
        throw Problem.input(
            "the user \""
                + user.name()
                + "\" has the uid "
                + line[2]
                + " in the image, the config wants "
                + user.uid());
      }
      if (user.gid() != null) {
        line[3] = user.gid().toString();
      }
    }
    line[4] = user.description() == null ? line[4] : latin1(user.description());
    line[5] = user.home() == null ? line[5] : user.home();
    line[6] = user.shell() == null ? line[6] : user.shell();
    password(user);
    for (String name : user.groups()) {
      String[] g =
          group
              .find(name)
              .orElseThrow(
                  () ->
                      Problem.input(
                          "the user \""
                              + user.name()
                              + "\" is to be in the group \""
                              + name
                              + "\", which neither the image nor the config has"));
      g[3] = member(g[3], user.name());
      String[] s = gshadow.find(name).orElseGet(() -> gshadow.add(name, "!", "", ""));
      s[3] = member(s[3], user.name());
    }
  }

  /** The files are handled as bytes, one char each, because old ones are not always UTF-8. */
  private static String latin1(String text) {
    return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
  }

  private String[] create(DiskConfig.User user) {
    int uid = user.uid() != null ? user.uid() : passwd.freeId();
    if (passwd.hasId(uid)) {
      throw Problem.input(
          "the uid " + uid + " of the user \"" + user.name() + "\" is taken in the image");
    }
    int gid =
        user.gid() != null
            ? user.gid()
            : addGroup(user.name(), group.hasId(uid) ? null : Integer.valueOf(uid));
    return passwd.add(
        user.name(),
        "x",
        Integer.toString(uid),
        Integer.toString(gid),
        "",
        "/home/" + user.name(),
        SHELL);
  }

  private static String member(String list, String name) {
    List<String> members = new ArrayList<>(list.isEmpty() ? List.of() : List.of(list.split(",")));
    if (!members.contains(name)) {
      members.add(name);
    }
    return String.join(",", members);
  }

  private void password(DiskConfig.User user) {
    String[] line =
        shadow
            .find(user.name())
            .orElseGet(
                () ->
                    shadow.add(
                        user.name(),
                        "!",
                        Long.toString(today.toEpochDay()),
                        "0",
                        "99999",
                        "7",
                        "",
                        "",
                        ""));
    if (user.password() != null) {
      line[1] = hash(user.password());
      line[2] = Long.toString(today.toEpochDay());
    }
    if (user.expireDate() != null) {
      line[7] = user.expireDate().toString();
    }
    if (user.forcePasswordReset()) {
      line[2] = "0";
    }
  }

  /** Whether it is what bootc-image-builder takes for a crypt(5) hash. */
  static boolean isHash(String password) {
    return password.startsWith("$2b$") || password.startsWith("$5$") || password.startsWith("$6$");
  }

  /** A hash as it is; plain text by SHA-512 crypt, handed over on stdin. */
  private static String hash(String password) {
    if (isHash(password)) {
      return password;
    }
    return Command.of("openssl", "passwd", "-6", "-stdin").stdin(password + "\n").output();
  }

  private void write() throws IOException {
    group.write();
    gshadow.write();
    passwd.write();
    shadow.write();
  }

  /** The home folder in /var with what /etc/skel has, and the keys. */
  private void home(DiskConfig.User user) throws IOException {
    String[] line = passwd.find(user.name()).orElseThrow();
    int uid = Integer.parseInt(line[2]);
    int gid = Integer.parseInt(line[3]);
    Path home = inVar(line[5], user.name());
    boolean isNew = !Files.exists(home, java.nio.file.LinkOption.NOFOLLOW_LINKS);
    parents(home);
    folder(home, 0700, uid, gid);
    Path skel = etc.resolve("skel");
    if (isNew && Files.isDirectory(skel, java.nio.file.LinkOption.NOFOLLOW_LINKS)) {
      try (var files = Files.list(skel)) {
        for (Path f :
            files
                .filter(f -> Files.isRegularFile(f, java.nio.file.LinkOption.NOFOLLOW_LINKS))
                .toList()) {
          put(home.resolve(f.getFileName().toString()), Files.readAllBytes(f), 0644, uid, gid);
        }
      }
    }
    if (user.key() != null) {
      Path ssh = home.resolve(".ssh");
      folder(ssh, 0700, uid, gid);
      Path file = ssh.resolve("authorized_keys");
      String before =
          Files.isRegularFile(file, java.nio.file.LinkOption.NOFOLLOW_LINKS)
              ? Files.readString(file, StandardCharsets.ISO_8859_1)
              : "";
      byte[] all = (before + latin1(user.key()) + "\n").getBytes(StandardCharsets.ISO_8859_1);
      put(file, all, 0600, uid, gid);
    }
  }

  /** Where a home folder lies: /home and /root are links into /var. */
  private Path inVar(String home, String user) {
    if (home.equals("/root")) {
      return var.resolve("roothome");
    }
    if (home.startsWith("/home/")) {
      return var.resolve(home.substring(1));
    }
    if (home.startsWith("/var/")) {
      return var.resolve(home.substring("/var/".length()));
    }
    throw Problem.input(
        "the home \""
            + home
            + "\" of the user \""
            + user
            + "\" is not below /home or /var, which is all that can change");
  }

  private void parents(Path home) throws IOException {
    Path at = var;
    for (Path name : var.relativize(Objects.requireNonNull(home.getParent()))) {
      if (name.toString().isEmpty()) {
        continue;
      }
      at = at.resolve(name);
      if (!Files.exists(at, java.nio.file.LinkOption.NOFOLLOW_LINKS)) {
        folder(at, 0755, 0, 0);
      }
      requireDirectory(at);
    }
  }

  private static void folder(Path path, int mode, int uid, int gid) throws IOException {
    OsPath p = OsPath.of(path);
    try {
      Posix.mkdir(p, mode);
    } catch (UnixException e) {
      if (e.errno() != UnixException.EEXIST) {
        throw e;
      }
    }
    requireDirectory(path);
    Posix.chmod(p, mode);
    Posix.lchown(p, uid, gid);
  }

  private static void requireDirectory(Path path) throws IOException {
    if (!Posix.lstat(OsPath.of(path)).isDirectory()) {
      throw Problem.input(
          "the image's " + path.getFileName() + " is a link or a file where a folder must be");
    }
  }

  private static void put(Path path, byte[] content, int mode, int uid, int gid)
      throws IOException {
    try (AtomicFile file =
        AtomicFile.create(
            path, java.nio.file.attribute.PosixFilePermissions.toString(permissions(mode)))) {
      file.out().write(content);
      Posix.lchown(OsPath.of(file.temporary()), uid, gid);
      file.commit();
    }
  }

  private static java.util.Set<java.nio.file.attribute.PosixFilePermission> permissions(int mode) {
    var set = java.util.EnumSet.noneOf(java.nio.file.attribute.PosixFilePermission.class);
    var all = java.nio.file.attribute.PosixFilePermission.values();
    for (int i = 0; i < all.length; i++) {
      if ((mode & (0400 >> i)) != 0) {
        set.add(all[i]);
      }
    }
    return set;
  }

  /** One colon-separated file; lines that are none are kept as they are. */
  private static final class Table {
    private final Path path;
    private final int fields;
    private final int mode;
    private final int uid;
    private final int gid;
    private final List<String[]> lines = new ArrayList<>();
    private final List<String[]> below = new ArrayList<>();

    private Table(Path path, int fields, int mode, int uid, int gid) {
      this.path = path;
      this.fields = fields;
      this.mode = mode;
      this.uid = uid;
      this.gid = gid;
    }

    /** Reads a file of /etc and, for ids and members, the one of that name in /usr/lib. */
    static Table read(Path path, int fields, int fallbackMode) throws IOException {
      Stat stat = stat(path);
      if (stat != null && !stat.isRegular()) {
        throw Problem.input("the image's /etc/" + path.getFileName() + " is not a regular file");
      }
      Table table =
          stat == null
              ? new Table(path, fields, fallbackMode, 0, 0)
              : new Table(path, fields, stat.permissions(), stat.uid(), stat.gid());
      if (stat != null) {
        table.lines.addAll(parse(path));
      }
      Path usr = Objects.requireNonNull(path.getParent()).resolveSibling("usr");
      Path lower = usr.resolve("lib").resolve(path.getFileName());
      if (isDirectory(usr) && isDirectory(usr.resolve("lib"))) {
        Stat found = stat(lower);
        if (found != null && found.isRegular()) {
          table.below.addAll(parse(lower));
        }
      }
      return table;
    }

    private static boolean isDirectory(Path path) {
      return Files.isDirectory(path, java.nio.file.LinkOption.NOFOLLOW_LINKS);
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

    private static List<String[]> parse(Path path) throws IOException {
      return Files.readString(path, StandardCharsets.ISO_8859_1)
          .lines()
          .filter(l -> !l.isEmpty())
          .map(l -> l.split(":", -1))
          .toList();
    }

    /** The line of a name, to be read or changed. */
    Optional<String[]> find(String name) {
      Optional<String[]> here = find(lines, name);
      return here.isPresent() ? here : find(below, name).map(l -> add(l.clone()));
    }

    private Optional<String[]> find(List<String[]> list, String name) {
      return list.stream().filter(l -> l.length == fields && l[0].equals(name)).findFirst();
    }

    boolean hasId(int id) {
      String text = Integer.toString(id);
      return java.util.stream.Stream.concat(lines.stream(), below.stream())
          .anyMatch(l -> l.length == fields && l[2].equals(text));
    }

    int freeId() {
      for (int id = FIRST_ID; id <= LAST_ID; id++) {
        if (!hasId(id)) {
          return id;
        }
      }
      throw Problem.input(
          "no id from " + FIRST_ID + " to " + LAST_ID + " is free in " + path.getFileName());
    }

    String[] add(String... line) {
      lines.add(line);
      return line;
    }

    void write() throws IOException {
      StringBuilder text = new StringBuilder();
      lines.forEach(l -> text.append(String.join(":", l)).append('\n'));
      put(path, text.toString().getBytes(StandardCharsets.ISO_8859_1), mode, uid, gid);
    }
  }
}
