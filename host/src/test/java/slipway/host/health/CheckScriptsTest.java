package slipway.host.health;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.host.health.HealthCheck.Kind;
import slipway.host.health.HealthCheck.Result;
import slipway.host.system.HostMachine;

/** Which scripts are run, how, and what is made of their end. */
class CheckScriptsTest {
  private HostMachine machine;

  @BeforeEach
  void start() throws IOException {
    machine = new HostMachine();
  }

  @AfterEach
  void stop() throws IOException {
    machine.close();
  }

  private Path file(String path, String text) throws IOException {
    Path file = machine.root().resolve(path);
    Files.createDirectories(file.getParent());
    return Files.writeString(file, text);
  }

  private void script(String path, String text) throws IOException {
    Files.setPosixFilePermissions(
        file(path, "#!/bin/sh\n" + text + "\n"), PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private List<HealthCheck> check() throws IOException {
    return new CheckScripts(machine.environment()).check();
  }

  private static String told(HealthCheck check) {
    return check.name() + " " + check.kind() + " " + check.result() + " " + check.message();
  }

  @Test
  void ourFolderHoldsProgramsAndEtcComesFirst() throws IOException {
    script("usr/lib/bootc/health.d/20-b", "echo of the image; exit 1");
    script("etc/bootc/health.d/20-b", "echo of the administrator");
    script("usr/lib/bootc/health.d/10-a", "echo first; echo last >&2; echo; exit 3");
    script("usr/lib/bootc/health.d/30-hidden", "exit 1");
    Files.createSymbolicLink(
        machine.root().resolve("etc/bootc/health.d/30-hidden"), Path.of("/dev/null"));
    script("usr/lib/bootc/health.d/40-empty", "exit 1");
    file("etc/bootc/health.d/40-empty", "");
    file("etc/bootc/health.d/50-text", "exit 1\n");
    for (String left : List.of(".10-a.swp", "10-a~", "10-a.dpkg-old", "10 a", "#10-a#")) {
      script("etc/bootc/health.d/" + left, "exit 1");
    }
    Files.createDirectories(machine.root().resolve("etc/bootc/health.d/60-folder"));
    assertThat(check())
        .extracting(CheckScriptsTest::told)
        .containsExactly(
            "/usr/lib/bootc/health.d/10-a REQUIRED FAILED ended with status 3: last",
            "/etc/bootc/health.d/20-b REQUIRED PASSED of the administrator",
            "/etc/bootc/health.d/50-text REQUIRED SKIPPED it is not executable");
    assertThat(machine.heard())
        .contains(
            "/usr/lib/bootc/health.d/10-a: first",
            "/usr/lib/bootc/health.d/10-a: failed: ended with status 3",
            "/etc/bootc/health.d/20-b: passed");
  }

  @Test
  void greenbootsFoldersHoldScriptsForBash() throws IOException {
    file("usr/lib/greenboot/check/required.d/01_a.sh", "[[ x == x ]] && echo fine");
    file("etc/greenboot/check/required.d/01_a.sh", "false");
    file("etc/greenboot/check/required.d/README", "false");
    file("etc/greenboot/check/wanted.d/02_b.sh", "kill -9 $$");
    assertThat(check())
        .extracting(CheckScriptsTest::told)
        .containsExactly(
            "/usr/lib/greenboot/check/required.d/01_a.sh REQUIRED PASSED fine",
            "/etc/greenboot/check/required.d/01_a.sh REQUIRED FAILED ended with status 1",
            "/etc/greenboot/check/wanted.d/02_b.sh WANTED FAILED ended with status 137");
  }

  /** A script's end is its end, whatever it leaves behind with its output. */
  @Test
  void aLinkToACheckThatIsGoneFails() throws IOException {
    for (String place : List.of("usr/lib/bootc/health.d", "usr/lib/greenboot/check/required.d")) {
      Path folder = Files.createDirectories(machine.root().resolve(place));
      Files.createSymbolicLink(folder.resolve("10-gone.sh"), Path.of("../../no/check.sh"));
      Files.createSymbolicLink(folder.resolve("20-loop.sh"), Path.of("20-loop.sh"));
    }
    assertThat(check())
        .hasSize(4)
        .allSatisfy(check -> assertThat(check.result()).isEqualTo(Result.FAILED))
        .allSatisfy(
            check -> assertThat(check.message()).isEqualTo("it is a link that leads to no file"));
  }

  @Test
  void whatAScriptLeavesBehindIsNotWaitedFor() throws IOException {
    Path pid = machine.root().resolve("pid");
    script("usr/lib/bootc/health.d/10-a", "sleep 600 & echo $! > " + pid + "; echo fine");
    List<HealthCheck> checks = check();
    ProcessHandle left =
        ProcessHandle.of(Long.parseLong(Files.readString(pid).strip())).orElseThrow();
    try {
      assertThat(left.isAlive()).isTrue();
      assertThat(checks)
          .extracting(CheckScriptsTest::told)
          .containsExactly("/usr/lib/bootc/health.d/10-a REQUIRED PASSED fine");
    } finally {
      left.destroyForcibly();
    }
  }

  @Test
  void hooksAreRunByWhatCameOut() throws IOException {
    file("usr/lib/greenboot/green.d/1.sh", "echo well");
    file("etc/greenboot/red.d/1.sh", "echo not well; exit 1");
    CheckScripts scripts = new CheckScripts(machine.environment());
    scripts.run(CheckScripts.Hook.GREEN);
    assertThat(machine.heard())
        .containsExactly(
            "/usr/lib/greenboot/green.d/1.sh: well", "/usr/lib/greenboot/green.d/1.sh: passed");
    scripts.run(CheckScripts.Hook.RED);
    assertThat(machine.heard())
        .containsExactly(
            "/etc/greenboot/red.d/1.sh: not well",
            "/etc/greenboot/red.d/1.sh: failed: ended with status 1");
  }

  @Test
  void whatHangsFails() throws IOException {
    script("etc/bootc/health.d/10-hangs", "echo waiting; exec sleep 600");
    assertThat(
            new CheckScripts(machine.environment(), Duration.ofMillis(300), Duration.ofMinutes(1))
                .check())
        .singleElement()
        .satisfies(
            check -> {
              assertThat(check.result()).isEqualTo(Result.FAILED);
              assertThat(check.message()).contains("did not end within").endsWith(": waiting");
            });
  }

  @Test
  void whatScriptsSayIsEscaped() throws IOException {
    script("etc/bootc/health.d/10-odd", "printf 'a\\033[31mb\\rc\\n'; exit 1");
    HealthCheck check = check().getFirst();
    assertThat(check.message()).doesNotContain("\u001b", "\r");
    assertThat(machine.heard()).noneMatch(line -> line.contains("\u001b"));
  }

  @Test
  void resultsAreKeptForTheRestOfTheStart() throws IOException {
    script("etc/bootc/health.d/10-a", "echo '[x] = ; # y'");
    file("etc/greenboot/check/wanted.d/02_b.sh", "exit 1");
    BootHealth health = new BootHealth(machine.environment());
    health.check();
    List<HealthCheck> kept = RunHealth.read(machine.run()).checks();
    assertThat(kept)
        .extracting(CheckScriptsTest::told)
        .containsExactly(
            "/etc/bootc/health.d/10-a REQUIRED PASSED [x] = ; # y",
            "/etc/greenboot/check/wanted.d/02_b.sh WANTED FAILED ended with status 1");
    script("etc/bootc/health.d/05-bad", "exit 1");
    assertThatThrownBy(health::check)
        .isInstanceOf(Problem.class)
        .hasMessage("this system is not healthy: /etc/bootc/health.d/05-bad");
    assertThat(RunHealth.read(machine.run()).checks()).hasSize(3);
    assertThat(kept.getFirst().kind()).isEqualTo(Kind.REQUIRED);
  }

  /** The half hour of boot-complete.target is for all of them. */
  @Test
  void theyHaveATimeTogether() throws IOException {
    script("usr/lib/bootc/health.d/10-slow", "sleep 60");
    script("usr/lib/bootc/health.d/20-late", "exit 0");
    file("usr/lib/greenboot/check/wanted.d/30-late.sh", "exit 0");
    Duration all = Duration.ofMillis(300);
    assertThat(new CheckScripts(machine.environment(), Duration.ofMinutes(1), all).check())
        .extracting(HealthCheck::kind, HealthCheck::result)
        .containsExactly(
            tuple(Kind.REQUIRED, Result.FAILED),
            tuple(Kind.REQUIRED, Result.FAILED),
            tuple(Kind.WANTED, Result.FAILED));
  }
}
