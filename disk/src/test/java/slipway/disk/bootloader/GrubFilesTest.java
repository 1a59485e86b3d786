package slipway.disk.bootloader;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import slipway.tree.TreeBuilder;

class GrubFilesTest {
  @ParameterizedTest
  @CsvSource({
    "i386-pc, grub-pc-bin and grub-efi-amd64-bin",
    "x86_64-efi, grub-pc-bin and grub-efi-amd64-bin",
    "arm64-efi, grub-efi-arm64-bin"
  })
  void whatToInstallIsOfTheMachinesArchitecture(String platform, String packages) {
    GrubFiles files = new GrubFiles(new TreeBuilder().build(), "an installer");
    assertThatThrownBy(() -> files.of(platform, List.of("linux.mod")))
        .hasMessageEndingWith(
            "/usr/lib/grub/%s/linux.mod is missing; install %s in it, or build on a base made by slipway base build"
                .formatted(platform, packages));
  }
}
