package slipway.cli.disk;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.cli.Ran;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class KickstartToolTest {
  private static final String FINE =
      """
      lang de_DE.UTF-8
      autopart
      ostreecontainer --url=quay.io/org/image:tag
      sshkey --username=root "ssh-ed25519 A"
      """;

  @TempDir Path dir;

  private static Ran run(String... arguments) {
    return Ran.of("slipway", arguments);
  }

  private String file(String text) throws IOException {
    return Files.writeString(dir.resolve("x.ks"), text).toString();
  }

  @Test
  void errorsAreToldWithTheirPlaceAndEndWithOne() throws IOException {
    String name = file("text\npart / \u2013fstype=xfs\nbogus \u001b[2J\nreboot\n");
    Ran ran = run("kickstart", "check", "--version", "RHEL10", name);
    assertThat(ran.err())
        .isEqualTo(
            """
            F:2:8: error: Unexpected arguments to partition command: ['\u2013fstype=xfs']
                U+2013 EN DASH where -- was meant
            F:3:1: error: Unknown command: bogus
            error: an installer of RHEL10 refuses F, for 2 errors
            """
                .replace("F:", name + ":")
                .replace("F,", name + ","));
    assertThat(ran.out()).isEmpty();
    assertThat(ran.status()).isEqualTo(1);
  }

  @Test
  void warningsAreToldAndEndWithZero() throws IOException {
    String name = file(FINE);
    Ran ran = run("kickstart", "check", name);
    assertThat(ran.err())
        .isEqualTo(
            name
                + ":3:1: warning: nothing ends the installation: the installer waits for a key\n"
                + "    add reboot\n");
    assertThat(ran.out()).isEqualTo("an installer of F45 takes " + name + ", with 1 warning\n");
    assertThat(ran.status()).isZero();
  }

  @Test
  void jsonSaysTheSame() throws IOException {
    Ran ran = run("kickstart", "check", "--json", file(FINE + "%pre\n%end\ntext --bogus\u009b\n"));
    JsonNode json = JsonMapper.builder().build().readTree(ran.out());
    assertThat(json.get("valid").asBoolean()).isFalse();
    assertThat(json.get("version").asString()).isEqualTo("F45");
    assertThat(json.get("installs").get("ostreecontainer").asString())
        .isEqualTo("quay.io/org/image:tag");
    assertThat(json.get("sections").get(0).asString()).isEqualTo("%pre");
    JsonNode error = json.get("findings").get(0);
    assertThat(error.get("line").asInt()).isEqualTo(7);
    assertThat(error.get("column").asInt()).isEqualTo(6);
    assertThat(error.get("severity").asString()).isEqualTo("error");
    assertThat(ran.out()).doesNotContain("\u009b");
    assertThat(ran.err()).isEmpty();
    assertThat(ran.status()).isEqualTo(1);
  }

  @Test
  void standardInputIsRead() {
    InputStream before = System.in;
    try {
      System.setIn(new ByteArrayInputStream("btrfs\n".getBytes(StandardCharsets.UTF_8)));
      Ran ran = run("kickstart", "check", "--version", "rhel10", "-");
      assertThat(ran.err())
          .isEqualTo(
              """
              stdin:1:1: error: btrfs has been removed.
              error: an installer of RHEL10 refuses stdin, for 1 error
              """);
    } finally {
      System.setIn(before);
    }
  }

  @Test
  void aFileThatIsNotThereIsOneSentence() {
    Ran ran = run("kickstart", "check", "/no/such.ks");
    assertThat(ran.err()).isEqualTo("error: /no/such.ks does not exist\n");
    assertThat(ran.status()).isEqualTo(1);
  }
}
