package slipway.disk.customize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.base.Problem;
import slipway.disk.config.DiskConfig;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.linux.process.Command;

/** The account files as they stand afterwards; pwck and grpck of shadow-utils judge them. */
class AccountsTest {
  private static final LocalDate TODAY = LocalDate.ofEpochDay(20_500);
  private static final String KEY = "ssh-ed25519 AAAA a@b";

  @TempDir Path root;
  private Path etc;
  private Path var;

  @BeforeEach
  void makeMachine() throws Exception {
    etc = Files.createDirectories(root.resolve("etc"));
    var = Files.createDirectories(root.resolve("var"));
    Files.writeString(etc.resolve("passwd"), "root:x:0:0:root:/root:/bin/sh\n");
    Files.writeString(etc.resolve("shadow"), "root:*:20000:0:99999:7:::\n");
    Files.writeString(etc.resolve("group"), "root:x:0:\nsudo:x:27:carol\n");
    Files.writeString(etc.resolve("gshadow"), "root:*::\nsudo:*::carol\n");
    Posix.chmod(OsPath.of(etc.resolve("shadow")), 0640);
    Posix.lchown(OsPath.of(etc.resolve("shadow")), 0, 42);
    Files.createDirectories(etc.resolve("skel/.config"));
    Files.writeString(etc.resolve("skel/.profile"), "# profile\n");
  }

  private void apply(DiskConfig.User... users) throws Exception {
    DiskConfig config = DiskConfig.EMPTY;
    for (DiskConfig.User user : users) {
      config = config.withUser(user);
    }
    Accounts.apply(etc, var, config, TODAY);
  }

  private static DiskConfig.User user(
      String name, @Nullable String password, @Nullable String key, String... groups) {
    return new DiskConfig.User(
        name, null, password, key, null, null, List.of(groups), null, null, null, false);
  }

  private List<String> fields(String file, String name) throws Exception {
    return Files.readAllLines(etc.resolve(file), StandardCharsets.UTF_8).stream()
        .filter(l -> l.startsWith(name + ":"))
        .findFirst()
        .map(l -> List.of(l.split(":", -1)))
        .orElseThrow();
  }

  private static void assertOwner(Path path, int mode, int uid, int gid) throws Exception {
    Stat stat = Posix.lstat(OsPath.of(path));
    assertThat(List.of(stat.permissions(), stat.uid(), stat.gid()))
        .describedAs("mode, uid and gid of " + path)
        .isEqualTo(List.of(mode, uid, gid));
  }

  private void judge() {
    String groups = Command.of("grpck", "-r", etc + "/group", etc + "/gshadow").tryRun().text();
    // Members and homes are looked up on this machine, where they are not.
    assertThat(groups.lines().filter(l -> !l.matches(".*no user .*|delete member .*|grpck: .*")))
        .isEmpty();
    String users = Command.of("pwck", "-r", "-q", etc + "/passwd", etc + "/shadow").tryRun().text();
    assertThat(users.lines().filter(l -> !l.matches(".*(directory|program) .*|pwck: .*")))
        .isEmpty();
  }

  /** Small images have no bash; a shell that is not there lets nobody in. */
  @Test
  void theShellIsOneThatTheImageHas() throws Exception {
    Path bin = Files.createDirectories(root.resolve("usr/bin"));
    Files.createFile(bin.resolve("sh"));
    apply(user("small", null, null));
    assertThat(fields("passwd", "small").getLast()).isEqualTo("/bin/sh");
    Files.createFile(bin.resolve("bash"));
    apply(user("usual", null, null));
    assertThat(fields("passwd", "usual").getLast()).isEqualTo("/bin/bash");
  }

  @Test
  void aUserIsMadeWithPasswordKeyAndGroups() throws Exception {
    apply(
        new DiskConfig.User(
            "alice",
            "Alice Ängström",
            "pa:ss wörd",
            KEY,
            null,
            "/bin/zsh",
            List.of("sudo"),
            1500,
            null,
            21000,
            false));
    assertThat(fields("passwd", "alice"))
        .containsExactly("alice", "x", "1500", "1500", "Alice Ängström", "/home/alice", "/bin/zsh");
    assertThat(fields("group", "sudo")).containsExactly("sudo", "x", "27", "carol,alice");
    assertThat(fields("gshadow", "sudo")).containsExactly("sudo", "*", "", "carol,alice");
    assertThat(fields("group", "alice")).containsExactly("alice", "x", "1500", "");
    List<String> shadow = fields("shadow", "alice");
    assertThat(shadow.subList(2, 9)).containsExactly("20500", "0", "99999", "7", "", "21000", "");
    String salt = shadow.get(1).split("\\$")[2];
    assertThat(shadow.get(1))
        .isEqualTo(
            Command.of("openssl", "passwd", "-6", "-salt", salt, "-stdin")
                .stdin("pa:ss wörd\n")
                .output());
    assertOwner(etc.resolve("shadow"), 0640, 0, 42);
    assertOwner(var.resolve("home"), 0755, 0, 0);
    assertOwner(var.resolve("home/alice"), 0700, 1500, 1500);
    assertOwner(var.resolve("home/alice/.profile"), 0644, 1500, 1500);
    assertOwner(var.resolve("home/alice/.ssh"), 0700, 1500, 1500);
    assertOwner(var.resolve("home/alice/.ssh/authorized_keys"), 0600, 1500, 1500);
    assertThat(var.resolve("home/alice/.ssh/authorized_keys")).hasContent(KEY);
    judge();
  }

  @Test
  void idsAreFreeOnesFromAThousandOn() throws Exception {
    apply(user("bob", "$6$s$h", null), user("eve", null, null));
    assertThat(fields("passwd", "bob").get(2)).isEqualTo("1000");
    assertThat(fields("passwd", "eve").get(2)).isEqualTo("1001");
    assertThat(fields("shadow", "bob").get(1)).isEqualTo("$6$s$h");
    assertThat(fields("shadow", "eve").get(1)).isEqualTo("!");
    judge();
  }

  @Test
  void rootGetsKeysAndIsNotMadeAnew() throws Exception {
    apply(user("root", null, KEY));
    assertThat(etc.resolve("passwd")).hasContent("root:x:0:0:root:/root:/bin/sh");
    assertThat(fields("shadow", "root").get(1)).isEqualTo("*");
    assertOwner(var.resolve("roothome"), 0700, 0, 0);
    assertOwner(var.resolve("roothome/.ssh/authorized_keys"), 0600, 0, 0);
  }

  @Test
  void theKeysOfSeveralEntriesForOneUserAddUp() throws Exception {
    String other = "ssh-rsa BBBB c@d";
    apply(user("alice", null, KEY), DiskConfig.User.withKey("alice", other));
    assertThat(var.resolve("home/alice/.ssh/authorized_keys"))
        .content()
        .isEqualTo(KEY + "\n" + other + "\n");
    judge();
  }

  @Test
  void aPasswordResetIsAskedFor() throws Exception {
    apply(
        new DiskConfig.User(
            "bob", null, "x", null, "/var/srv/bob", null, List.of(), null, 27, null, true));
    assertThat(fields("shadow", "bob").get(2)).isEqualTo("0");
    assertThat(fields("passwd", "bob").get(3)).isEqualTo("27");
    assertOwner(var.resolve("srv/bob"), 0700, 1000, 27);
    judge();
  }

  @Test
  void accountsOfTheImageInUsrLibCount() throws Exception {
    Path lib = Files.createDirectories(root.resolve("usr/lib"));
    Files.writeString(lib.resolve("group"), "wheel:x:10:\nusers:x:1000:\n");
    Files.writeString(lib.resolve("passwd"), "svc:x:1000:1000::/:/usr/sbin/nologin\n");
    apply(user("alice", null, KEY, "wheel"));
    assertThat(fields("group", "wheel")).containsExactly("wheel", "x", "10", "alice");
    assertThat(fields("passwd", "alice").get(2)).isEqualTo("1001");
    judge();
  }

  @Test
  void whatDoesNotFitIsRefused() {
    assertThatThrownBy(() -> apply(user("alice", null, null, "nosuch")))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("nosuch")
        .hasMessageEndingWith("make one with [[customizations.group]]");
    assertThatThrownBy(
            () ->
                apply(
                    new DiskConfig.User(
                        "alice", null, null, null, null, null, List.of(), 0, null, null, false)))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("uid 0");
    assertThatThrownBy(
            () ->
                apply(
                    new DiskConfig.User(
                        "alice", null, null, KEY, "/opt/a", null, List.of(), null, null, null,
                        false)))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("/opt/a");
  }

  private static DiskConfig.User with(
      String name, @Nullable String home, @Nullable Integer gid, String... groups) {
    return new DiskConfig.User(
        name, null, null, null, home, null, List.of(groups), null, gid, null, false);
  }

  /** Hashes of crypt(5), made by others, and marks that lock. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7",
        "$gy$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7",
        "$7$CU..../....DzOgKLu7XNrwTVEmzDJOt/$uxAtTEVbOgVEVjJrFH9yTcQ2bt1zmEbRbuy.qzxjZr7",
        "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
        "$2y$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
        "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
        "$5$rounds=1000$salt$0123456789012345678901234567890123456789012",
        "$1$salt$qJH7.N4xYta3aEG/dfqo/0",
        "!",
        "*",
        "!!",
        "!$6$salt$hash"
      })
  void aHashIsNotHashedAgain(String hash) throws Exception {
    apply(user("bob", hash, null));
    assertThat(fields("shadow", "bob").get(1)).isEqualTo(hash);
  }

  @Test
  void aLongPasswordIsNotCut() throws Exception {
    String password = "é".repeat(128);
    apply(user("bob", password, null), user("eve", "$money", null));
    String hash = fields("shadow", "bob").get(1);
    assertThat(hash)
        .isEqualTo(
            Command.of("python3", "-W", "ignore", "-c")
                .with("import crypt,sys; print(crypt.crypt(sys.argv[1], sys.argv[2]))")
                .with(password, hash)
                .output());
    assertThat(fields("shadow", "eve").get(1)).startsWith("$6$");
  }

  @Test
  void anExistingUserKeepsHisHomeAsItIs() throws Exception {
    Files.writeString(
        etc.resolve("passwd"),
        """
        root:x:0:0:root:/root:/bin/sh
        games:x:5:60:games:/usr/games:/usr/sbin/nologin
        www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
        nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
        """);
    Path www = Files.createDirectory(var.resolve("www"));
    Posix.lchown(OsPath.of(www), 33, 27);
    Posix.chmod(OsPath.of(www), 02775);
    apply(
        with("www-data", null, null, "sudo"),
        with("games", null, null, "sudo"),
        with("nobody", null, null, "sudo"));
    assertOwner(www, 02775, 33, 27);
    assertThat(fields("group", "sudo").get(3)).isEqualTo("carol,www-data,games,nobody");
    apply(user("www-data", null, KEY));
    assertOwner(www, 02775, 33, 27);
    assertOwner(www.resolve(".ssh/authorized_keys"), 0600, 33, 33);
    assertThatThrownBy(() -> apply(user("games", null, KEY)))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("/usr/games");
  }

  @Test
  void homesLieWhereTheLinksOfTheImageLead() throws Exception {
    Files.createSymbolicLink(root.resolve("srv"), Path.of("var/srv"));
    Files.createSymbolicLink(root.resolve("opt"), Path.of("/var/opt"));
    Files.createSymbolicLink(root.resolve("mnt"), Path.of("/elsewhere"));
    Files.createSymbolicLink(root.resolve("home"), Path.of("../../var/people"));
    apply(with("a", "/srv/a", null), with("b", "/opt/b/c", null), with("d", null, null));
    assertOwner(var.resolve("srv/a"), 0700, 1000, 1000);
    assertOwner(var.resolve("opt/b"), 0755, 0, 0);
    assertOwner(var.resolve("opt/b/c"), 0700, 1001, 1001);
    assertOwner(var.resolve("people/d"), 0700, 1002, 1002);
    for (String home : List.of("/mnt/x", "/usr/x", "/var", "/srvx")) {
      assertThatThrownBy(() -> apply(with("x", home, null)))
          .describedAs(home)
          .isInstanceOf(Problem.class)
          .hasMessageContaining("\"" + home + "\"");
    }
  }

  @Test
  void aNewHomeHasAllOfSkel() throws Exception {
    Path config = etc.resolve("skel/.config");
    Files.writeString(config.resolve("run"), "#!/bin/sh\n");
    Posix.chmod(OsPath.of(config.resolve("run")), 0750);
    Files.createSymbolicLink(config.resolve("link"), Path.of("/etc/shadow"));
    apply(user("bob", null, null));
    assertOwner(var.resolve("home/bob/.config/run"), 0750, 1000, 1000);
    assertThat(Files.readSymbolicLink(var.resolve("home/bob/.config/link")))
        .hasToString("/etc/shadow");
  }

  @Test
  void groupsFollowTheRulesOfGroupadd() throws Exception {
    assertThatThrownBy(() -> apply(with("bob", null, 5000)))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("gid 5000");
    assertThatThrownBy(() -> configured("x", 27))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("taken by \"sudo\"");
    assertThatThrownBy(() -> apply(user("sudo", null, null)))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("gid = 27");
    configured("bob", 2000, user("bob", null, null));
    assertThat(fields("passwd", "bob").subList(2, 4)).containsExactly("1000", "2000");
    judge();
  }

  private void configured(String group, int gid, DiskConfig.User... users) throws Exception {
    DiskConfig config =
        new DiskConfig(
            List.of(users),
            List.of(new DiskConfig.Group(group, gid)),
            List.of(),
            null,
            null,
            null,
            List.of(),
            List.of(),
            0);
    Accounts.apply(etc, var, config, TODAY);
  }

  @Test
  void anIdThatIsNoNumberIsTold() throws Exception {
    Files.writeString(etc.resolve("passwd"), "bob:x:many:0::/home/bob:/bin/sh\n");
    assertThatThrownBy(() -> apply(user("bob", null, KEY)))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("\"many\" of bob");
  }

  /** A sparse file of 3 GiB instead of accounts. */
  @Test
  void aHugeAccountFileIsRefused() throws Exception {
    try (var file = new java.io.RandomAccessFile(etc.resolve("passwd").toFile(), "rw")) {
      file.setLength(3L << 30);
    }
    assertThatThrownBy(() -> apply(user("bob", null, KEY)))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("small-file-bytes");
  }

  @Test
  void noLinkOfTheImageIsFollowed(@TempDir Path outside) throws Exception {
    Files.createSymbolicLink(var.resolve("home"), outside);
    assertThatThrownBy(() -> apply(user("alice", null, KEY))).isInstanceOf(Problem.class);
    Files.delete(var.resolve("home"));
    Files.createDirectories(var.resolve("home"));
    Files.createSymbolicLink(var.resolve("home/alice"), outside);
    assertThatThrownBy(() -> apply(user("alice", null, KEY))).isInstanceOf(Problem.class);
    Files.delete(etc.resolve("passwd"));
    Path victim = Files.writeString(outside.resolve("passwd"), "root:x:0:0::/:/bin/sh\n");
    Files.createSymbolicLink(etc.resolve("passwd"), victim);
    assertThatThrownBy(() -> apply(user("bob", null, KEY))).isInstanceOf(Problem.class);
    assertThat(victim).hasContent("root:x:0:0::/:/bin/sh");
    assertThat(outside).isDirectoryContaining(victim::equals);
    try (var names = Files.list(outside)) {
      assertThat(names).containsExactly(victim);
    }
  }
}
