/**
 * What writes to a sysroot. {@link slipway.sysroot.Sysroot} holds the lock and calls these in
 * order; each says in its Javadoc what may be cut off where.
 *
 * <pre>
 *  DeploymentWriter.create     checkout; usr/etc copied to etc; var filled if empty (NewVar);
 *                              .ostree.cfs; COMMIT.N.origin
 *  DeploymentWriter.complete   EtcMerge onto the new etc; .updated of etc and var removed;
 *                              backing/COMMIT.N; directory made immutable
 *  BootSpace.check             is there room in /boot? else old kernels go first
 *  BootWriter.write
 *    the menu reads differently:                      only the deployments behind it change:
 *      loader.(1-B)/entries, OtherMenus, kernels,       boot.B.(1-C)/S/BOOTCSUM/M
 *      grubenv of a trial
 *      boot.(1-B).C/S/BOOTCSUM/M                        sync
 *      sync of / and of /boot (Durability)              rename of ostree/boot.B: commit point
 *      rename of boot/loader: commit point
 *      (EspWriter: a copy of the menu before it, and behind it the byte that puts that in force)
 *  AfterCommit                 what follows may fail and is told; the change stands
 *  SysrootSweep                other menus, deployments and kernels that no entry has, orphans;
 *                              refs ostree/B/C/0, 1, … keep the commits of those deployed
 *
 *  EtcMerge.diff(old usr/etc, old etc)     M changed, D removed, A added by the administrator
 *  EtcMerge.apply(new etc)                 the local version wins
 *  MachineId                               /etc/machine-id is the machine's, never the image's
 *  EtcRestore                              the image's version of a path again, in place
 *
 *  SysrootLabels               SELinux labels of a whole new sysroot, by the image's policy
 *  InheritedLabel              those of what is added under a kernel that gives none
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package slipway.sysroot.write;
