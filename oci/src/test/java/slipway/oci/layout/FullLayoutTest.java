package slipway.oci.layout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.linux.mount.Mount;

/** A layout on a stick that has no room. */
class FullLayoutTest {
  @TempDir Path dir;

  @Test
  void theSentenceSaysWhereToMakeRoom() throws Exception {
    Path stick = Files.createDirectory(dir.resolve("stick"));
    try (Mount full = Mount.of("tmpfs", stick, "tmpfs", 0, "size=4k")) {
      Files.write(stick.resolve("there"), new byte[4096]);
      Path place = stick.resolve("os");
      assertThatThrownBy(() -> OciLayout.create(place, null))
          .isInstanceOfSatisfying(
              Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.FULL))
          .hasMessage(
              "cannot make an OCI image layout in "
                  + place
                  + ": no space is left on the file system of "
                  + place
                  + "; make room there");
      Files.delete(stick.resolve("there"));
      OciLayout.create(place, null).close();
      assertThat(place.resolve("oci-layout")).exists();
    }
  }
}
