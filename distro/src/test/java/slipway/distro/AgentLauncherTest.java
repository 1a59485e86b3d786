package slipway.distro;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.linux.mount.Mount;
import slipway.linux.mount.MountNamespace;
import slipway.linux.process.Command;

/** The script {@code /usr/bin/bootc} in its place, before a runtime that tells how it is called. */
class AgentLauncherTest {
  private static final String RUNTIME =
      """
      #!/bin/sh
      echo "namespace=$(readlink /proc/self/ns/mnt)"
      echo "propagation=$(findmnt --noheadings --output PROPAGATION /)"
      echo "run=$(findmnt --noheadings --output PROPAGATION /run)"
      echo "mark=${_ostree_unshared-none}"
      echo "home=${HOME-none}"
      echo "locale=${LC_ALL-none} ${LC_MESSAGES-none} ${LC_CTYPE-none} ${LANG-none}"
      for word; do echo "word=$word"; done
      exit 5
      """;

  @TempDir Path folder;

  @Test
  void whatChangesAMachineRunsInANamespaceOfItsOwn() throws IOException {
    MountNamespace.call(
        "launcher",
        () -> {
          try (Mount scratch = Mount.of("tmpfs", folder, "tmpfs", 0, "mode=755");
              Mount usr = installed(scratch.target());
              Mount run = Mount.of("tmpfs", Path.of("/run"), "tmpfs", 0, "mode=755")) {
            assertThat(usr.target().resolve("bin/bootc")).isExecutable();
            String here = Files.readSymbolicLink(Path.of("/proc/thread-self/ns/mnt")).toString();
            List<String> plain =
                List.of("namespace=" + here, "propagation=private", "mark=none", "home=none");
            assertThat(bootc(List.of(), "upgrade")).containsAll(plain);
            Files.createFile(run.target().resolve("ostree-booted"));
            // As systemd makes all mounts; what comes there later, has to be seen.
            Command.of("mount", "--make-shared", "/run").run();
            List<String> words =
                List.of(
                    "word=@/usr/lib/slipway/run.args",
                    "word=-Dslipway.name=bootc",
                    "word=slipway.cli.Main",
                    "word=switch",
                    "word=a  b",
                    "word=");
            assertThat(bootc(List.of(), "switch", "a  b", ""))
                .doesNotContain("namespace=" + here)
                .contains("propagation=private", "run=private,slave", "mark=1", "home=/root")
                .endsWith(words.toArray(String[]::new));
            assertThat(bootc(List.of("LC_ALL=de_DE"), "upgrade"))
                .contains("locale=none C de_DE de_DE");
            assertThat(bootc(List.of(), "status")).contains("locale=none C C.UTF-8 C");
            // What it mounts is for everybody.
            for (String overlay : List.of("usr-overlay", "usroverlay")) {
              assertThat(bootc(List.of(), overlay)).contains("namespace=" + here, "mark=none");
            }
            assertThat(bootc(List.of("SLIPWAY_HEAP=700m"), "status")).contains("word=-Xmx700m");
            // ostree itself finds what stands behind its word.
            Command.Result extension =
                Command.of("ostree", "container", "image", "list", "--repo=/x").tryRun();
            assertThat(extension.text().lines().toList())
                .endsWith(
                    "word=internals",
                    "word=ostree-container",
                    "word=image",
                    "word=list",
                    "word=--repo=/x");
            assertThat(bootc(List.of("HOME=/srv"), "upgrade")).contains("home=/srv");
            assertThat(bootc(List.of("_ostree_unshared=1"), "internals", "finalize-staged"))
                .contains("namespace=" + here, "mark=1");
            assertThat(bootc(List.of(), "status"))
                .containsAll(plain)
                .contains("word=@/usr/lib/slipway/quick.args");
            assertThat(bootc(List.of("setpriv", "--reuid=65534", "--clear-groups"), "upgrade"))
                .containsAll(plain);
          }
          return null;
        });
  }

  /** Lays the agent's files over /usr. */
  private static Mount installed(Path scratch) throws IOException {
    Path upper = Files.createDirectory(scratch.resolve("upper"));
    Path work = Files.createDirectory(scratch.resolve("work"));
    Path runtime = Files.createDirectories(upper.resolve("lib/slipway/runtime/bin"));
    Files.writeString(runtime.resolve("java"), RUNTIME);
    Files.write(upper.resolve("lib/slipway/environment.sh"), BaseImage.resource("environment.sh"));
    Path bin = Files.createDirectory(upper.resolve("bin"));
    Files.write(bin.resolve("bootc"), BaseImage.resource("bootc"));
    Path extension = upper.resolve("libexec/libostree/ext/ostree-container");
    Files.createDirectories(extension.getParent());
    Files.createSymbolicLink(extension, Path.of("../../../bin/bootc"));
    for (Path file : List.of(runtime.resolve("java"), bin.resolve("bootc"))) {
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
    return Mount.of(
        "overlay",
        Path.of("/usr"),
        "overlay",
        0,
        "lowerdir=/usr,upperdir=" + upper + ",workdir=" + work);
  }

  /**
   * What the runtime says.
   *
   * @param before words for env(1): variables, or a command to run it through
   */
  private static List<String> bootc(List<String> before, String... arguments) {
    List<String> argv =
        new ArrayList<>(List.of("env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"));
    argv.addAll(before);
    argv.add("/usr/bin/bootc");
    argv.addAll(List.of(arguments));
    Command.Result result = Command.of(argv).tryRun();
    assertThat(result.status()).as(result.stderr()).isEqualTo(5);
    return result.text().lines().toList();
  }
}
