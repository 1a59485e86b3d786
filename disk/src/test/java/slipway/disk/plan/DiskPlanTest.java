package slipway.disk.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.disk.config.BootLoader;
import slipway.disk.config.DiskLayout;
import slipway.disk.config.PartitionTable;

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
    DiskLayout dos = new DiskLayout(PartitionTable.DOS, 12L << 30);
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

  @Test
  void theOlderTableHasItsBounds() {
    DiskLayout dos = new DiskLayout(PartitionTable.DOS, 0);
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
