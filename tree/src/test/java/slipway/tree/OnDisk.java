package slipway.tree;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import slipway.archive.tar.TarOptions;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;

/** A test with a directory whose files may have any name; the JDK could not delete it. */
abstract class OnDisk {
  static final ContentStore MEMORY = (path, metadata, size, in) -> Content.of(in.readAllBytes());

  @TempDir Path temporary;
  OsPath dir;

  @BeforeEach
  final void makeDirectory() throws Exception {
    dir = OsPath.of(temporary).resolve("t");
    Posix.mkdir(dir, 0755);
  }

  @AfterEach
  final void removeDirectory() throws Exception {
    Posix.removeTree(dir);
  }

  final Path path(String name) {
    return dir.resolve(name).toPath();
  }

  final String text(String name) {
    return dir.resolve(name).toString();
  }

  final Path writeTar(String name, FileTree tree) throws IOException {
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(path(name)))) {
      TarWriter.write(out, tree, TarOptions.EXACT);
    }
    return path(name);
  }

  final Path writeTar(String name, Layer layer) throws IOException {
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(path(name)))) {
      TarWriter.write(out, layer, TarOptions.EXACT);
    }
    return path(name);
  }

  static Layer readTar(Path tar) throws IOException {
    try (InputStream in = Files.newInputStream(tar)) {
      return LayerReader.read(in, MEMORY);
    }
  }

  static FileTree readTree(Path tar) throws IOException {
    return Layers.merge(List.of(readTar(tar)));
  }

  static void assertSame(FileTree left, FileTree right, FileTrees.Ignore... ignore)
      throws IOException {
    assertThat(FileTrees.diff(left, right, ignore)).isEmpty();
  }
}
