package slipway.linux.mount;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import slipway.linux.posix.OsPath;

class MountTableTest {
  @Test
  void namesAreThoseOfTheFiles() throws Exception {
    String text =
        """
        21 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
        22 21 0:5 /x\\040-\\040y /mnt/a\\040b\\134c rw shared:2 - tmpfs none rw,size=4\\040k
        """;
    assertThat(MountTable.entries(text))
        .containsExactly(
            new MountTable.Entry(OsPath.of("/"), "/", "ext4", "/dev/sda1", "rw"),
            new MountTable.Entry(
                OsPath.of("/mnt/a b\\c"), "/x - y", "tmpfs", "none", "rw,size=4 k"));
    assertThat(MountTable.points()).contains(OsPath.of("/"), OsPath.of("/proc"));
    assertThat(MountTable.at(OsPath.of("/proc")).orElseThrow().type()).isEqualTo("proc");
    assertThat(MountTable.at(OsPath.of("/proc/self"))).isEmpty();
  }
}
