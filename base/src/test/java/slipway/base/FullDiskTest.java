package slipway.base;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class FullDiskTest {
  @Test
  void aFullDiskIsFoundBelowOtherFailures() {
    IOException full = new IOException("write fd 39: No space left on device");
    assertThat(FullDisk.isCauseOf(new IllegalStateException("x", new IOException("y", full))))
        .isTrue();
    assertThat(FullDisk.isCauseOf(new IOException("Disk quota exceeded"))).isTrue();
    assertThat(FullDisk.isCauseOf(new IllegalStateException("No space left on device"))).isFalse();
    assertThat(FullDisk.tell(Path.of("/s"), full))
        .startsWith("no space is left on the file system of /s; make room there");
    assertThat(FullDisk.tell(Path.of("/s"), new IOException("other"))).isEqualTo("other");
  }

  @Test
  void aFailureNamesTheFileWhereItKnowsIt() {
    String what = "No space left on device";
    assertThat(FullDisk.sentence(new FileSystemException("/srv/x", null, what)))
        .isEqualTo("no space is left on the file system of /srv/x; make room there");
    assertThat(FullDisk.sentence(new FileSystemException("/usr/share/x", "/srv/copy", what)))
        .isEqualTo("no space is left on the file system of /srv/copy; make room there");
    assertThat(FullDisk.sentence(new FileSystemException("/srv/x", null, "Disk quota exceeded")))
        .isEqualTo("the disk quota for /srv/x is used up; remove files there, or have it raised");
    Path temporary = TemporaryFiles.folder().resolve("slipway-x/y");
    assertThat(FullDisk.sentence(new FileSystemException(temporary.toString(), null, what)))
        .endsWith(" of " + temporary + "; make room there or let TMPDIR name another folder");
    Path other = TemporaryFiles.folder().resolve("x");
    assertThat(FullDisk.sentence(other)).endsWith(" of " + other + "; make room there");
    for (String call : List.of("mkdir", "write")) {
      assertThat(FullDisk.sentence(new IOException(call + " /srv/x: " + what)))
          .isEqualTo("no space is left on the file system of /srv/x; make room there");
    }
    assertThat(FullDisk.sentence(new IOException("write /srv/x: Disk quota exceeded")))
        .startsWith("the disk quota for /srv/x is used up");
    for (String nameless : List.of(what, "write fd 39: " + what)) {
      assertThat(FullDisk.sentence(new IOException(nameless)))
          .startsWith("no space is left on a file system that this writes to")
          .contains(String.valueOf(TemporaryFiles.largeFolder()));
    }
  }
}
