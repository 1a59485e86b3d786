package slipway.disk;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import slipway.base.Progress;
import slipway.disk.config.RootFileSystem;

/** The same image, seed and time give the same bytes, whoever builds, wherever and whenever. */
@Tag("slow")
class ReproducibleDiskTest extends DiskCase {
  private static final Instant TIME = Instant.parse("2025-01-02T03:04:05Z");

  private List<Path> build(String folder, long seed, DiskType... types) throws IOException {
    DiskRequest request =
        TestImage.request(store, TestImage.storeWithXattrs(store, tree, BOOTABLE), output)
            .with(true, seed)
            .withTime(TIME)
            .withTypes(List.of(types))
            .withOutput(directory.resolve(folder));
    return DiskBuilder.build(request, Progress.NONE);
  }

  @Test
  void twoBuildsAreTheSameByteForByte() throws Exception {
    List<Path> first = build("one", 7, DiskType.RAW, DiskType.QCOW2);
    List<Path> second = build("two/deeper", 7, DiskType.RAW, DiskType.QCOW2);
    for (int i = 0; i < first.size(); i++) {
      assertThat(Files.mismatch(first.get(i), second.get(i))).as("%s", first.get(i)).isEqualTo(-1);
    }
    List<Path> other = build("three", 8, DiskType.QCOW2);
    assertThat(Files.mismatch(other.getFirst(), first.get(1))).isNotEqualTo(-1);
  }

  @Test
  void timesOfOtherFileSystemsAreTold() throws Exception {
    List<String> notes = new ArrayList<>();
    DiskRequest request =
        TestImage.request(store, TestImage.storeWithXattrs(store, tree, BOOTABLE), output)
            .withRootfs(RootFileSystem.XFS)
            .withTime(TIME);
    DiskBuilder.build(request, TestImage.noting(notes::add));
    assertThat(notes).anyMatch(note -> note.contains("SOURCE_DATE_EPOCH"));
  }
}
