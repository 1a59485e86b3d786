package slipway.distro;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.linux.process.Command;
import slipway.system.accounts.Sysusers;

class BaseUsersTest {
  private static final String PASSWD =
      """
      root:x:0:0:root:/root:/bin/bash
      games:x:5:60:games:/usr/games:/usr/sbin/nologin
      sshd:x:989:65534:sshd user:/run/sshd:/usr/sbin/nologin
      app:x:500:500:The "best" app,,,:/var/lib/app:/bin/sh
      """;

  private static final String GROUP =
      """
      root:x:0:
      games:x:60:
      nogroup:x:65534:
      _ssh:x:101:
      app:x:500:
      """;

  @Test
  void writesLinesOnlyForWhatNoneMakes() {
    String lines =
        BaseUsers.missing(
            PASSWD,
            GROUP,
            List.of(
                "g root 0 -\nu root 0:0 \"Super User\" /root\n",
                "# comment\ng games 60\nu games 5:60 - /usr/games\ng nogroup 65534\n"));
    assertThat(lines)
        .isEqualTo(
            """
            g _ssh 101
            g app 500
            u sshd 989:nogroup "sshd user" "/run/sshd" "/usr/sbin/nologin"
            u app 500:app "The best app,,," "/var/lib/app" "/bin/sh"
            """);
    Sysusers declared = Sysusers.of(List.of(lines));
    assertThat(declared.users()).containsExactly("sshd", "app");
    assertThat(declared.groups()).containsExactly("_ssh", "app");
  }

  @Test
  void aUserLineMakesItsGroupUnlessItNamesAnother() {
    Sysusers declared = Sysusers.of(List.of("u a 7\nu b 8:a\nu! c -\n"));
    assertThat(declared.users()).containsExactly("a", "b", "c");
    assertThat(declared.groups()).containsExactly("a", "c");
  }

  /** systemd's own program makes the same database from the lines. */
  @Test
  void sysusersMakesTheSameUsers(@TempDir Path root) throws IOException {
    Path folder = Files.createDirectories(root.resolve("usr/lib/sysusers.d"));
    Files.createDirectories(root.resolve("etc"));
    Files.writeString(folder.resolve("x.conf"), BaseUsers.missing(PASSWD, GROUP, List.of()));
    Command.of("systemd-sysusers", "--root=" + root).run();
    assertThat(Files.readString(root.resolve("etc/passwd")).lines())
        .map(line -> line.replaceFirst(":x:", ":"))
        .containsExactlyInAnyOrder(
            "root:0:0:root:/root:/bin/bash",
            "games:5:60:games:/usr/games:/usr/sbin/nologin",
            "sshd:989:65534:sshd user:/run/sshd:/usr/sbin/nologin",
            "app:500:500:The best app,,,:/var/lib/app:/bin/sh");
    assertThat(Sysusers.names(Files.readString(root.resolve("etc/group"))))
        .containsExactlyInAnyOrder("root", "games", "nogroup", "_ssh", "app");
  }

  @Test
  void locksRootAndTakesDatesOutOfShadow() {
    assertThat(BaseUsers.imageShadow("root:*:20778:0:99999:7:::\nsshd:!*:20778::::1::\nodd\n"))
        .isEqualTo("root:!unprovisioned::0:99999:7:::\nsshd:!*:::::1::\nodd\n");
  }
}
