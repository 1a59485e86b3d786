/**
 * Disk images: an image from the store, a configuration, a plan, a file of any {@link
 * slipway.disk.DiskType}. Entry: {@link slipway.disk.DiskBuilder} with a {@link
 * slipway.disk.DiskRequest}.
 *
 * <pre>
 *  image ──────────┐
 *  config.toml ─▶ config.DiskConfig ─┐
 *  size ────────▶ plan.DiskPlan ─────┤
 *                                    ▼
 *  1 OUTPUT/.slipway-disk-…/disk.raw     a sparse file; sfdisk writes the table
 *  2 a loop device for root and for /boot, in a mount namespace of its own
 *  3 filesystem.FileSystems              root: ext4, xfs or btrfs; /boot: ext4, or a folder of it
 *  4 NewSysroot.makeRepository           ostree/repo (slipway.sysroot)
 *  5 ostree.container.ContainerImport    the image's layers become commits
 *  6 config.InstallConfig                if the image wants another root file system, or another
 *                                        boot loader: again from 1
 *  7 NewSysroot.make, Sysroot.deploy     deployment, kernel, boot menu
 *  8 customize.Customizer                accounts, files, fstab
 *  9 bootloader.Grub                     grub.cfg in /boot, GRUB for BIOS beside the GPT; or
 *    bootloader.SystemdBoot              the loader and its menu, for the partition
 *    OtherPlaces                       what lies in places with partitions of their own moves there
 *  10 unmounted; FileSystems.fat, put    EFI system partition with the loader for UEFI
 *  11 format.ImageFormat                other formats that are asked for; each file is synced and
 *     renamed, the commit point of OUTPUT/qcow2/disk.qcow2, OUTPUT/image/disk.raw and so on
 *  12 DiskManifest                      OUTPUT/manifest-TYPES.json
 * </pre>
 *
 * {@link slipway.disk.DeviceInstall} does the same, from sfdisk to 10, on a disk of this machine
 * that {@code ClaimedDisk} has for itself, once {@code InstallableImage.ahead} has read the image.
 * {@code DiskWriter} is what both share: the disk itself; {@code Installation} the image on it.
 *
 * <p>{@link slipway.disk.FilesystemInstall} installs onto file systems that somebody else made:
 *
 * <pre>
 *  1 TargetRoot.checked    may it go there? root, /boot, BootDisk with the places for GRUB, room;
 *                          nothing is changed before that
 *  2 UnfinishedInstall     what a killed installation left goes; a mark for the next one; a repository
 *                          and bound images that are there are set aside
 *    Installation.begin    the image's files, in ROOT/ostree/repo alone; where these have no room
 *                          beside what is to be wiped, InstallableImage.ahead reads the layers
 *  3 InstallableImage      can it be deployed, has its kernel the drivers, is all of a boot loader
 *                          there, is /boot large enough?
 *  4 TargetRoot.wipeBoot, wipe  here an old system ends, and Erased says so if it fails
 *  5 Installation.deploy, Customizer, Grub or SystemdBoot: as above; labels; all synced
 *  6 what firmware starts: GRUB for BIOS, the EFI system partition (EfiFolder, EspFolders), from
 *                          which loaders of ErasedSystems go, those of MirrorPartitions; synced
 *  7 fstrim, read-only, freeze and thaw
 * </pre>
 *
 * {@link slipway.disk.MachineWishes} is what all of them are told of the machine; {@code Aleph}
 * what they leave behind of its origin.
 *
 * <p>For a user who is not root {@code PretendedDisk} takes the place of 2, 3 and 10: the rest
 * works in a folder, whose owners, modes, attributes and devices are pretended ({@link
 * slipway.linux.posix.Pretence}), and {@code slipway.disk.ext4} writes what it looks like into the
 * partitions.
 *
 * <p>A logical volume is a part of the disk as a partition is, one that {@code slipway.disk.lvm}
 * describes; {@code DiskPlan.areas} has both.
 *
 * <p>{@link slipway.disk.FileAccess} says who may read the finished disk. A failure looks into
 * {@code DiskSpace}, whether there was no room.
 */
@org.jspecify.annotations.NullMarked
package slipway.disk;
