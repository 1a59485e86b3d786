package slipway.linux.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Limit;
import slipway.base.Problem;

@Timeout(20)
class RootedFileTest {
  @TempDir Path directory;
  private Path root;

  @BeforeEach
  void fill() throws IOException {
    root = Files.createDirectories(directory.resolve("root"));
    Files.createDirectories(root.resolve("usr/etc"));
    Files.writeString(root.resolve("usr/etc/passwd"), "inside");
    Files.writeString(directory.resolve("secret"), "outside");
  }

  private Optional<String> read(String inside, RootedFile.Links links) throws IOException {
    return RootedFile.read(OsPath.of(root), OsPath.of(inside), links, "the file")
        .map(b -> new String(b, StandardCharsets.UTF_8));
  }

  private void link(String name, String target) throws IOException {
    Files.createSymbolicLink(root.resolve(name), Path.of(target));
  }

  @Test
  void followsLinksAsInAChroot() throws Exception {
    link("etc", "/usr/etc");
    link("up", "../../../../usr/etc/passwd");
    link("out", "../secret");
    assertThat(read("/etc/passwd", RootedFile.Links.IN_ROOT)).contains("inside");
    assertThat(read("up", RootedFile.Links.IN_ROOT)).contains("inside");
    assertThat(read("out", RootedFile.Links.IN_ROOT)).isEmpty();
    assertThat(read("etc/none", RootedFile.Links.IN_ROOT)).isEmpty();
    assertThat(read("etc/passwd/none", RootedFile.Links.IN_ROOT)).isEmpty();
  }

  @Test
  void refusesLinksOut() throws Exception {
    link("ok", "usr/etc/passwd");
    link("out", "../secret");
    link("absolute", directory.resolve("secret").toString());
    link("self", "self");
    assertThat(read("ok", RootedFile.Links.BENEATH)).contains("inside");
    for (String name : new String[] {"out", "absolute"}) {
      assertThatThrownBy(() -> read(name, RootedFile.Links.BENEATH))
          .isInstanceOf(Problem.class)
          .hasMessage("the file is a link that leads out; put the file itself there");
    }
    assertThatThrownBy(() -> read("self", RootedFile.Links.BENEATH))
        .isInstanceOf(Problem.class)
        .hasMessage("the file leads through too many symbolic links");
  }

  /** A layer may hold a link whose target has a name that no file can have. */
  @Test
  void aNameTooLongBehindALinkIsTold() throws Exception {
    link("long", "n".repeat(300));
    for (RootedFile.Links links : RootedFile.Links.values()) {
      assertThatThrownBy(() -> read("long", links))
          .isInstanceOf(Problem.class)
          .hasMessage("the file leads through a name that is too long");
    }
    OsPath top = OsPath.of(root);
    assertThatThrownBy(() -> InRoot.resolve(top, "long"))
        .isInstanceOf(Problem.class)
        .hasMessage("\"long\" leads through a name that is too long");
    assertThatThrownBy(() -> InRoot.resolve(top, "n".repeat(300)))
        .isInstanceOf(Problem.class)
        .hasMessageStartingWith("the path \"" + "n".repeat(60) + "…\" is too long");
  }

  @Test
  void opensRegularFilesOnly() throws Exception {
    Posix.mknod(OsPath.of(root.resolve("pipe")), Stat.S_IFIFO | 0600, 0);
    link("to-pipe", "pipe");
    for (String name : new String[] {"pipe", "to-pipe"}) {
      assertThatThrownBy(() -> read(name, RootedFile.Links.IN_ROOT))
          .isInstanceOf(Problem.class)
          .hasMessage("the file is a pipe, not a regular file");
    }
    assertThatThrownBy(() -> read("usr", RootedFile.Links.IN_ROOT))
        .isInstanceOf(Problem.class)
        .hasMessage("the file is a directory, not a regular file");
  }

  @Test
  void isBounded() throws Exception {
    int fd = Posix.open(OsPath.of(root.resolve("large")), Posix.O_WRONLY | Posix.O_CREAT, 0600);
    Posix.ftruncate(fd, Limit.SMALL_FILE_BYTES.value() + 1);
    Posix.close(fd);
    assertThatThrownBy(() -> read("large", RootedFile.Links.BENEATH))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("the file: more than 4 MiB")
        .hasMessageContaining("--limit small-file-bytes=N");
    fd = Posix.open(OsPath.of(root.resolve("large")), Posix.O_WRONLY, 0600);
    Posix.ftruncate(fd, Limit.SMALL_FILE_BYTES.value());
    Posix.close(fd);
    assertThat(read("large", RootedFile.Links.BENEATH)).map(String::length).contains(4 << 20);
  }
}
