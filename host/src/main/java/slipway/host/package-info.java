/**
 * What runs on a machine: its status, and its way from one version of the image to the next.
 * Nothing stays resident: each call of {@code bootc} is one process.
 *
 * <pre>
 *  bootc status ─▶ update.Host ─▶ status.StatusReader ─▶ HostStatus ─▶ JSON, YAML, text
 *
 *  bootc upgrade ─▶ update.Host
 *     1 ImagePull.prepare      the manifest from where the machine's image comes from
 *     2 what to do             nothing, keep what is staged, drop it, or stage
 *     3 ImagePull.check        is it bootable, and for this machine?
 *     4 startFinalizer         slipway-finalize-staged.service, which works when it is stopped
 *     5 ImagePull.fetch        layers that are missing ─▶ commits ─▶ merge commit
 *     6 Sysroot.stage          a deployment without a boot entry; its record in /run/ostree is the
 *                              commit point
 *     7 ImageRefs.collect      images and layers that no deployment needs any more
 *        …
 *     8 shutdown               bootc internals finalize-staged ─▶ Host.finalizeStaged: merge of
 *                              /etc, boot menu; the rename of its link is the commit point
 *     9 boot                   the new version; the one before stays for bootc rollback
 *
 *  bootc switch      1 and 3 to 9 for another image
 *  bootc rollback    the boot menu in another order, at once
 *  bootc pin, kargs, etc, …    deployment: what an administrator does with what is there
 * </pre>
 *
 * {@code system} is what a machine is to the agent and can be made up for tests ({@link
 * slipway.host.system.HostEnvironment}). {@code docs/data-flow.md} tells the same with the bytes.
 */
@org.jspecify.annotations.NullMarked
package slipway.host;
