package slipway.disk.config;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.assertj.core.groups.Tuple;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.base.Problem;

class DiskConfigCorpusTest {
  @TempDir Path directory;

  private DiskConfig parse(String name, String text) {
    try {
      return DiskConfig.parse(Files.writeString(directory.resolve(name), text));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static final String FULL =
      """
      name = "web"
      description = "a machine"
      version = "0.0.1"

      [[customizations.user]]
      name = "alice"
      description = "Alice Ängström"
      password = "$6$salt$01234567890123456789012345678901234567890123456789012345678901234567890123456789012345"
      key = "ssh-ed25519 AAAA alice@example"
      home = "/var/home/alice"
      shell = "/bin/sh"
      groups = ["sudo", "video"]
      uid = 1234
      gid = 1235
      expiredate = 20000
      force_password_reset = true

      [[customizations.group]]
      name = "web"
      gid = 2000

      [[customizations.sshkey]]
      user = "root"
      key = "ssh-rsa AAAA root@example"

      [customizations.kernel]
      append = "  mitigations=off   quiet "

      [[customizations.filesystem]]
      mountpoint = "/"
      minsize = "10 GiB"

      [[customizations.filesystem]]
      mountpoint = "/boot"
      size = "2 GiB"

      [[customizations.filesystem]]
      mountpoint = "/var/log"
      minsize = "3 GiB"

      [[customizations.filesystem]]
      mountpoint = "/var/lib/db"

      [customizations.services]
      enabled = ["sshd", "web.socket"]
      disabled = ["cups.service"]
      masked = ["fstrim.timer"]

      [customizations.firewall]
      ports = ["22:tcp", "8000-8010/udp"]

      [customizations.firewall.services]
      enabled = ["http"]
      disabled = ["telnet"]

      [[customizations.firewall.zones]]
      name = "office"
      sources = ["192.0.2.0/24", "2001:db8::1"]

      [[customizations.files]]
      path = "/etc/motd"
      data = "hello\\n"
      mode = "0600"
      user = "alice"
      group = 0

      [[customizations.directories]]
      path = "/etc/app/conf"
      mode = "750"
      ensure_parents = true

      [customizations.timezone]
      timezone = "Europe/Berlin"
      ntpservers = ["ntp.example", "192.0.2.1"]

      [customizations.locale]
      languages = ["de_DE.UTF-8", "en_US.UTF-8"]
      keyboard = "de-latin1"
      """;

  @Test
  void everyKeyOfTomlIsRead() {
    DiskConfig config = parse("config.toml", FULL);
    assertThat(config.users())
        .containsExactly(
            new DiskConfig.User(
                "alice",
                "Alice Ängström",
                "$6$salt$01234567890123456789012345678901234567890123456789012345678901234567890123456789012345",
                "ssh-ed25519 AAAA alice@example",
                "/var/home/alice",
                "/bin/sh",
                List.of("sudo", "video"),
                1234,
                1235,
                20000,
                true),
            DiskConfig.User.withKey("root", "ssh-rsa AAAA root@example"));
    assertThat(config.groups()).containsExactly(new DiskConfig.Group("web", 2000));
    assertThat(config.kernelArguments()).containsExactly("mitigations=off", "quiet");
    assertThat(config.rootMinimum()).isEqualTo(10L << 30);
    assertThat(config.bootMinimum()).isEqualTo(2L << 30);
    assertThat(config.layout().partitions())
        .extracting(p -> p.content().places(), DiskLayout.Partition::minimum)
        .containsExactly(
            Tuple.tuple(List.of("/var/log"), 3L << 30),
            Tuple.tuple(List.of("/var/lib/db"), 1L << 30));
    assertThat(config.keymap()).isEqualTo("de-latin1");
    assertThat(config.timeServers()).containsExactly("ntp.example", "192.0.2.1");
    assertThat(config.services())
        .isEqualTo(
            new DiskConfig.Services(
                List.of("sshd.service", "web.socket"),
                List.of("cups.service"),
                List.of("fstrim.timer")));
    assertThat(config.firewall())
        .isEqualTo(
            new DiskConfig.Firewall(
                List.of(
                    new DiskConfig.Firewall.Port("22", "tcp"),
                    new DiskConfig.Firewall.Port("8000-8010", "udp")),
                List.of("http"),
                List.of("telnet"),
                List.of(
                    new DiskConfig.Firewall.Zone(
                        "office", List.of("192.0.2.0/24", "2001:db8::1")))));
    assertThat(config.files())
        .containsExactly(new DiskConfig.CustomFile("/etc/motd", "hello\n", 0600, "alice", "0"));
    assertThat(config.directories())
        .containsExactly(
            new DiskConfig.CustomDirectory("/etc/app/conf", 0750, "root", "root", true));
    assertThat(config.timezone()).isEqualTo("Europe/Berlin");
    assertThat(config.locale()).isEqualTo("de_DE.UTF-8");
    assertThat(config.hostname()).isNull();
  }

  @Test
  void jsonAndItsOlderFormMeanTheSame() {
    String customizations =
        """
        {"customizations": {"hostname": "web", "kernel": {"append": "a=b"},
          "user": [{"name": "bob", "password": "pa:ss", "groups": ["sudo"]}]}}
        """;
    DiskConfig config = parse("config.json", customizations);
    assertThat(config.hostname()).isEqualTo("web");
    assertThat(config.users().getFirst().password()).isEqualTo("pa:ss");
    assertThat(parse("old.json", "{\"blueprint\": " + customizations + "}")).isEqualTo(config);
    assertThat(parse("empty.json", "{}")).isEqualTo(DiskConfig.EMPTY);
    assertThat(parse("empty.toml", "# nothing\n")).isEqualTo(DiskConfig.EMPTY);
  }

  static Stream<Arguments> sizes() {
    return Stream.of(
        Arguments.of("10", 10L),
        Arguments.of("\"10\"", 10L),
        Arguments.of("\"1 kB\"", 1000L),
        Arguments.of("\"1KiB\"", 1024L),
        Arguments.of("\"1.5 GiB\"", 3L << 29),
        Arguments.of("\"2 TB\"", 2_000_000_000_000L));
  }

  @ParameterizedTest
  @MethodSource("sizes")
  void sizesHaveUnits(String written, long bytes) {
    String text = "[[customizations.filesystem]]\nmountpoint = \"/\"\nminsize = " + written;
    assertThat(parse("size.toml", text).rootMinimum()).isEqualTo(bytes);
  }

  /** Text, the line that must be named, and a word of the sentence. */
  static Stream<Arguments> wrong() {
    String user = "[[customizations.user]]\nname = \"alice\"\n";
    return Stream.of(
        Arguments.of("\na = \n", 2, ""),
        Arguments.of("nmae = \"x\"\n", 1, "unknown key \"nmae\""),
        Arguments.of("\n[[customization.user]]\n", 2, "; did you mean customizations?"),
        Arguments.of(
            "\n[customizations.ignition.embedded]\n",
            2,
            "customizations.ignition is not supported"),
        Arguments.of("\ncustomization.user.name = 1\n", 2, "unknown key \"customization\""),
        Arguments.of("[[a]\n\nb = 1\n", 1, "found \"]\" where \"]]\" belongs"),
        Arguments.of("\na = hello\n", 2, "texts stand in quotes"),
        Arguments.of("[customizations]\nhostname = \"my host\"\n", 2, "letters, digits and -"),
        Arguments.of(user.replace("alice", "Ad min"), 2, "letters, digits, . _ and -"),
        Arguments.of("\n[customization]\n", 2, "unknown key \"customization\""),
        Arguments.of(user + "passwd = \"x\"\n", 3, "customizations.user[0].passwd"),
        Arguments.of(user + "uid = \"7\"\n", 3, "customizations.user[0].uid"),
        Arguments.of(user + "uid = -7\n", 3, "customizations.user[0].uid"),
        Arguments.of(user + "key = \"not a key\"\n", 3, "SSH public key"),
        Arguments.of(user + "home = \"home/alice\"\n", 3, "absolute"),
        Arguments.of(user + "home = \"/var/home/../../etc\"\n", 3, "absolute"),
        Arguments.of(user + "shell = \"/bin/sh:x\"\n", 3, "colon"),
        Arguments.of(user + "description = \"a\\nroot::0:0::/:/bin/sh\"\n", 3, "line end"),
        Arguments.of(user + "password = \"a\\nb\"\n", 3, "line end"),
        Arguments.of(user + "password = \"$6$a$b:0\"\n", 3, "colon"),
        Arguments.of(user + "groups = \"sudo\"\n", 3, "list"),
        Arguments.of(user + "groups = [\"a:b\"]\n", 3, "groups"),
        Arguments.of("[[customizations.user]]\nkey = \"ssh-rsa A b\"\n", 1, "lacks name"),
        Arguments.of("[[customizations.user]]\nname = \"a:b\"\n", 2, "name"),
        Arguments.of("[[customizations.user]]\nname = \"../x\"\n", 2, "name"),
        Arguments.of("[customizations.user]\nname = \"alice\"\n", 1, "[[customizations.user]]"),
        Arguments.of("[customizations]\nhostname = \"-x\"\n", 2, "hostname"),
        Arguments.of("[customizations]\nhostname = \"a\\nb\"\n", 2, "hostname"),
        Arguments.of("[customizations.timezone]\ntimezone = \"../../etc/shadow\"\n", 2, "zone"),
        Arguments.of(
            "[customizations.disk]\ntype = \"mbr\"\n",
            2,
            "unknown partition table type: \"mbr\" (valid: gpt, dos)"),
        Arguments.of(
            "[customizations.disk]\nminsize = \"big\"\n", 2, "customizations.disk.minsize"),
        Arguments.of("[customizations.disk]\nminsze = 1\n", 2, "did you mean minsize?"),
        Arguments.of("[customizations]\ndisk = 1\n", 2, "customizations.disk is not a table"),
        Arguments.of(
            "[[customizations.filesystem]]\nmountpoint = \"/\"\n[customizations.disk]\n",
            3,
            "cannot combine disk and filesystem customizations"),
        Arguments.of("[[customizations.files]]\npath = \"/etc/shadow\"\n", 2, "not allowed"),
        Arguments.of("[[customizations.files]]\npath = \"/usr/bin/x\"\n", 2, "not allowed"),
        Arguments.of("[[customizations.files]]\npath = \"/etc/../x\"\n", 2, "absolute"),
        Arguments.of(
            "[[customizations.files]]\npath = \"/etc/x\"\nmode = \"9\"\n", 3, "files[0].mode"),
        Arguments.of("[[customizations.directories]]\npath = \"/opt/x\"\n", 2, "/opt/x"),
        Arguments.of(
            "[[customizations.filesystem]]\nmountpoint = \"/usr/lib\"\n",
            2,
            "path \"/usr/lib\" is not allowed"),
        Arguments.of(
            "[[customizations.filesystem]]\nmountpoint = \"/boot/efi\"\n",
            2,
            "path \"/boot/efi\" is not allowed"),
        Arguments.of(
            "[[customizations.filesystem]]\nmountpoint = \"/\"\nminsize = \"10 furlongs\"\n",
            3,
            "size"),
        Arguments.of(
            "[[customizations.filesystem]]\nmountpoint = \"/\"\nminsize = 9223372036854775807\n",
            3,
            "larger than any disk"),
        Arguments.of(
            "[[customizations.filesystem]]\nmountpoint = \"/\"\nminsize = \"2000000 TiB\"\n",
            3,
            "larger than any disk"),
        Arguments.of(
            "[[customizations.filesystem]]\nmountpoint = \"/\"\nminsize = 1\n"
                + "[[customizations.filesystem]]\nmountpoint = \"/\"\n",
            5,
            "already"),
        Arguments.of("[customizations.services]\nenabld = [\"a\"]\n", 2, "did you mean enabled?"),
        Arguments.of("[customizations.services]\nenabled = [\"../a\"]\n", 2, "name of a unit"),
        Arguments.of(
            "[customizations.services]\nenabled = [\"a\"]\nmasked = [\"a.service\"]\n",
            2,
            "a.service cannot be enabled, and"),
        Arguments.of("[customizations.firewall]\nports = [\"80\"]\n", 2, "not a port"),
        Arguments.of("[customizations.firewall]\nports = [\"9-8:tcp\"]\n", 2, "not a port"),
        Arguments.of("[customizations.firewall]\nports = [\"65536:tcp\"]\n", 2, "not a port"),
        Arguments.of("[customizations.firewall]\nports = [\"imap:tcp\"]\n", 2, "in numbers"),
        Arguments.of(
            "[[customizations.firewall.zones]]\nname = \"a\"\nsources = [\"\\\"/>\"]\n",
            3,
            "address"),
        Arguments.of("[customizations.locale]\nkeyboard = \"a b\"\n", 2, "keymap"),
        Arguments.of("[customizations.timezone]\nntpservers = [\"a b\"]\n", 2, "server's name"),
        Arguments.of("[customizations.kernel]\nappend = 'a=\"b c'\n", 2, "double quotes"),
        Arguments.of("[customizations.kernel]\nappend = \"a\\nlinux /x\"\n", 2, "one line"),
        Arguments.of("[customizations.kernel]\nappend = \"a\\u0000b\"\n", 2, "kernel.append"),
        Arguments.of("[customizations.kernel]\nappend = \"a\\u001b[2J\"\n", 2, "\\x1b[2J"),
        Arguments.of("[customizations.kernel]\nappend = \"a\\rb\"\n", 2, "kernel.append"),
        Arguments.of(user + "description = \"a\\u001b[31m\"\n", 3, "\\x1b[31m"),
        Arguments.of(user + "description = \"a\\rb\"\n", 3, "control character"),
        Arguments.of(user + "description = \"a\\u0000b\"\n", 3, "control character"),
        Arguments.of(user + "key = \"ssh-rsa A b\\u001b[2J\"\n", 3, "control character"),
        Arguments.of(user + "home = \"/a\\u0007\"\n", 3, "control character"),
        Arguments.of(user + "password = \"" + "x".repeat(257) + "\"\n", 3, "256 bytes"),
        Arguments.of(user + "password = \"$y$j9T$a b\"\n", 3, "hash"),
        Arguments.of("[customizations]\nfips = true\n", 2, "customizations.fips is not supported"),
        Arguments.of("[customizations.ignition]\n", 1, "ignition is not supported"),
        Arguments.of(
            "[customizations.bootloader.grub2]\nterminal_output = [\"gfxterm\"]\n",
            2,
            "console or serial"),
        Arguments.of(
            "[customizations.bootloader.grub2]\nserial = \"--unit=0; reboot\"\n",
            2,
            "options of GRUB's command serial"),
        Arguments.of(user + "password = \"$6$...\"\n", 3, "whole"),
        Arguments.of(user + "password = \"$6$salt$abc\"\n", 3, "whole"),
        Arguments.of(user + "password = \"$2b$10$N9qo8uLOickgx2ZMRZoMye\"\n", 3, "whole"),
        Arguments.of(user + "force_password_reset = \"yes\"\n", 3, "true nor false"),
        Arguments.of(
            "[[customizations.directories]]\npath = \"/etc/x\"\nensure_parents = 1\n",
            3,
            "true nor false"),
        Arguments.of("[[customizations.user]]\nname = \"123\"\n", 2, "name"),
        Arguments.of("[[customizations.user]]\nname = \"..\"\n", 2, "name"),
        Arguments.of("[[customizations.user]]\nname = \"-a\"\n", 2, "name"),
        Arguments.of("[customizations]\nhostname = \"a..b\"\n", 2, "hostname"),
        Arguments.of("[customizations]\nhostname = \"" + "a".repeat(65) + "\"\n", 2, "hostname"),
        Arguments.of(
            "[[customizations.files]]\npath = \"/usr/local/bin/x\"\n", 2, "read-only part"),
        Arguments.of("[[customizations.files]]\npath = \"/etc/a/../b\"\n", 2, "write \"/etc/b\""));
  }

  @ParameterizedTest
  @MethodSource("wrong")
  void whatIsWrongIsToldWithItsPlace(String text, int line, String word) {
    assertThatThrownBy(() -> parse("config.toml", text))
        .isInstanceOfSatisfying(
            Problem.class,
            p -> {
              assertThat(p.kind()).isEqualTo(Problem.Kind.INPUT);
              assertThat(p.getMessage())
                  .startsWith(directory.resolve("config.toml") + ":" + line + ": ")
                  .contains(word)
                  .hasLineCount(1);
            });
  }

  @Test
  void quotedBlanksOfTheKernelsArgumentsStay() {
    String text = "[customizations.kernel]\nappend = 'quiet  foo=\"a  b\" c=1'\n";
    assertThat(parse("config.toml", text).kernelArguments())
        .containsExactly("quiet", "foo=\"a  b\"", "c=1");
  }

  /** JSON's null stands for a key that is not there, as in the reference. */
  @Test
  void nullIsNothing() {
    String text =
        """
        {"name": null, "customizations": {"user": null, "group": null, "kernel": {"append": null},
          "hostname": null, "timezone": null, "locale": {"languages": null}, "directories": null,
          "files": [{"path": "/etc/x", "data": null, "mode": null, "user": null, "group": null}],
          "filesystem": [{"mountpoint": "/", "minsize": null}],
          "sshkey": [{"user": "a", "key": "ssh-rsa A b"}]}}
        """;
    DiskConfig config = parse("null.json", text);
    assertThat(config.users()).containsExactly(DiskConfig.User.withKey("a", "ssh-rsa A b"));
    assertThat(config.files())
        .containsExactly(new DiskConfig.CustomFile("/etc/x", "", 0644, "root", "root"));
    assertThat(config.rootMinimum()).isZero();
    assertThat(parse("all.json", "{\"customizations\": null}")).isEqualTo(DiskConfig.EMPTY);
  }

  @Test
  void keysMayHaveTheLineEndsOfWindows() {
    String text =
        "[[customizations.user]]\nname = \"a\"\nkey = \"ssh-rsa A b\\r\\nssh-rsa C d\\r\\n\"\n";
    assertThat(parse("config.toml", text).users().getFirst().key())
        .isEqualTo("ssh-rsa A b\nssh-rsa C d");
  }

  @ParameterizedTest
  @ValueSource(strings = {"first.last", "Admin", "domain.users", "_x", "a-b", "svc$"})
  void namesAreThoseOfUseradd(String name) {
    String text = "[[customizations.user]]\nname = \"" + name + "\"\ngroups = [\"" + name + "\"]\n";
    assertThat(parse("config.toml", text).users().getFirst().name()).isEqualTo(name);
  }

  /** One file often serves an installer too. */
  @Test
  void keysOfInstallersAreIgnoredAloud() throws IOException {
    String text =
        """
        [customizations.installer.kickstart]
        contents = "text"
        [customizations.iso]
        volume_id = "X"
        """;
    List<String> warnings = new ArrayList<>();
    Path file = Files.writeString(directory.resolve("other.toml"), text);
    DiskConfig.parse(file, new DiskConfig.Unsupported(false, warnings::add));
    assertThat(warnings)
        .containsExactly(
            file + ":1: customizations.installer is of installers, and no disk's; ignored",
            file + ":3: customizations.iso is of installers, and no disk's; ignored");
  }

  /** What bootc-image-builder passes over is an error, unless somebody wants it so. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          [[packages]]                              | packages does nothing on disks of images; the image's Containerfile
          [[containers]]                            | bound-images.d
          distro = "fedora-42"                      | the image decides it
          arch = "x86_64"                           | --target-arch
          [customizations.kernel];name = "rt"       | kernel.append
          [customizations.repositories]             | Containerfile
          [customizations.rhsm]                     | Containerfile
          [customizations.cacerts]                  | Containerfile
          [customizations.sshd]                     | customizations.files
          [customizations.fdo]                      | customizations.user
          [customizations.firstboot]                | customizations.services
          [customizations];partitioning_mode = "a"  | customizations.filesystem
          """)
  void whatDoesNothingNamesWhatDoes(String text, String words) throws IOException {
    Path file = Files.writeString(directory.resolve("config.toml"), text.replace(";", "\n") + "\n");
    assertThatThrownBy(() -> DiskConfig.parse(file))
        .isInstanceOf(Problem.class)
        .hasMessageContaining(words)
        .hasMessageEndingWith(", and --ignore-warnings passes it over");
    List<String> warnings = new ArrayList<>();
    DiskConfig.parse(file, new DiskConfig.Unsupported(true, warnings::add));
    assertThat(warnings).singleElement().asString().contains(words);
  }

  @Test
  void aConfigMayComeFromElsewhere() throws IOException {
    DiskConfig.Unsupported none = new DiskConfig.Unsupported(false, warning -> {});
    for (String text :
        List.of(
            "[customizations]\nhostname = \"box\"\n",
            "\n {\"customizations\": {\"hostname\": \"box\"}}")) {
      InputStream in = new ByteArrayInputStream(text.getBytes(UTF_8));
      assertThat(DiskConfig.parse(in, "stdin", none).hostname()).isEqualTo("box");
    }
    InputStream in = new ByteArrayInputStream("[customizations]\nx = 1\n".getBytes(UTF_8));
    assertThatThrownBy(() -> DiskConfig.parse(in, "stdin", none))
        .hasMessageStartingWith("stdin:2: ");
  }

  @Test
  void aFolderHasOneConfigOrNone() throws IOException {
    assertThat(DiskConfig.in(directory)).isEmpty();
    Path json = Files.writeString(directory.resolve("config.json"), "{}");
    assertThat(DiskConfig.in(directory)).contains(json);
    Path toml = Files.writeString(directory.resolve("config.toml"), "");
    assertThatThrownBy(() -> DiskConfig.in(directory))
        .hasMessageContaining("found \"config.json\" and also \"config.toml\"");
    Files.delete(json);
    assertThat(DiskConfig.in(directory)).contains(toml);
  }

  @Test
  void theLineIsThatOfTheEntryNotOfTheFirstSuchKey() {
    String text =
        """
        [[customizations.user]]
        name = "alice"
        uid = 1000

        [[customizations.user]]
        name = "bob"
        # uid = 7
        uid = "x"
        """;
    assertThatThrownBy(() -> parse("two.toml", text))
        .hasMessageContaining("two.toml:8: customizations.user[1].uid");
    String json =
        """
        {"customizations": {"user": [
          {"name": "alice", "uid": 1000},
          {"name": "bob",
           "uid": "x"}]}}
        """;
    assertThatThrownBy(() -> parse("two.json", json))
        .hasMessageContaining("two.json:4: customizations.user[1].uid");
  }

  @Test
  void brokenJsonAndStrangeFilesAreRefused() throws Exception {
    for (String text :
        List.of(
            "", "[]", "3", "{", "{} {}", "{\"name\": \"a\", \"name\": \"b\"}", "{\"name\": 1,}")) {
      assertThatThrownBy(() -> parse("broken.json", text))
          .describedAs(text)
          .isInstanceOf(Problem.class);
    }
    assertThatThrownBy(() -> parse("config.yaml", "")).hasMessageContaining("extension");
    assertThatThrownBy(() -> DiskConfig.parse(directory.resolve("absent.toml")))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("absent.toml");
    Path binary = Files.write(directory.resolve("binary.toml"), new byte[] {(byte) 0xff, 0, 1});
    assertThatThrownBy(() -> DiskConfig.parse(binary)).isInstanceOf(Problem.class);
  }

  @Test
  void aPasswordIsNeverInAMessage() {
    assertThatThrownBy(
            () ->
                parse(
                    "secret.toml",
                    "[[customizations.user]]\nname = \"a\"\npassword = \"hunter2\\nx\"\n"))
        .message()
        .doesNotContain("hunter2");
    assertThat(
            parse(
                    "secret.json",
                    "{\"customizations\":{\"user\":[{\"name\":\"a\",\"password\":\"hunter2\"}]}}")
                .toString())
        .doesNotContain("hunter2");
  }

  /** Whatever is done to a valid file, the answer is a config or a Problem. */
  @Test
  void mutilatedFilesNeverCrashTheParser() {
    long seed = new Random().nextLong();
    System.out.println("DiskConfigCorpusTest seed " + seed);
    Random random = new Random(seed);
    for (int i = 0; i < 500; i++) {
      StringBuilder text = new StringBuilder(i % 2 == 0 ? FULL : DiskKeysTest.PARTITIONS);
      for (int n = random.nextInt(4); n >= 0; n--) {
        int at = random.nextInt(text.length());
        switch (random.nextInt(3)) {
          case 0 -> text.deleteCharAt(at);
          case 1 -> text.insert(at, (char) random.nextInt(1, 128));
          default -> text.delete(at, Math.min(text.length(), at + random.nextInt(40)));
        }
      }
      try {
        parse("mutilated.toml", text.toString());
      } catch (Problem e) {
        assertThat(e.getMessage()).contains("mutilated.toml");
      }
    }
  }
}
