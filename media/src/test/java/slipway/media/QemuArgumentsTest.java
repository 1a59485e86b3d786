package slipway.media;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QemuArgumentsTest {
  @TempDir Path dir;

  @Test
  void hasOneProcessorByEmulationTwoWithKvmOrAsManyAsWereAskedFor() throws IOException {
    VmSpec usual = VmSpec.of(Files.write(dir.resolve("disk.raw"), new byte[512]));
    assertThat(processors(usual, Accelerator.TCG)).isEqualTo("1");
    assertThat(processors(usual, Accelerator.KVM)).isEqualTo("2");
    assertThat(processors(usual.withSize(1024, 4), Accelerator.TCG)).isEqualTo("4");
  }

  private String processors(VmSpec spec, Accelerator accelerator) throws IOException {
    var arguments = QemuArguments.of(spec, accelerator, dir, null, "stdio");
    return arguments.get(arguments.indexOf("-smp") + 1);
  }
}
