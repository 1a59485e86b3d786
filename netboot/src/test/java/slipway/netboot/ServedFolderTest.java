package slipway.netboot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.base.Problem;
import slipway.linux.process.Command;

class ServedFolderTest {
  @TempDir Path dir;

  private Path served;

  @BeforeEach
  void fill() throws IOException {
    served = Files.createDirectories(dir.resolve("served"));
    Files.writeString(served.resolve("file"), "content");
    Files.writeString(Files.createDirectory(served.resolve("sub")).resolve("file"), "deeper");
    Files.writeString(served.resolve(".hidden"), "half-written");
    Files.writeString(dir.resolve("secret"), "secret");
    Files.createSymbolicLink(served.resolve("out"), Path.of("../secret"));
    Files.createSymbolicLink(served.resolve("absolute"), dir.resolve("secret"));
    Files.createSymbolicLink(served.resolve("parent"), Path.of(".."));
    Files.createSymbolicLink(served.resolve("in"), Path.of("sub/file"));
    Command.of("mkfifo", served.resolve("pipe").toString()).run();
  }

  @ParameterizedTest
  @ValueSource(strings = {"file", "/file", "//sub//file", "in"})
  void servesRegularFiles(String path) throws IOException {
    try (ServedFolder folder = ServedFolder.open(served);
        ServedFolder.Served file = folder.open(path).orElseThrow()) {
      ByteBuffer bytes = ByteBuffer.allocate(100);
      assertThat(file.channel().read(bytes)).isEqualTo((int) file.size());
      assertThat(new String(bytes.array(), 0, bytes.position(), "UTF-8"))
          .isEqualTo(path.endsWith("sub//file") || path.equals("in") ? "deeper" : "content");
    }
  }

  /** A pipe would be waited for. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "/",
        "none",
        "sub",
        "pipe",
        ".hidden",
        "out",
        "absolute",
        "parent/secret",
        "../secret",
        "sub/../file",
        "sub/../../secret",
        "./file",
        "file/x",
        "a\0b"
      })
  void servesNothingElse(String path) throws IOException {
    try (ServedFolder folder = ServedFolder.open(served)) {
      assertThat(folder.open(path)).isEmpty();
    }
  }

  @Test
  void theFolderStaysTheOneThatWasOpened() throws IOException {
    try (ServedFolder folder = ServedFolder.open(served)) {
      Files.move(served, dir.resolve("moved"));
      Files.writeString(Files.createDirectory(served).resolve("other"), "");
      assertThat(folder.open("other")).isEmpty();
      folder.open("file").orElseThrow().close();
    }
  }

  @Test
  void aMissingFolderIsTold() {
    assertThatThrownBy(() -> ServedFolder.open(dir.resolve("none")))
        .isInstanceOf(Problem.class)
        .hasMessage("there is no folder " + dir.resolve("none") + " to serve");
  }
}
