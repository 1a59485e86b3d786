package slipway.disk.lvm;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.linux.loop.LoopDevice;
import slipway.linux.process.Command;

/** Volume groups; LVM2 itself judges, without activating anything. */
class PhysicalVolumeTest {
  private static final long MIB = 1L << 20;

  @TempDir Path directory;

  private Path disk(long size) throws Exception {
    Path disk = directory.resolve("disk.raw");
    try (RandomAccessFile file = new RandomAccessFile(disk.toFile(), "rw")) {
      file.setLength(size);
    }
    return disk;
  }

  private static VolumeGroup.Volume volume(String name, long mib) {
    return new VolumeGroup.Volume(name, UUID.nameUUIDFromBytes(name.getBytes(UTF_8)), mib * MIB);
  }

  private static VolumeGroup group(long size, List<VolumeGroup.Volume> volumes) {
    return new VolumeGroup("vg00", new UUID(1, 2), new UUID(3, 4), size, volumes);
  }

  /** What a tool of LVM2 says of a device, in words with single spaces; it changes nothing. */
  static List<String> lvm(LoopDevice device, String tool, String... words) {
    return Command.of(tool, "--devices", device.device().toString(), "--config")
        .with("backup{backup=0 archive=0} global{locking_type=0} report{units=\"m\"}")
        .with(words)
        .run()
        .text()
        .lines()
        .map(line -> line.strip().replaceAll("\\s+", " "))
        .toList();
  }

  @Test
  void lvmReadsWhatIsWritten() throws Exception {
    Path disk = disk(3 * MIB + 500 * MIB);
    long start = 3 * MIB;
    long size = 500 * MIB;
    List<VolumeGroup.Volume> volumes =
        List.of(volume("rootlv", 320), volume("swap-1", 64), volume("var_home.x+y", 4));
    PhysicalVolume.write(disk, start, group(size, volumes), 1_700_000_000);
    assertThat(LvmReader.volumes(disk, start))
        .containsEntry("rootlv", new LvmReader.Range(MIB, 320 * MIB))
        .containsEntry("swap-1", new LvmReader.Range(321 * MIB, 64 * MIB))
        .containsEntry("var_home.x+y", new LvmReader.Range(385 * MIB, 4 * MIB))
        .hasSize(3);
    try (LoopDevice loop = LoopDevice.attach(disk, start, size)) {
      Command.Result check = Command.of("pvck", loop.device().toString()).run();
      assertThat(check.stderr()).isEmpty();
      assertThat(lvm(loop, "vgck", "vg00")).isEmpty();
      assertThat(lvm(loop, "pvs", "--noheadings", "-o", "vg_name,pv_size,pv_free,pv_pe_count"))
          .containsExactly("vg00 496.00m 108.00m 124");
      assertThat(lvm(loop, "lvs", "--noheadings", "-o", "lv_name,lv_size,seg_start_pe,segtype"))
          .containsExactly(
              "rootlv 320.00m 0 linear", "swap-1 64.00m 0 linear", "var_home.x+y 4.00m 0 linear");
    }
  }

  @Test
  void manyVolumesLeaveRoomForTheNextDescription() throws Exception {
    long size = (1 + 4L * VolumeGroup.MOST_VOLUMES) * MIB;
    Path disk = disk(size);
    List<VolumeGroup.Volume> volumes =
        IntStream.range(0, VolumeGroup.MOST_VOLUMES)
            .mapToObj(i -> volume("v" + i + "x".repeat(100), 4))
            .toList();
    PhysicalVolume.write(disk, 0, group(size, volumes), 0);
    assertThat(LvmReader.description(disk, 0).length()).isLessThan(PhysicalVolume.AREA_SIZE / 3);
    try (LoopDevice loop = LoopDevice.attach(disk, 0, size)) {
      assertThat(lvm(loop, "lvs", "--noheadings", "-o", "lv_name"))
          .hasSize(VolumeGroup.MOST_VOLUMES);
      // It writes its description behind ours.
      lvm(loop, "vgchange", "--addtag", "seen", "vg00");
      assertThat(lvm(loop, "vgs", "--noheadings", "-o", "seqno,tags")).containsExactly("2 seen");
    }
  }

  @Test
  void aGroupMayBeEmpty() throws Exception {
    Path disk = disk(64 * MIB);
    PhysicalVolume.write(disk, 0, group(64 * MIB, List.of()), 0);
    assertThat(Files.size(disk)).isEqualTo(64 * MIB);
    try (LoopDevice loop = LoopDevice.attach(disk, 0, 64 * MIB)) {
      assertThat(lvm(loop, "vgs", "--noheadings", "-o", "vg_name,lv_count,vg_free"))
          .containsExactly("vg00 0 60.00m");
    }
  }
}
