package slipway.host.install;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.linux.process.Command;

/** Sums are written by implantisomd5, and judged by checkisomd5, too. */
class MediumCheckTest {
  @TempDir Path dir;

  @Test
  void aDamagedMediumIsToldFromAWholeOne() throws IOException {
    byte[] bytes = new byte[3_000_000];
    new Random(1).nextBytes(bytes);
    Files.write(Files.createDirectory(dir.resolve("tree")).resolve("file"), bytes);
    Path iso = dir.resolve("x.iso");
    Command.of("xorriso", "-no_rc", "-as", "mkisofs", "-quiet", "-o", iso.toString())
        .with(dir.resolve("tree").toString())
        .run();
    MediumCheck check = new MediumCheck(iso);
    assertThatThrownBy(check::run).hasMessageContaining("holds no sum to check it by");
    Command.of("implantisomd5", iso.toString()).run();
    check.run();
    assertThat(Command.of("checkisomd5", iso.toString()).tryRun().status()).isZero();
    try (RandomAccessFile file = new RandomAccessFile(iso.toFile(), "rw")) {
      file.seek(1_000_000);
      int old = file.read();
      file.seek(1_000_000);
      file.write(old ^ 1);
    }
    assertThat(Command.of("checkisomd5", iso.toString()).tryRun().status()).isOne();
    assertThatThrownBy(check::run)
        .isInstanceOf(Problem.class)
        .hasMessageContaining("the medium is damaged");
    Command.of("truncate", "-s", "1M", iso.toString()).run();
    assertThatThrownBy(check::run).hasMessageContaining("the medium is damaged");
    Command.of("truncate", "-s", "1K", iso.toString()).run();
    assertThatThrownBy(check::run).hasMessageContaining("is no ISO");
  }
}
