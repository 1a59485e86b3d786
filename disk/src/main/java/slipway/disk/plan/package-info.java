/**
 * What goes where on a disk. Entry: {@link slipway.disk.plan.DiskPlan}, a value that sfdisk(8) is
 * given as its script.
 *
 * <pre>
 *  config.DiskLayout, Least
 *         │
 *         ▼
 *  WantedPartitions    which partitions there are and how large at least; PartitionTypes has their
 *         │            types, each is a WantedPartition, and Demand is what others see of it
 *         ▼
 *  Division            where they lie, and the volumes of a group; refuses what is too small
 *         │
 *         ▼
 *  DiskPlan            what lies where; writes the table, by sfdisk or Gpt
 * </pre>
 *
 * <p>What a disk usually has:
 *
 * <pre>
 *  offset      size         name         holds
 *  0           1 MiB                     boot code of GRUB (440 bytes), GPT
 *  1 MiB       1 MiB        bios         GRUB for BIOS, without a file system
 *  2 MiB       128 MiB      EFI-SYSTEM   FAT32: EFI/BOOT/BOOTX64.EFI or BOOTAA64.EFI
 *  130 MiB     1 GiB        boot         ext4: /boot, with kernels, entries, grub.cfg
 *  1154 MiB    the rest     root         ext4, xfs or btrfs: /ostree
 *  end         1 MiB                     the GPT's copy
 * </pre>
 *
 * With the older table ({@link slipway.disk.config.PartitionTable#DOS}):
 *
 * <pre>
 *  0           512                       boot code of GRUB (440 bytes), table of four partitions
 *  512                                   the rest of GRUB for BIOS
 *  1 MiB       128 MiB      type ef      FAT32, as above
 *  129 MiB     1 GiB        type 83      ext4: /boot; the active one
 *  1153 MiB    the rest     type 83      root
 * </pre>
 *
 * On a disk with sectors of 4096 bytes ({@code Gpt}) nothing is for BIOS, and the EFI system
 * partition has 264 MiB.
 *
 * <p>What a user asks for ({@link slipway.disk.config.DiskLayout}) lies before the root, which
 * takes what is left. In a volume group ({@link slipway.disk.lvm.VolumeGroup}), which is then the
 * last partition, it takes what the other volumes leave. {@link
 * slipway.disk.config.PartitionContent} is what a partition may hold.
 *
 * <p>Types of partitions ({@code PartitionTypes}) are those of the Discoverable Partitions
 * Specification; the root's is that of the architecture. Each partition has an id of its own, and
 * so has each file system in it.
 */
@org.jspecify.annotations.NullMarked
package slipway.disk.plan;
