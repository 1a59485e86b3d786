package slipway.sysroot.write;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.linux.mount.Mount;
import slipway.tree.DirectoryReader;
import slipway.tree.FileTree;

class InstalledComposefsTest {
  @TempDir Path directory;

  @Test
  void aFullDiskIsToldWithItsFileAndNothingIsLeft() throws Exception {
    for (int i = 0; i < 2000; i++) {
      Files.createDirectories(directory.resolve("tree/folder" + i));
    }
    FileTree tree = DirectoryReader.read(directory.resolve("tree"));
    Path full = Files.createDirectory(directory.resolve("full"));
    try (Mount mount = Mount.of("tmpfs", full, "tmpfs", 0, "size=64k")) {
      Path config = Files.createDirectories(full.resolve("usr/lib/ostree"));
      Files.writeString(config.resolve("prepare-root.conf"), "[composefs]\nenabled = yes\n");
      assertThatThrownBy(() -> InstalledComposefs.write(full, tree))
          .isInstanceOf(FileSystemException.class)
          .hasMessage(full.resolve(".ostree.cfs") + ": No space left on device");
      try (var left = Files.list(full)) {
        assertThat(left).containsExactly(full.resolve("usr"));
      }
    }
  }
}
