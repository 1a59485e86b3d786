package slipway.disk.customize;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.disk.config.DiskConfig;
import slipway.disk.config.Password;

/**
 * Writes users, groups, passwords and keys into a machine that does not run: the account files of
 * its /etc and home folders in its /var, by the rules of useradd(8), groupadd(8) and usermod(8).
 * Nothing is run inside the machine, and no link of its is followed.
 */
final class Accounts {
  private static final String SHELL = "/bin/bash";

  /** In the place of the other in images without bash, where that would let nobody in. */
  private static final String SMALL_SHELL = "/bin/sh";

  private final DiskConfig config;
  private final LocalDate today;
  private final Path tree;
  private final Homes homes;
  private final AccountTable passwd;
  private final AccountTable shadow;
  private final AccountTable group;
  private final AccountTable gshadow;

  private Accounts(Path etc, Path var, DiskConfig config, LocalDate today) throws IOException {
    this.config = config;
    this.today = today;
    this.tree = Objects.requireNonNull(etc.getParent());
    this.homes = new Homes(tree, var);
    this.passwd = AccountTable.read(etc, "passwd", 7, 0644);
    this.shadow = AccountTable.read(etc, "shadow", 9, 0640);
    this.group = AccountTable.read(etc, "group", 4, 0644);
    this.gshadow = AccountTable.read(etc, "gshadow", 4, 0640);
  }

  /**
   * Makes or changes the accounts of {@code config}.
   *
   * @param etc the machine's /etc, beside whose other folders it lies
   * @param var its /var
   * @param today the day of the password's last change
   * @throws Problem when a group or an id does not fit
   */
  public static void apply(Path etc, Path var, DiskConfig config, LocalDate today)
      throws IOException {
    if (config.users().isEmpty() && config.groups().isEmpty()) {
      return;
    }
    Accounts accounts = new Accounts(etc, var, config, today);
    for (DiskConfig.Group g : config.groups()) {
      accounts.addGroup(g.name(), g.gid());
    }
    Set<String> made = new HashSet<>();
    for (DiskConfig.User user : config.users()) {
      if (accounts.apply(user)) {
        made.add(user.name());
      }
    }
    accounts.write();
    for (DiskConfig.User user : config.users()) {
      // Somebody whom the image has keeps the home that he has, and may have none.
      if (made.contains(user.name()) || user.home() != null || user.key() != null) {
        accounts.home(user);
      }
    }
  }

  /** The numeric id behind a user's name or number. */
  static int userId(Path etc, String nameOrNumber) throws IOException {
    return id(AccountTable.read(etc, "passwd", 7, 0644), nameOrNumber, "user");
  }

  /** The numeric id behind a group's name or number. */
  static int groupId(Path etc, String nameOrNumber) throws IOException {
    return id(AccountTable.read(etc, "group", 4, 0644), nameOrNumber, "group");
  }

  private static int id(AccountTable table, String nameOrNumber, String what) {
    if (nameOrNumber.matches("[0-9]+")) {
      return Integer.parseUnsignedInt(nameOrNumber);
    }
    return table
        .find(nameOrNumber)
        .map(line -> table.number(line, 2))
        .orElseThrow(() -> Problem.input("the image has no " + what + " \"" + nameOrNumber + "\""));
  }

  private int addGroup(String name, @Nullable Integer gid) {
    Optional<String[]> there = group.find(name);
    if (there.isPresent()) {
      int id = group.number(there.get(), 2);
      if (gid != null && gid != id) {
        throw Problem.input(
            "the group \"" + name + "\" has the gid " + id + " already, the config wants " + gid);
      }
      return id;
    }
    if (gid != null && group.hasId(gid)) {
      throw Problem.input(
          "the gid "
              + gid
              + " of the group \""
              + name
              + "\" is taken by \""
              + group.nameOf(gid).orElse("")
              + "\"; give another one, or none");
    }
    int id = gid != null ? gid : group.freeId();
    group.add(name, "x", Integer.toString(id), "");
    gshadow.add(name, "!", "", "");
    return id;
  }

  /** Gives whether the user is new. */
  private boolean apply(DiskConfig.User user) {
    String[] line = passwd.find(user.name()).orElse(null);
    boolean isNew = line == null;
    if (line == null) {
      line = create(user);
    } else {
      if (user.uid() != null && user.uid() != passwd.number(line, 2)) {
        throw Problem.input(
            "the user \""
                + user.name()
                + "\" has the uid "
                + line[2]
                + " already, the config wants "
                + user.uid());
      }
      if (user.gid() != null) {
        line[3] = Integer.toString(existing(user, user.gid()));
      }
    }
    line[4] = user.description() == null ? line[4] : latin1(user.description());
    line[5] = user.home() == null ? line[5] : user.home();
    line[6] = user.shell() == null ? line[6] : user.shell();
    if (user.password() != null) {
      line[1] = "x";
    }
    password(user);
    for (String name : user.groups()) {
      join(user.name(), name);
    }
    return isNew;
  }

  private int existing(DiskConfig.User user, int gid) {
    if (!group.hasId(gid)) {
      throw Problem.input(
          "the user \""
              + user.name()
              + "\" is to have the gid "
              + gid
              + ", which no group has; make one with [[customizations.group]]");
    }
    return gid;
  }

  private void join(String user, String name) {
    String[] g =
        group
            .find(name)
            .orElseThrow(
                () ->
                    Problem.input(
                        "the user \""
                            + user
                            + "\" is to be in the group \""
                            + name
                            + "\", which neither the image nor the config has; make one with"
                            + " [[customizations.group]]"
                            + (name.equals("wheel") && group.find("sudo").isPresent()
                                ? ", or take \"sudo\", as administrators are in here"
                                : "")));
    g[3] = member(g[3], user);
    String[] s = gshadow.find(name).orElseGet(() -> gshadow.add(name, "!", "", ""));
    s[3] = member(s[3], user);
  }

  /** The files are handled as bytes, one char each. */
  private static String latin1(String text) {
    return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
  }

  private String[] create(DiskConfig.User user) {
    int uid = user.uid() != null ? user.uid() : passwd.freeId();
    if (passwd.hasId(uid)) {
      throw Problem.input(
          "the uid "
              + uid
              + " of the user \""
              + user.name()
              + "\" is taken by \""
              + passwd.nameOf(uid).orElse("")
              + "\"");
    }
    int gid = user.gid() != null ? existing(user, user.gid()) : ownGroup(user.name(), uid);
    return passwd.add(
        user.name(),
        "x",
        Integer.toString(uid),
        Integer.toString(gid),
        "",
        "/home/" + user.name(),
        hasProgram(SMALL_SHELL) && !hasProgram(SHELL) ? SMALL_SHELL : SHELL);
  }

  /** Whether the image has a program of {@code /bin}, which is a link to {@code /usr/bin}. */
  private boolean hasProgram(String path) {
    return OwnedFiles.exists(tree.resolve("usr" + path));
  }

  /**
   * The group that has a user's name: the config's, or a new one. One of the image may give rights
   * that nobody asked for, so it is not taken unasked.
   */
  private int ownGroup(String name, int uid) {
    boolean configured = config.groups().stream().anyMatch(g -> g.name().equals(name));
    if (!configured && group.find(name).isPresent()) {
      throw Problem.input(
          "the image has a group \""
              + name
              + "\" already; to put the user of that name into it, give the user gid = "
              + group.number(group.find(name).get(), 2));
    }
    return addGroup(name, configured || group.hasId(uid) ? null : Integer.valueOf(uid));
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
      line[1] = Password.shadow(user.password());
      line[2] = Long.toString(today.toEpochDay());
    }
    if (user.expireDate() != null) {
      line[7] = user.expireDate().toString();
    }
    if (user.forcePasswordReset()) {
      line[2] = "0";
    }
  }

  private void write() throws IOException {
    group.write();
    gshadow.write();
    passwd.write();
    shadow.write();
  }

  private void home(DiskConfig.User user) throws IOException {
    String[] line = passwd.find(user.name()).orElseThrow();
    int uid = passwd.number(line, 2);
    int gid = passwd.number(line, 3);
    Path home = homes.make(line[5], user.name(), uid, gid);
    if (user.key() != null) {
      Homes.authorize(home, user.key(), uid, gid);
    }
  }
}
