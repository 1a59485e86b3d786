package slipway.disk.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.disk.config.BootLoader;
import slipway.disk.config.DiskLayout;
import slipway.disk.config.PartitionContent;
import slipway.disk.config.PartitionTable;
import slipway.disk.config.RootFileSystem;
import slipway.disk.lvm.VolumeGroup;

class DiskPlanTest {
  private static final long MIB = 1L << 20;

  private static Supplier<UUID> ids(long seed) {
    Random random = new Random(seed);
    return () -> new UUID(random.nextLong(), random.nextLong());
  }

  /** Where systemd-boot starts the machine, the partition that holds the kernels grows. */
  @Test
  void bootHasTheSizeThatIsAskedFor() {
    DiskPlan.Least least = new DiskPlan.Least(12L << 30, 1500 * MIB + 1);
    DiskPlan grub = DiskPlan.of(0, least, DiskLayout.USUAL, "amd64", BootLoader.GRUB, ids(1));
    assertThat(grub.boot().size()).isEqualTo(1501 * MIB);
    assertThat(grub.root().size()).isEqualTo(12L << 30);
    DiskPlan systemd = DiskPlan.of(0, least, DiskLayout.USUAL, "amd64", BootLoader.SYSTEMD, ids(1));
    assertThat(systemd.esp().size()).isEqualTo(1501 * MIB);
    assertThat(systemd.root().size()).isEqualTo(12L << 30);
    DiskPlan small =
        DiskPlan.of(
            0,
            new DiskPlan.Least(0, 500 * MIB),
            DiskLayout.USUAL,
            "amd64",
            BootLoader.GRUB,
            ids(1));
    assertThat(small.boot().size()).isEqualTo(1024 * MIB);
  }

  @Test
  void theDefaultIsTenGibibytes() {
    DiskPlan plan = DiskPlan.of(0, 0, "amd64", BootLoader.GRUB, ids(1));
    assertThat(plan.size()).isEqualTo(10L << 30);
    assertThat(plan.parts().stream().map(DiskPlan.Part::start))
        .containsExactly(MIB, 2 * MIB, 130 * MIB, 1154 * MIB);
    assertThat(plan.root().size()).isEqualTo((10L << 30) - 1155 * MIB);
  }

  /**
   * An image names the partition in which GRUB for BIOS lies; it is made once, and where it is of
   * use.
   */
  @Test
  void whatGrubLiesInMayHaveAName() {
    DiskLayout.Partition bios =
        new DiskLayout.Partition(
            "p", 2 * MIB, null, "BIOS-BOOT", null, new PartitionContent.Bios());
    DiskLayout layout = new DiskLayout(null, 0, 0, List.of(bios));
    DiskPlan.Least least = new DiskPlan.Least(0, 0);
    DiskPlan grub = DiskPlan.of(0, least, layout, "amd64", BootLoader.GRUB, ids(1));
    assertThat(grub.parts().stream().map(DiskPlan.Part::name))
        .containsExactly("BIOS-BOOT", "EFI-SYSTEM", "boot", "root");
    assertThat(grub.parts().getFirst().size()).isEqualTo(2 * MIB);
    DiskPlan systemd = DiskPlan.of(0, least, layout, "amd64", BootLoader.SYSTEMD, ids(1));
    assertThat(systemd.parts()).hasSize(2);
  }

  @Test
  void aLargeImageMakesALargeDisk() {
    assertThat(DiskPlan.of(0, 20L << 30, "amd64", BootLoader.GRUB, ids(1)).root().size())
        .isGreaterThanOrEqualTo(20L << 30);
  }

  @Test
  void aSmallDiskIsRefusedWithTheSmallestThatFits() {
    assertThatThrownBy(() -> DiskPlan.of(MIB, 2L << 30, "amd64", BootLoader.GRUB, ids(1)))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("--size 3203M");
    assertThat(DiskPlan.of(3203 * MIB, 2L << 30, "amd64", BootLoader.GRUB, ids(1)).root().size())
        .isEqualTo(2L << 30);
    assertThatThrownBy(() -> DiskPlan.of(3202 * MIB, 2L << 30, "amd64", BootLoader.GRUB, ids(1)))
        .isInstanceOf(Problem.class);
    assertThatThrownBy(() -> DiskPlan.of(0, 0, "s390x", BootLoader.GRUB, ids(1)))
        .hasMessageContaining("s390x");
  }

  @Test
  void partitionsAreAlignedApartAndInside() {
    long seed = new Random().nextLong();
    System.out.println("DiskPlanTest seed " + seed);
    Random random = new Random(seed);
    for (int i = 0; i < 1000; i++) {
      long wanted = (3L << 30) + random.nextLong(1L << 42);
      DiskPlan plan =
          DiskPlan.of(wanted, random.nextLong(1L << 30), "amd64", BootLoader.GRUB, ids(i));
      assertThat(plan.size()).isBetween(wanted - MIB + 1, wanted);
      long end = MIB;
      for (DiskPlan.Part part : plan.parts()) {
        assertThat(part.start()).isEqualTo(end);
        assertThat(part.size()).isPositive();
        assertThat(part.size() % MIB).isZero();
        end += part.size();
      }
      assertThat(end).isEqualTo(plan.size() - MIB);
    }
  }

  @Test
  void systemdBootReadsKernelsFromALargeEfiSystemPartition() {
    DiskPlan plan = DiskPlan.of(0, 0, "amd64", BootLoader.SYSTEMD, ids(1));
    assertThat(plan.parts().stream().map(DiskPlan.Part::name))
        .containsExactly("EFI-SYSTEM", "root");
    assertThat(plan.parts().stream().map(DiskPlan.Part::start)).containsExactly(MIB, 1025 * MIB);
    assertThat(plan.root().size()).isEqualTo((10L << 30) - 1026 * MIB);
    assertThat(plan.script().lines()).hasSize(5);
  }

  private static DiskLayout.Partition group(long minimum, PartitionContent.Volume... volumes) {
    return new DiskLayout.Partition(
        "g", minimum, null, null, null, new PartitionContent.Lvm("vg00", List.of(volumes)));
  }

  private static PartitionContent.Volume volume(String place, long minimum) {
    RootFileSystem kind = place.equals("/") ? null : RootFileSystem.EXT4;
    return new PartitionContent.Volume(
        "v" + place, "lv", minimum, new PartitionContent.Files(place, kind, ""));
  }

  /** The partition takes what is left of the disk, and the root what is left of the group. */
  @Test
  void theRootMayBeALogicalVolume() {
    DiskLayout layout =
        new DiskLayout(null, 0, 0, List.of(group(MIB, volume("/", 1), volume("/srv", 33 * MIB))));
    DiskPlan.Least least = new DiskPlan.Least(2L << 30, 0);
    DiskPlan plan = DiskPlan.of(0, least, layout, "amd64", BootLoader.GRUB, ids(1));
    assertThat(plan.parts().stream().map(DiskPlan.Part::name))
        .containsExactly("bios", "EFI-SYSTEM", "boot", "lvm");
    DiskPlan.Part partition = plan.parts().getLast();
    assertThat(partition.type()).isEqualTo("E6D6D379-F507-44C2-A23C-238F2A3DF928");
    assertThat(partition.size()).isEqualTo((10L << 30) - 1155 * MIB);
    assertThat(plan.root().start()).isEqualTo(partition.start() + MIB);
    DiskPlan.Part srv = plan.areas().getLast();
    assertThat(srv.size()).isEqualTo(36 * MIB);
    assertThat(srv.start()).isEqualTo(plan.root().start() + plan.root().size());
    assertThat(plan.root().size() % (4 * MIB)).isZero();
    assertThat(partition.start() + partition.size() - srv.start() - srv.size())
        .isBetween(0L, 4 * MIB - 1);
    assertThat(plan.group().described().volumes())
        .containsExactly(
            new VolumeGroup.Volume("lv", plan.root().id(), plan.root().size()),
            new VolumeGroup.Volume("lv", srv.id(), 36 * MIB));
    assertThatThrownBy(
            () -> DiskPlan.of(3239 * MIB, least, layout, "amd64", BootLoader.GRUB, ids(1)))
        .hasMessageContaining("--size 3240M");
    DiskPlan small = DiskPlan.of(3240 * MIB, least, layout, "amd64", BootLoader.GRUB, ids(1));
    assertThat(small.root().size()).isEqualTo(2L << 30);
  }

  @Test
  void theRootOfADeviceLeavesRoomInItsGroup() {
    DiskLayout layout =
        new DiskLayout(null, 0, 0, List.of(group(1, volume("/srv", 1), volume("/", 1))));
    DiskPlan.Least least = new DiskPlan.Least(1L << 30, 0);
    DiskPlan plan =
        DiskPlan.ofDevice("d", 5L << 30, least, layout, 2L << 30, "amd64", BootLoader.GRUB, ids(1));
    assertThat(plan.root().size()).isEqualTo(2L << 30);
    assertThat(plan.parts().getLast().size()).isEqualTo((5L << 30) - 1155 * MIB);
    assertThatThrownBy(
            () ->
                DiskPlan.ofDevice(
                    "d", 5L << 30, least, layout, 4L << 30, "amd64", BootLoader.GRUB, ids(1)))
        .hasMessageContaining("d has room for a root of 3932 MiB");
  }

  @Test
  void aGroupMayLieBesideTheRoot() {
    DiskLayout layout =
        new DiskLayout(PartitionTable.DOS, 0, 0, List.of(group(2L << 30, volume("/srv", 1))));
    DiskPlan plan =
        DiskPlan.of(0, new DiskPlan.Least(0, 0), layout, "amd64", BootLoader.GRUB, ids(1));
    assertThat(plan.parts().stream().map(DiskPlan.Part::name))
        .containsExactly("EFI-SYSTEM", "boot", "lvm", "root");
    assertThat(plan.parts().get(2).type()).isEqualTo("8e");
    assertThat(plan.parts().get(2).size()).isEqualTo(2L << 30);
    assertThat(plan.group().volumes().getFirst().size()).isEqualTo(32 * MIB);
    assertThat(plan.areas()).contains(plan.root()).hasSize(4);
  }

  @Test
  void whatNoDiskHoldsIsRefused() {
    DiskPlan.Least least = new DiskPlan.Least(0, 0);
    PartitionContent swap = new PartitionContent.Swap("");
    DiskLayout.Partition huge = new DiskLayout.Partition("p", 1L << 60, null, null, null, swap);
    DiskLayout.Partition small = new DiskLayout.Partition("p", 1, null, null, null, swap);
    PartitionContent.Volume volume = new PartitionContent.Volume("v", "lv", 1L << 60, swap);
    for (DiskLayout.Partition each :
        List.of(
            huge,
            group(1, Collections.nCopies(20, volume).toArray(PartitionContent.Volume[]::new)))) {
      DiskLayout layout = new DiskLayout(null, 0, 0, Collections.nCopies(20, each));
      assertThatThrownBy(() -> DiskPlan.demands(least, layout, "amd64", BootLoader.GRUB))
          .isInstanceOf(Problem.class)
          .hasMessageContaining("are larger than any disk");
    }
    DiskLayout many = new DiskLayout(null, 0, 0, Collections.nCopies(125, small));
    assertThatThrownBy(() -> DiskPlan.demands(least, many, "amd64", BootLoader.GRUB))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("128 partitions here, and this disk would have 129");
  }

  @Test
  void everyIdIsAnother() {
    DiskPlan plan = DiskPlan.of(0, 0, "arm64", BootLoader.GRUB, ids(3));
    List<UUID> all =
        java.util.stream.Stream.concat(
                java.util.stream.Stream.of(plan.diskId()),
                plan.parts().stream()
                    .flatMap(p -> java.util.stream.Stream.of(p.id(), p.filesystem())))
            .toList();
    assertThat(all).doesNotHaveDuplicates().hasSize(9);
  }

  /** The older table: GRUB has room before the first partition, and the kernels' is active. */
  @Test
  void theOlderTableHasThreePartitions() {
    DiskLayout dos = new DiskLayout(PartitionTable.DOS, 12L << 30, 0, List.of());
    DiskPlan plan = DiskPlan.of(0, new DiskPlan.Least(0, 0), dos, "amd64", BootLoader.GRUB, ids(1));
    assertThat(plan.script().replaceFirst("0x[0-9a-f]{8}", "0xID"))
        .isEqualTo(
            """
            label: dos
            label-id: 0xID
            unit: sectors
            start=2048, size=262144, type=ef
            start=264192, size=2097152, type=83, bootable
            start=2361344, size=22802432, type=83
            """);
    assertThat(plan.gap()).isEqualTo(MIB - DiskPlan.SECTOR);
    assertThat(plan.bios()).isNull();
    assertThat(plan.idOf(plan.root())).isEqualTo(plan.tableId().substring(2) + "-03");
  }

  private static DiskLayout.Partition asked(long minimum, PartitionContent content) {
    return new DiskLayout.Partition("p", minimum, null, null, null, content);
  }

  private static String golden(DiskPlan plan) {
    return plan.script()
        .replaceFirst("(label-id: )[0-9a-fx-]+", "$1ID")
        .replaceAll("uuid=[0-9a-f-]{36}", "uuid=ID");
  }

  /** What is asked for lies between what starts the machine and the root, which takes the rest. */
  @Test
  void partitionsOfAUserHaveTheirPlace() {
    UUID id = new UUID(1, 2);
    DiskLayout layout =
        new DiskLayout(
            PartitionTable.GPT,
            20L << 30,
            3 * MIB + 1,
            List.of(
                asked(5L << 30, new PartitionContent.Files("/", RootFileSystem.XFS, "sys")),
                asked(2L << 30, new PartitionContent.Swap("")),
                new DiskLayout.Partition(
                    "p",
                    3L << 30,
                    "933AC7E1-2EB4-4F13-B844-0E14E2AEF915",
                    "people's homes",
                    id,
                    new PartitionContent.Files("/var/home", RootFileSystem.EXT4, "")),
                asked(256 * MIB, new PartitionContent.Fat("/boot/efi", "", true)),
                asked(1, new PartitionContent.Files("/boot", RootFileSystem.XFS, "")),
                asked(1, new PartitionContent.Fat("/exchange", "", true)),
                asked(1, new PartitionContent.Files("/var", RootFileSystem.XFS, "")),
                asked(1, new PartitionContent.Nothing())));
    DiskPlan plan =
        DiskPlan.of(0, new DiskPlan.Least(0, 0), layout, "amd64", BootLoader.GRUB, ids(1));
    assertThat(golden(plan).replace(id.toString(), "THIS"))
        .isEqualTo(
            """
            label: gpt
            label-id: ID
            unit: sectors
            start=8192, size=2048, type=21686148-6449-6E6F-744E-656564454649, uuid=ID, name=bios
            start=10240, size=524288, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, uuid=ID, name=EFI-SYSTEM
            start=534528, size=2097152, type=BC13C2FF-59E6-4262-A352-B275FD6F7172, uuid=ID, name=boot
            start=2631680, size=4194304, type=0657FD6D-A4AB-43C4-84E5-0933C84B4F4F, uuid=ID, name=swap
            start=6825984, size=6291456, type=933AC7E1-2EB4-4F13-B844-0E14E2AEF915, uuid=ID, name="people's homes"
            start=13117440, size=16384, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, uuid=ID, name=exchange
            start=13133824, size=655360, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, uuid=ID, name=var
            start=13789184, size=2048, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, uuid=ID, name=data
            start=13791232, size=28149760, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, uuid=ID, name=root
            """);
    assertThat(plan.parts().get(4).id()).isEqualTo(id);
    assertThat(plan.root().content())
        .isEqualTo(new PartitionContent.Files("/", RootFileSystem.XFS, "sys"));
    assertThat(plan.esp().content())
        .isEqualTo(new PartitionContent.Fat("/boot/efi", "EFI-SYSTEM", true));
    assertThat(plan.boot().content())
        .isEqualTo(new PartitionContent.Files("/boot", RootFileSystem.XFS, "boot"));
  }

  @Test
  void aVolumeWithTheRootTakesWhatIsLeft() {
    PartitionContent volume =
        new PartitionContent.Btrfs(
            List.of(
                new PartitionContent.Subvolume("a", "/"),
                new PartitionContent.Subvolume("b", "/var")));
    DiskLayout layout = new DiskLayout(null, 0, 0, List.of(asked(1, volume)));
    DiskPlan plan =
        DiskPlan.of(0, new DiskPlan.Least(0, 0), layout, "amd64", BootLoader.SYSTEMD, ids(1));
    assertThat(plan.parts()).hasSize(2);
    assertThat(plan.root().content()).isEqualTo(volume);
    assertThat(golden(plan))
        .endsWith(
            "start=2099200, size=18870272, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, uuid=ID,"
                + " name=root\n");
  }

  @Test
  void whatIsAskedForMakesADiskLarger() {
    DiskLayout layout =
        new DiskLayout(
            null,
            0,
            0,
            List.of(
                asked(9L << 30, new PartitionContent.Swap("")),
                asked(4L << 30, new PartitionContent.Files("/", null, ""))));
    DiskPlan.Least least = new DiskPlan.Least(0, 0);
    DiskPlan plan = DiskPlan.of(0, least, layout, "arm64", BootLoader.SYSTEMD, ids(1));
    assertThat(plan.size()).isEqualTo((14L << 30) + 2 * MIB);
    assertThat(plan.root().size()).isEqualTo(4L << 30);
    assertThatThrownBy(
            () -> DiskPlan.of(10L << 30, least, layout, "arm64", BootLoader.SYSTEMD, ids(1)))
        .hasMessageContaining("--size 14338M");
  }

  @Test
  void theOlderTableHasFourPartitions() {
    List<DiskLayout.Partition> one = List.of(asked(MIB, new PartitionContent.Swap("")));
    List<DiskLayout.Partition> two =
        List.of(one.getFirst(), asked(1, new PartitionContent.Fat("/data", "", true)));
    DiskPlan.Least least = new DiskPlan.Least(0, 0);
    DiskPlan plan =
        DiskPlan.of(
            0,
            least,
            new DiskLayout(PartitionTable.DOS, 0, 0, one),
            "amd64",
            BootLoader.GRUB,
            ids(1));
    assertThat(golden(plan))
        .contains("start=2361344, size=2048, type=82\nstart=2363392, size=18606080, type=83\n");
    DiskLayout many = new DiskLayout(PartitionTable.DOS, 0, 0, two);
    assertThatThrownBy(() -> DiskPlan.of(0, least, many, "amd64", BootLoader.GRUB, ids(1)))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("would have 5: EFI-SYSTEM, boot, swap, data, root");
  }

  /** Also what the config cannot tell yet: the table or the loader comes later. */
  @Test
  void whatTheTableOrTheLoaderCannotHaveIsRefused() {
    DiskPlan.Least least = new DiskPlan.Least(0, 0);
    DiskLayout named =
        new DiskLayout(
            PartitionTable.DOS,
            0,
            0,
            List.of(
                new DiskLayout.Partition(
                    "p[0]", 1, null, "x", null, new PartitionContent.Nothing())));
    assertThatThrownBy(() -> DiskPlan.of(0, least, named, "amd64", BootLoader.GRUB, ids(1)))
        .hasMessage("p[0].part_label: part_label is not supported for dos partition tables");
    DiskLayout boot =
        new DiskLayout(
            null,
            0,
            0,
            List.of(asked(1, new PartitionContent.Files("/boot", RootFileSystem.EXT4, ""))));
    assertThatThrownBy(() -> DiskPlan.of(0, least, boot, "amd64", BootLoader.SYSTEMD, ids(1)))
        .hasMessageContaining("p: systemd-boot reads kernels from the EFI system partition");
  }

  @Test
  void theOlderTableHasItsBounds() {
    DiskLayout dos = new DiskLayout(PartitionTable.DOS, 0, 0, List.of());
    DiskPlan.Least least = new DiskPlan.Least(0, 0);
    assertThatThrownBy(() -> DiskPlan.of(0, least, dos, "amd64", BootLoader.SYSTEMD, ids(1)))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("systemd-boot starts from a gpt partition table alone");
    long most = 1L << 41;
    assertThat(DiskPlan.of(most, least, dos, "amd64", BootLoader.GRUB, ids(1)).size())
        .isEqualTo(most);
    assertThatThrownBy(() -> DiskPlan.of(most + MIB, least, dos, "amd64", BootLoader.GRUB, ids(1)))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("too large for a dos partition table");
  }
}
