package slipway.disk.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import slipway.base.Problem;
import slipway.disk.customize.Accounts;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;

class DiskConfigTest {
  private static final String TOML =
      """
      # a comment with unknown = words
      [[customizations.user]]
      name = "alice"
      password = "plain text"
      key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ alice@example"
      groups = ["wheel", "adm"]
      uid = 1234

      [[customizations.user]]
      name = "root"
      key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK root@example"

      [[customizations.group]]
      name = "wheel"
      gid = 900

      [customizations]
      hostname = "box"

      [customizations.kernel]
      append = "quiet  mitigations=off"

      [[customizations.filesystem]]
      mountpoint = "/"
      minsize = "10 GiB"

      [[customizations.files]]
      path = "/etc/issue.d/note"
      data = "hello"
      mode = "0640"
      """;

  @TempDir Path dir;

  private DiskConfig parse(String name, String text) throws Exception {
    return DiskConfig.parse(Files.writeString(dir.resolve(name), text));
  }

  @Test
  void readsToml() throws Exception {
    DiskConfig config = parse("config.toml", TOML);
    assertThat(config.users()).extracting(DiskConfig.User::name).containsExactly("alice", "root");
    assertThat(config.users().getFirst().groups()).containsExactly("wheel", "adm");
    assertThat(config.groups()).containsExactly(new DiskConfig.Group("wheel", 900));
    assertThat(config.kernelArguments()).containsExactly("quiet", "mitigations=off");
    assertThat(config.hostname()).isEqualTo("box");
    assertThat(config.rootMinimum()).isEqualTo(10L << 30);
    assertThat(config.files().getFirst().mode()).isEqualTo(0640);
    assertThat(config.users().getFirst().toString()).doesNotContain("plain text");
  }

  @Test
  void readsBothFormsOfJson() throws Exception {
    String inner = "{\"customizations\": {\"kernel\": {\"append\": \"a b\"}}}";
    assertThat(parse("c.json", inner).kernelArguments()).containsExactly("a", "b");
    assertThat(parse("d.json", "{\"blueprint\": " + inner + "}").kernelArguments())
        .containsExactly("a", "b");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      textBlock =
          """
          c.toml | customization = 1                                            | :1: unknown key "customization"
          c.toml | [customizations.user]                                        | is not a list
          c.toml | [[customizations.user]]                                      | lacks name
          c.json | {"customizations": {"user": [{"name": "a", "shel": "x"}]}}   | unknown key "customizations.user[0].shel"
          c.json | {"customizations": {"user": [{"name": "a:b"}]}}              | customizations.user[0].name
          c.json | {"customizations": {"user": [{"name": "a", "key": "junk"}]}} | not an SSH public key
          c.json | {"customizations": {"user": [{"name": "a", "uid": -1}]}}     | not a number
          c.json | {"customizations": {"user": [{"name": "a", "home": "/a/../b"}]}} | without dots
          c.json | {"customizations": {"files": [{"path": "/etc/passwd"}]}}     | not allowed
          c.json | {"customizations": {"files": [{"path": "/usr/bin/x"}]}}      | not allowed
          c.json | {"customizations": {"disk": {}}}                             | customizations.disk is not supported
          c.json | {} {}                                                        | c.json:1:
          c.json | {"a": 1, "a": 2}                                             | c.json:1:
          c.json | {"customizations":                                           | c.json:1: the file ends too early
          c.toml | a = = 1                                                      | c.toml:1:
          c.yaml | a: 1                                                         | unsupported file extension
          """)
  void whatIsWrongIsToldWithItsPlace(String name, String text, String words) {
    assertThatThrownBy(() -> parse(name, text))
        .isInstanceOf(Problem.class)
        .hasMessageContaining(words)
        .hasMessageContaining(name);
  }

  @Test
  void damagedTextIsAnErrorOfTheInput() throws Exception {
    long seed = System.nanoTime();
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    for (int i = 0; i < 2000; i++) {
      StringBuilder damaged = new StringBuilder(TOML);
      for (int k = random.nextInt(1, 4); k > 0; k--) {
        int at = random.nextInt(damaged.length());
        damaged.setCharAt(at, (char) random.nextInt(32, 127));
      }
      try {
        parse("config.toml", damaged.toString());
      } catch (Problem e) {
        assertThat(e.kind()).as("seed %d", seed).isEqualTo(Problem.Kind.INPUT);
      }
    }
  }

  @Test
  void accountsAreWrittenWithoutRunningTheImage() throws Exception {
    Path etc = Files.createDirectories(dir.resolve("etc"));
    Path var = Files.createDirectories(dir.resolve("var"));
    Files.createDirectories(etc.resolve("skel"));
    Files.writeString(etc.resolve("skel/.profile"), "p\n");
    Files.writeString(
        etc.resolve("passwd"),
        "root:x:0:0:root:/root:/bin/bash\nold:x:1000:1000::/home/old:/bin/sh\n");
    Files.writeString(etc.resolve("group"), "root:x:0:\nadm:x:4:syslog\nold:x:1000:\n");
    Files.writeString(etc.resolve("shadow"), "root:*:1::::::\n");
    Files.writeString(etc.resolve("gshadow"), "adm:*::syslog\n");
    Posix.chmod(OsPath.of(etc.resolve("shadow")), 0640);
    DiskConfig config =
        parse("config.toml", TOML).withUser(DiskConfig.User.withKey("bob", "ssh-rsa AAAA b"));
    Accounts.apply(etc, var, config, LocalDate.of(2026, 1, 1));
    assertThat(etc.resolve("passwd"))
        .content()
        .contains(
            "alice:x:1234:1234::/home/alice:/bin/bash\n", "bob:x:1001:1001::/home/bob:/bin/bash\n");
    assertThat(etc.resolve("group"))
        .content()
        .contains("adm:x:4:syslog,alice\n", "wheel:x:900:alice\n", "bob:x:1001:\n");
    String hash =
        Files.readAllLines(etc.resolve("shadow")).stream()
            .filter(l -> l.startsWith("alice:"))
            .findFirst()
            .orElseThrow()
            .split(":")[1];
    String salt = hash.split("\\$")[2];
    assertThat(
            slipway.linux.process.Command.of("openssl", "passwd", "-6", "-salt", salt, "-stdin")
                .stdin("plain text\n")
                .output())
        .isEqualTo(hash);
    assertThat(Posix.lstat(OsPath.of(etc.resolve("shadow"))).permissions()).isEqualTo(0640);
    var keys = Posix.lstat(OsPath.of(var.resolve("home/alice/.ssh/authorized_keys")));
    assertThat(keys.permissions()).isEqualTo(0600);
    assertThat(keys.uid()).isEqualTo(1234);
    assertThat(var.resolve("home/alice/.profile")).exists();
    assertThat(var.resolve("roothome/.ssh/authorized_keys")).content().contains("root@example");
  }

  @Test
  void aLinkInTheImageLeadsNowhere() throws Exception {
    Path etc = Files.createDirectories(dir.resolve("etc"));
    Path var = Files.createDirectories(dir.resolve("var"));
    Files.createDirectories(dir.resolve("outside"));
    Files.createSymbolicLink(var.resolve("home"), dir.resolve("outside"));
    DiskConfig config = DiskConfig.EMPTY.withUser(DiskConfig.User.withKey("bob", "ssh-rsa AAAA b"));
    assertThatThrownBy(() -> Accounts.apply(etc, var, config, LocalDate.of(2026, 1, 1)))
        .isInstanceOf(Problem.class);
    assertThat(dir.resolve("outside")).isEmptyDirectory();
    Files.delete(etc.resolve("passwd"));
    Files.createSymbolicLink(etc.resolve("passwd"), Path.of("/etc/passwd"));
    assertThatThrownBy(() -> Accounts.apply(etc, var, config, LocalDate.of(2026, 1, 1)))
        .hasMessageContaining("not a regular file");
  }
}
