package slipway.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import slipway.linux.process.Command;

/**
 * What a person sees who types something wrong: one sentence, the place, what to do; exit 1, or 2
 * for usage.
 */
@Tag("slow")
class CommandLineTest {
  @TempDir Path dir;

  @Test
  void versionAndHelp() {
    Cli cli = Cli.withState(dir);
    assertThat(cli.must("--version")).matches("slipway \\d+\\.\\d+\\.\\d+\\n");
    assertThat(cli.must("--help")).contains("build an image from a Containerfile");
    assertThat(cli.must("build", "--help")).contains("--build-arg");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          RUNN true                             | Containerfile:2 | RUNN
          COPY nothere /                        | Containerfile:2 | nothere
          RUN exit 3                            | Containerfile:2 | 3
          FROM localhost/no-such-image:1        | Containerfile:2 | no-such-image
          COPY --from=localhost/nostage /a /b   | Containerfile:2 | nostage
          ENV                                   | Containerfile:2 | ENV
          """)
  void aWrongContainerfileIsToldWithItsLine(String line, String place, String word)
      throws Exception {
    Files.writeString(dir.resolve("Containerfile"), "FROM scratch\n" + line + "\n");
    Command.Result result =
        Cli.withState(dir.resolve("state")).run("build", "-t", "x", dir.toString());
    // The steps come before it, as podman tells them.
    String last = result.stderr().strip().lines().reduce((a, b) -> b).orElse("");
    assertThat(last).startsWith("error: ").contains(place).contains(word);
    assertThat(result.status()).isEqualTo(1);
    assertThat(Cli.withState(dir.resolve("state")).must("images", "-q")).isBlank();
    assertThat(Files.readString(Path.of("/proc/self/mountinfo"))).doesNotContain(dir.toString());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          frobnicate                                | 2 | frobnicate
          images --frob                             | 2 | --frob
          inspect no-such-image                     | 1 | no-such-image
          rmi no-such-image                         | 1 | no-such-image
          tag no-such-image x                       | 1 | no-such-image
          pull 127.0.0.1:1/x:1                      | 1 | 127.0.0.1:1
          pull UPPER/Case                           | 1 | Case
          load -i /no/such/file                     | 1 | /no/such/file
          build --network=bridge .                  | 2 | --network
          system prune --filter until=xx            | 2 | until
          disk build --type floppy localhost/x      | 2 | floppy
          disk build localhost/no-such-image        | 1 | no-such-image
          disk build --size 99999999999999T x       | 2 | --size
          disk build --mode 9 x                     | 2 | --mode
          disk build --chown me x                   | 2 | --chown
          kickstart check /no/such/file.ks          | 1 | /no/such/file.ks
          kickstart check --version F1 /no/such     | 2 | --version
          vm run --format vmdk /etc/hostname        | 2 | --format
          vm run /etc/hostname                      | 2 | --format
          vm run /no/such/disk.raw                  | 1 | /no/such/disk.raw
          vm run --cpus 0 /no/such/disk.raw         | 2 | --cpus
          vm run --memory 1 /etc/hostname           | 2 | --memory
          vm run --forward 80 --format raw /etc/hostname | 2 | --forward
          save -o /no/such/x.tar no-such-image      | 2 | /no/such
          push x 127.0.0.1:99999/x                  | 1 | no image
          pull 127.0.0.1:99999/x                    | 1 | port
          system prune                              | 2 | --force
          """)
  void wrongArgumentsAreToldInOneSentence(String line, int status, String word) {
    Command.Result result = Cli.withState(dir.resolve("state")).run(line.split(" "));
    assertThat(result.stderr()).startsWith("error: ").contains(word);
    assertThat(result.stderr()).doesNotContain("internal error").doesNotContain("\tat ");
    assertThat(result.status()).isEqualTo(status);
  }

  @Test
  void aContainerfileMayComeByStandardInput() throws Exception {
    Path context = Files.createDirectory(dir.resolve("context"));
    Files.writeString(context.resolve("file"), "file\n");
    Cli cli = Cli.withState(dir.resolve("state"));
    Command build = cli.command("build", "-f", "-", "-t", "web:1", context.toString());
    build.stdin("FROM scratch\nCOPY file /\nLABEL from=stdin\n").run();
    assertThat(cli.must("inspect", "web:1")).containsPattern("\"from\" ?: ?\"stdin\"");
    Command.Result wrong = build.stdin("FROM scratch\nRUNN\n").tryRun();
    assertThat(wrong.stderr()).contains("error: /dev/stdin:2: ").contains("RUNN");
    assertThat(wrong.status()).isEqualTo(1);
  }

  /** Of three commands that fetch or send, each asks it. */
  @Test
  void whatRegistriesConfBlocksIsNeitherFetchedNorSent() throws Exception {
    Path conf =
        Files.writeString(
            dir.resolve("registries.conf"),
            "[[registry]]\nprefix = \"registry.invalid/os\"\nblocked = true\n");
    Files.writeString(dir.resolve("Containerfile"), "FROM scratch\nLABEL a=b\n");
    Files.writeString(dir.resolve("Blocked"), "FROM registry.invalid/os:1\n");
    Cli cli = Cli.withState(dir.resolve("state"));
    cli.must("build", "-t", "web:1", dir.toString());
    for (String line :
        List.of(
            "pull registry.invalid/os:1",
            "push web:1 registry.invalid/os/web:1",
            "build -f " + dir.resolve("Blocked") + " " + dir)) {
      Command.Result result =
          cli.command(line.split(" "))
              .environment("CONTAINERS_REGISTRIES_CONF", conf.toString())
              .tryRun();
      assertThat(result.stderr()).as(line).contains("registries.conf:2 blocks registry.invalid/os");
      assertThat(result.status()).as(line).isEqualTo(1);
    }
  }

  @Test
  void bootcOffAMachineSaysSo() {
    Command.Result result = Cli.withState(dir).run("bootc", "status");
    assertThat(result.status()).isZero();
    assertThat(result.text()).contains("kind: BootcHost").contains("booted: null");
    Command.Result upgrade = Cli.withState(dir).run("bootc", "upgrade");
    assertThat(upgrade.status()).isEqualTo(1);
    assertThat(upgrade.stderr()).startsWith("error: ");
  }
}
