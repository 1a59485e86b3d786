package slipway.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import slipway.base.Problem;

/** The words of bootc-image-builder for the types of disks, and its sentences. */
class DiskTypeTest {
  @Test
  void eachIsMadeOnce() {
    assertThat(DiskType.parse(List.of("qcow2", "ami", "qcow2")))
        .containsExactly(DiskType.QCOW2, DiskType.AMI);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          x              | unsupported image type "x", valid types are \
          ami, anaconda-iso, bootc-generic-iso, bootc-installer, gce, iso, ova, pxe, pxe-tar-xz, qcow2, raw, vhd, vmdk
          raw vpc        | unsupported image type "vpc", valid types are \
          ami, anaconda-iso, bootc-generic-iso, bootc-installer, gce, iso, ova, pxe, pxe-tar-xz, qcow2, raw, vhd, vmdk
          raw iso        | cannot mix ISO/disk images in request
          anaconda-iso   | --type anaconda-iso is no disk, and only a build makes it
          pxe-tar-xz     | --type pxe-tar-xz is no disk, and only a build makes it
          raw pxe        | cannot mix ISO/disk images in request
          iso pxe        | cannot mix ISO/disk images in request
          """)
  void whatCannotBeMadeIsRefused(String words, String sentence) {
    assertThatThrownBy(() -> DiskType.parse(List.of(words.split(" "))))
        .isInstanceOfSatisfying(
            Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.USAGE))
        .hasMessage(sentence);
  }
}
