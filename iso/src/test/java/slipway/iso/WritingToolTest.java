package slipway.iso;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.linux.mount.Mount;
import slipway.linux.process.Command;

/** Tools of an installer on a file system that has no room. */
class WritingToolTest {
  @TempDir Path dir;

  @Test
  void aFullDiskIsToldAsOne() throws Exception {
    Path tree = Files.createDirectory(dir.resolve("tree"));
    byte[] noise = new byte[3 << 20];
    new Random(1).nextBytes(noise);
    Files.write(tree.resolve("large"), noise);
    Path small = Files.createDirectory(dir.resolve("small"));
    try (Mount full = Mount.of("tmpfs", small, "tmpfs", 0, "size=1m")) {
      Path out = full.target().resolve("out");
      for (Command tool :
          new Command[] {
            Command.of("xorriso", "-no_rc", "-as", "mkisofs", "-quiet", "-o")
                .with(out.toString(), tree.toString()),
            Command.of("mksquashfs", tree.toString(), out.toString(), "-noappend", "-quiet")
          }) {
        Files.deleteIfExists(out);
        Files.createFile(out);
        assertThatThrownBy(() -> WritingTool.run(tool, out))
            .isInstanceOfSatisfying(
                Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.FULL))
            .hasMessageStartingWith("no space is left on the file system of " + small);
      }
    }
  }

  @Test
  void whatElseFailsIsTold() {
    assertThatThrownBy(() -> WritingTool.run(Command.of("false"), dir.resolve("out")))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("false failed");
  }
}
