/**
 * The layout of a bootable root, and the one place that changes it. Entry: {@link
 * slipway.sysroot.Sysroot}. A change is a {@link slipway.sysroot.Plan} first, and has one commit
 * point.
 *
 * <pre>
 *  ROOT/ostree/lock                             one writer: ours or ostree's
 *  ROOT/ostree/repo/                            the objects (slipway.ostree.repo)
 *  ROOT/ostree/deploy/S/var/                    /var of all deployments of the stateroot S
 *  ROOT/ostree/deploy/S/deploy/COMMIT.N/        a deployment: usr is hard links to objects, etc its
 *                                               own; .ostree.cfs is its composefs image
 *  ROOT/ostree/deploy/S/deploy/COMMIT.N.origin  where it came from, and its updates come from
 *  ROOT/ostree/boot.B     → boot.B.C            B and C are 0 or 1
 *  ROOT/ostree/boot.B.C/S/BOOTCSUM/M            → ../../../deploy/S/deploy/COMMIT.N
 *  ROOT/ostree/slipway.conf                     what is wanted of the machine (MachineSettings)
 *  ROOT/boot/loader       → loader.B            the menu in force
 *  ROOT/boot/loader.B/entries/ostree-K.conf     options … ostree=/ostree/boot.B/S/BOOTCSUM/M
 *  ROOT/boot/ostree/S-BOOTCSUM/                 kernel, initramfs, device trees
 *  ROOT/boot/efi/                               a copy of both for systemd-boot (EspMenu)
 *
 *  the way of a boot:
 *  loader → loader.B ─▶ entry with the highest K ─▶ ostree= ─▶ boot.B → boot.B.C ─▶ M ─▶ deployment
 *
 *  DeploySpec ─▶ planDeploy, planStage ─┐
 *  order of the menu ─▶ planOrder ──────┴▶ Plan ─▶ execute, under the lock:
 *     DeploymentWriter.create      tree, etc, var if it is empty, composefs image, origin
 *     at once                      DeploymentWriter.complete (merge of /etc), BootWriter.write
 *     staged                       a record in /run/ostree; at shutdown finalizeStaged does what
 *                                  stands at "at once"
 *     SysrootSweep                 removes what nothing leads to any more
 * </pre>
 *
 * {@code state} reads, {@code write} writes, and this package decides. {@code docs/formats.md},
 * "The sysroot", has every file, and {@code docs/power-cuts.md} what a power cut leaves.
 */
@org.jspecify.annotations.NullMarked
package slipway.sysroot;
