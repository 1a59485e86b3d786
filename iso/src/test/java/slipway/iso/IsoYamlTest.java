package slipway.iso;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import slipway.base.Problem;
import slipway.tree.DirectoryReader;

class IsoYamlTest {
  private static final String OLDER = "usr/lib/bootc-image-builder";
  private static final String NEWER = "usr/lib/image-builder/bootc";

  @TempDir Path image;

  private void put(String folder, String text) throws IOException {
    Path place = Files.createDirectories(image.resolve(folder));
    Files.writeString(place.resolve("iso.yaml"), text);
  }

  private IsoYaml read() throws IOException {
    return IsoYaml.of(DirectoryReader.read(image));
  }

  @Test
  void theVolumeAndTheWaitAreTheImages() throws Exception {
    assertThat(read()).isEqualTo(IsoYaml.NONE);
    put(OLDER, "label: OLDER");
    assertThat(read().label()).isEqualTo("OLDER");
    put(
        NEWER,
        """
        label: My-OS.1
        kernel_args: [quiet, rhgb]
        grub2:
          timeout: 0
          default: 1
          entries:
            - {name: Install, linux: /vmlinuz, initrd: /initrd.img}
        """);
    IsoYaml said = read();
    assertThat(said.label()).isEqualTo("My-OS.1");
    assertThat(said.timeout()).isZero();
    assertThat(said.ignored())
        .containsExactly(
            "the image's /%s/iso.yaml: kernel_args is not followed: the menu of an installer is Slipway's own"
                .formatted(NEWER),
            "the image's /%s/iso.yaml: grub2.entries is not followed: the menu of an installer is Slipway's own"
                .formatted(NEWER),
            "the image's /%s/iso.yaml: grub2.default is not followed: the menu of an installer is Slipway's own"
                .formatted(NEWER));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          label: "a b"                                 | label is "a b"
          label: ABCDEFGHIJKLMNOPQRSTUVWXYZ1234567     | at most 32
          label: [a]                                   | label is ["a"]
          grub2: {timeout: -1}                         | grub2.timeout is -1
          grub2: {timeout: 7; reboot}                  | grub2.timeout is "7; reboot"
          """)
  void whatWouldBecomePartOfTheMenuIsChecked(String text, String words) throws Exception {
    put(NEWER, text);
    assertThatThrownBy(this::read)
        .isInstanceOf(Problem.class)
        .hasMessageStartingWith("the image's /" + NEWER + "/iso.yaml: ")
        .hasMessageContaining(words);
  }
}
