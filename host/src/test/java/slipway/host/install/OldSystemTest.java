package slipway.host.install;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;

class OldSystemTest {
  private static final List<String> PEOPLES =
      List.of(
          "home/ann/letter",
          "root/.ssh/authorized_keys",
          "srv/www/index.html",
          "opt/tool/run",
          "usr/local/bin/mine",
          "etc/hostname",
          "var/lib/postgresql/base",
          "var/lib/containers/storage/volumes/db/file",
          "boot/loader/entries/ostree-1.conf",
          "ostree/repo/config",
          ".bootc-aleph.json");

  private static final List<String> SYSTEMS =
      List.of(
          "usr/bin/true",
          "usr/lib/libc.so.6",
          "lib64/ld.so",
          "var/lib/dpkg/status",
          "var/cache/apt/x.deb",
          "var/lib/containers/storage/overlay/1/file",
          "ostree/repo.old/1/config",
          "ostree/bootc.old/1/storage/db.sql",
          "tmp/x");

  @TempDir Path directory;

  private Path old() throws Exception {
    Path root = Files.createDirectory(directory.resolve("root"));
    for (List<String> some : List.of(PEOPLES, SYSTEMS)) {
      for (String file : some) {
        Files.createDirectories(root.resolve(file).getParent());
        Files.writeString(root.resolve(file), file);
      }
    }
    Files.createSymbolicLink(root.resolve("bin"), Path.of("usr/bin"));
    Files.createFile(root.resolve("etc/bootc-destructive-cleanup"));
    return root;
  }

  @Test
  void theSystemGoesAndWhatIsPeoplesStays() throws Exception {
    Path root = old();
    OldSystem.remove(root);
    for (String file : PEOPLES) {
      assertThat(root.resolve(file)).hasContent(file);
    }
    try (Stream<Path> left = Files.walk(root)) {
      assertThat(left.filter(f -> !Files.isDirectory(f)).map(f -> root.relativize(f).toString()))
          .containsExactlyInAnyOrderElementsOf(PEOPLES);
    }
    // Once only: whoever makes such folders later keeps them.
    Files.createDirectories(root.resolve("tmp"));
    OldSystem.remove(root);
    assertThat(root.resolve("tmp")).exists();
  }

  @Test
  void linksLeadNowhere() throws Exception {
    Path root = old();
    Path outside = Files.createDirectories(directory.resolve("outside/lib/dpkg"));
    Files.writeString(outside.resolve("status"), "of another");
    Files.move(root.resolve("var"), root.resolve("var.real"));
    Files.createSymbolicLink(root.resolve("var"), directory.resolve("outside"));
    Files.move(root.resolve("usr"), root.resolve("usr.real"));
    Files.createSymbolicLink(root.resolve("usr"), directory.resolve("outside"));
    OldSystem.remove(root);
    assertThat(outside.resolve("status")).hasContent("of another");
  }

  @Test
  void whatIsNoRootOfDeploymentsStays() throws Exception {
    Path root = old();
    Files.move(root.resolve("ostree"), directory.resolve("ostree"));
    assertThatThrownBy(() -> OldSystem.remove(root))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("holds no deployments");
    assertThat(root.resolve("usr/bin/true")).exists();
  }
}
