package slipway.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.linux.process.Command;

/** The script {@code ./slipway} in a checkout that is built, before a JVM that tells its locale. */
class LauncherTest {
  @TempDir Path checkout;

  @BeforeEach
  void lay() throws Exception {
    Files.copy(Path.of("..", "slipway"), checkout.resolve("slipway"));
    Path state = Files.createDirectory(checkout.resolve(".slipway"));
    Files.createFile(state.resolve("stamp"));
    Files.writeString(state.resolve("sources"), "stale=no\n");
    Files.writeString(state.resolve("java-home"), state + "\n");
    Files.writeString(state.resolve("current"), state + "\n");
    Files.writeString(state.resolve("start-up.sh"), "arguments=quick tools=no\n");
    Path java = Files.createDirectory(state.resolve("bin")).resolve("java");
    Files.writeString(
        java, "#!/bin/sh\necho ${LC_ALL-none} ${LC_MESSAGES-none} ${LC_CTYPE-none} ${LANG-none}\n");
    Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private String locale(String... variables) {
    return Command.of("env", "-i", "PATH=/usr/bin:/bin")
        .with(variables)
        .with(checkout.resolve("slipway").toString(), "images")
        .output();
  }

  /** A full disk is known by the system's words; names of files need the locale's characters. */
  @Test
  void theSystemSpeaksEnglishAndKeepsTheCharactersOfTheLocale() {
    assertThat(locale()).isEqualTo("none C none none");
    assertThat(locale("LANG=de_DE.UTF-8")).isEqualTo("none C none de_DE.UTF-8");
    assertThat(locale("LC_MESSAGES=de_DE.UTF-8", "LC_CTYPE=C.UTF-8"))
        .isEqualTo("none C C.UTF-8 none");
    assertThat(locale("LC_ALL=de_DE.UTF-8")).isEqualTo("none C de_DE.UTF-8 de_DE.UTF-8");
  }
}
