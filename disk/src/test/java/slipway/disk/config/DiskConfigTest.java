package slipway.disk.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import slipway.base.Problem;

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

  @Test
  void whatGrubShallUseIsItsCommands() throws Exception {
    String text =
        """
        [customizations.bootloader.grub2]
        terminal_input = ["serial"]
        terminal_output = ["console", "serial"]
        serial = "serial --unit=1 --speed=9600"
        """;
    assertThat(parse("c.toml", text).console().asked())
        .isEqualTo(
            """
            serial --unit=1 --speed=9600
            terminal_input serial
            terminal_output console serial
            """);
    assertThat(parse("d.toml", "").console()).isEqualTo(GrubConsole.USUAL);
    assertThat(GrubConsole.USUAL.asked()).isEmpty();
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
          c.json | {"customizations": {"disk": {"type": "apm"}}}                | customizations.disk.type: unknown partition table type
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

  /** As bootc-image-builder has it. */
  @Test
  void aKickstartFileStandsForAllElse() throws Exception {
    Path file = Files.createTempFile("kickstart", ".toml");
    String kickstart = "[customizations.installer.kickstart]\ncontents = \"autopart\"\n";
    try {
      Files.writeString(file, kickstart);
      assertThat(DiskConfig.kickstart(file)).contains("autopart");
      Files.writeString(file, "[customizations.kernel]\nappend = \"a\"\n" + kickstart);
      assertThat(DiskConfig.kickstart(file)).contains("autopart");
      Files.writeString(file, "[customizations]\nhostname = \"x\"\n" + kickstart);
      assertThatThrownBy(() -> DiskConfig.kickstart(file))
          .hasMessageContaining("customizations.hostname is not compatible with the user-supplied");
      Files.writeString(file, "[customizations.installer]\nunattended = true\n");
      assertThatThrownBy(() -> DiskConfig.kickstart(file))
          .hasMessageContaining("--installer-mode unattended");
      Files.writeString(file, "[customizations.installer.modules]\nenable = [\"x\"]\n");
      assertThatThrownBy(() -> DiskConfig.kickstart(file)).hasMessageContaining("Anaconda");
      Files.writeString(file, "[customizations]\nhostname = \"x\"\n");
      assertThat(DiskConfig.kickstart(file)).isEmpty();
    } finally {
      Files.delete(file);
    }
  }
}
