/**
 * What is deployed, as values. {@link slipway.sysroot.state.SysrootState} reads it from the boot
 * menu, which is the truth; nothing is written here but the record of a staged deployment, the
 * machine's settings, and the trial of a new deployment.
 *
 * <pre>
 *  SysrootState.read(root, RunState)
 *    boot/loader.B/entries/ostree-K.conf ─▶ BootEntry ─┐   "key value" lines: title, version,
 *                                                      │   options, devicetree, fdtdir, linux,
 *                                                      │   initrd; others are kept
 *    its ostree=, by links to COMMIT.N ────────────────┼─▶ Deployment, in the order of the menu
 *    COMMIT.N.origin ─▶ Origin ────────────────────────┘   (version, highest first)
 *
 *    /run/ostree/staged-deployment ─▶ StagedFile ────────▶ Deployment that is staged
 *
 *  Origin, a key file
 *    [origin]               container-image-reference=KIND:IMAGE    (ContainerReference)
 *                           unlocked=hotfix; refspec or baserefspec of plain ostree
 *    [libostree-transient]  pinned=true
 *
 *  KIND                          signature
 *  ostree-unverified-registry    none
 *  ostree-unverified-image       none; IMAGE names a transport, such as docker://
 *  ostree-image-signed           policy.json
 *  ostree-remote-registry        keys of an ostree remote: REMOTE:IMAGE
 *  ostree-remote-image           the same, with a transport
 *
 *  StagedFile, a{sv}
 *    target, merge-deployment    a{sv}: name (COMMIT.N), osname (S), bootcsum
 *    kargs                       as: without ostree=
 *    bootconfig-extra            a{ss}: more keys of the boot entry
 *    locked                      b: the shutdown leaves it
 *
 *  MachineSettings, a key file  ostree/slipway.conf
 *    [deployments]          keep=N
 *    [updates]              held=sha256:…;sha256:…
 *    [health]               tries=N
 *
 *  BootTrial, a GrubEnvironment  boot/loader.B/grubenv: tries that the first entry has left
 *  EspMenu                       boot/efi/loader: the menu as systemd-boot reads and counts it
 *
 *  RunState
 *    /run/ostree-booted          empty, or a{sv} with backing-root-device-inode (tt), which tells
 *                                the deployment that is running
 *    /run/ostree/deployment-state/COMMIT.N/unlocked-development, unlocked-transient
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package slipway.sysroot.state;
