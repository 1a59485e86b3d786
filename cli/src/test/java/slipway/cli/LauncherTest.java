package slipway.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.linux.process.Command;

/** The script {@code ./slipway} in a checkout that is built, before a JVM that tells its locale. */
class LauncherTest {
  @TempDir Path checkout;

  @BeforeEach
  void lay() throws Exception {
    Files.copy(Path.of("..", "slipway"), checkout.resolve("slipway"));
    Path packaging = Files.createDirectory(checkout.resolve("packaging"));
    Files.copy(Path.of("..", "packaging", "environment.sh"), packaging.resolve("environment.sh"));
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

  /** An installed product beside it, in a folder with a name that is hard on scripts. */
  private Path installed() throws Exception {
    Path home = Files.createDirectories(checkout.resolve("our |tools & more\\/slipway"));
    Path java = home.resolve("runtime/bin/java");
    Files.createDirectories(home.resolve("bin"));
    Files.createDirectories(java.getParent());
    Files.copy(Path.of("..", "packaging", "slipway"), home.resolve("bin/slipway"));
    Files.copy(Path.of("..", "packaging", "environment.sh"), home.resolve("environment.sh"));
    Files.writeString(home.resolve("start-up.sh"), "arguments=quick tools=no\n");
    Files.writeString(home.resolve("quick.options"), "-cp\n@HOME@/lib/a.jar:@HOME@/lib/b.jar\n");
    for (String part :
        List.of("run.options", "serve.options", "lib/libzstd-jni.so", "runtime/lib/modules")) {
      Files.createDirectories(home.resolve(part).getParent());
      Files.writeString(home.resolve(part), "x\n");
    }
    Files.copy(checkout.resolve(".slipway/bin/java"), java);
    return home.resolve("bin/slipway");
  }

  private String locale(String... variables) {
    return locale(checkout.resolve("slipway"), variables);
  }

  private static String locale(Path launcher, String... variables) {
    return Command.of("env", "-i", "PATH=/usr/bin:/bin")
        .with(variables)
        .with(launcher.toString(), "images")
        .output();
  }

  @Test
  void anInstalledOneDoesTheSameAndKeepsPathsWhole() throws Exception {
    Path launcher = installed();
    assertThat(locale(launcher, "LC_ALL=de_DE.UTF-8")).isEqualTo("none C C.UTF-8 de_DE.UTF-8");
    assertThat(locale(launcher, "LC_ALL=C", "LANG=de_DE")).isEqualTo("none C C.UTF-8 C");
    Path home = launcher.getParent().getParent();
    Files.writeString(home.resolve("runtime/bin/java"), "#!/bin/sh\nprintf '<%s>' \"$@\"\n");
    assertThat(Command.of(launcher.toString(), "images", "two words").output())
        .isEqualTo(
            "<-cp><%1$s/lib/a.jar:%1$s/lib/b.jar><slipway.cli.Main><images><two words>"
                .formatted(home.toRealPath()));
    assertThat(Command.of("sh", "slipway", "images").directory(home.resolve("bin")).output())
        .endsWith("<slipway.cli.Main><images>");
  }

  /**
   * A full disk is known by the system's words; names of files need characters beyond ASCII, which
   * the locale C, and one that is not installed, would lose.
   */
  @Test
  void theSystemSpeaksEnglishAndNamesKeepTheirCharacters() {
    assertThat(locale()).isEqualTo("none C C.UTF-8 none");
    assertThat(locale("LANG=POSIX", "LC_CTYPE=", "LC_ALL=")).isEqualTo("none C C.UTF-8 POSIX");
    assertThat(locale("LANG=de_DE.UTF-8")).isEqualTo("none C C.UTF-8 de_DE.UTF-8");
    assertThat(locale("LANG=de_DE")).isEqualTo("none C de_DE de_DE");
    assertThat(locale("LC_MESSAGES=de_DE.UTF-8", "LC_CTYPE=tr_TR.utf8@x"))
        .isEqualTo("none C C.UTF-8 none");
    assertThat(locale("LC_CTYPE=C", "LANG=de_DE")).isEqualTo("none C C.UTF-8 de_DE");
    assertThat(locale("LC_ALL=C", "LANG=de_DE.UTF-8")).isEqualTo("none C C.UTF-8 C");
  }

  @Test
  void aLinkOfThatNameIsTheProgram() throws Exception {
    Path launcher = installed();
    String java = "#!/bin/sh\nprintf '<%s>' \"$@\"\n";
    Files.writeString(launcher.resolve("../../runtime/bin/java").normalize(), java);
    Files.writeString(checkout.resolve(".slipway/bin/java"), java);
    for (Path target : List.of(launcher, checkout.resolve("slipway"))) {
      Path link = checkout.resolve("bootc-image-builder");
      Files.createSymbolicLink(link, target);
      assertThat(Command.of(link.toString(), "--type", "raw", "os:1").output())
          .endsWith("<slipway.cli.Main><bootc-image-builder><--type><raw><os:1>");
      Files.delete(link);
    }
  }

  /** Java cannot tell such a folder from two. */
  @ParameterizedTest
  @ValueSource(strings = {"a:b", "a\nb"})
  void aFolderThatJavaCannotNameIsToldInOneSentence(String name) throws Exception {
    Path moved = Files.move(installed().getParent().getParent(), checkout.resolve(name));
    Path unpacked = Files.createDirectory(checkout.resolve(name + "2"));
    for (String part : List.of("slipway", "packaging", ".slipway")) {
      Files.move(checkout.resolve(part), unpacked.resolve(part));
    }
    for (Path launcher : List.of(moved.resolve("bin/slipway"), unpacked.resolve("slipway"))) {
      Command.Result result = Command.of(launcher.toString(), "images").tryRun();
      assertThat(result.stderr())
          .startsWith("error: Slipway does not run from a folder with a colon or a line break");
      assertThat(result.status()).isEqualTo(1);
    }
  }

  /** Of the environment, nothing leads it elsewhere or is obeyed by the JVM. */
  @Test
  void whatIsMeantForOthersIsLeftOut() throws Exception {
    Path home = installed().getParent().getParent();
    String java = "#!/bin/sh\necho ${JAVA_TOOL_OPTIONS-}${JDK_JAVA_OPTIONS-}${_JAVA_OPTIONS-}.\n";
    Files.writeString(home.resolve("runtime/bin/java"), java);
    Files.writeString(checkout.resolve(".slipway/bin/java"), java);
    for (Path launcher : List.of(Path.of("bin/slipway"), Path.of(".").resolve("slipway"))) {
      Path from = launcher.startsWith("bin") ? home : checkout;
      assertThat(
              Command.of("env", "CDPATH=/usr:/", "JAVA_TOOL_OPTIONS=a", "JDK_JAVA_OPTIONS=b")
                  .with("_JAVA_OPTIONS=c", launcher.toString(), "images")
                  .directory(from)
                  .output())
          .isEqualTo(".");
    }
  }

  @Test
  void aFolderThatIsGoneIsToldInOneSentence() throws Exception {
    for (Path launcher : List.of(installed(), checkout.resolve("slipway"))) {
      Command.Result result =
          Command.of("sh", "-c", "mkdir gone; cd gone; rmdir ../gone; exec \"$0\" images")
              .with(launcher.toString())
              .directory(checkout)
              .tryRun();
      assertThat(result.stderr())
          .endsWith("error: the current folder is not there any more; change to one that is\n");
      assertThat(result.status()).isEqualTo(1);
    }
  }

  /** Whoever may not walk there by its path can have been led there. */
  @Test
  void aFolderBelowOneThatIsClosedIsThere() throws Exception {
    Path launcher = installed();
    Files.setPosixFilePermissions(checkout, PosixFilePermissions.fromString("rwxr-xr-x"));
    Path closed = Files.createDirectory(checkout.resolve("closed"));
    Path work = Files.createDirectory(closed.resolve("work"));
    Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("rwx------"));
    assertThat(
            Command.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
                .with(launcher.toString(), "images")
                .directory(work)
                .tryRun()
                .stderr())
        .doesNotContain("not there any more");
  }

  /** bootc status draws for it. */
  @Test
  void theLocaleOfTheTerminalIsHandedOn() throws Exception {
    Files.writeString(checkout.resolve(".slipway/bin/java"), "#!/bin/sh\necho $SLIPWAY_LOCALE\n");
    assertThat(locale("LC_ALL=C", "LANG=de_DE.UTF-8")).isEqualTo("C");
    assertThat(locale("LANG=de_DE.UTF-8")).isEqualTo("de_DE.UTF-8");
    assertThat(locale()).isEmpty();
  }

  @Test
  void anInstallationThatLacksAPartSaysSo() throws Exception {
    Path launcher = installed();
    Files.delete(launcher.resolveSibling("../run.options"));
    Command.Result result = Command.of(launcher.toString(), "images").tryRun();
    assertThat(result.stderr()).startsWith("error: this installation is not whole: ");
    assertThat(result.status()).isEqualTo(1);
  }
}
