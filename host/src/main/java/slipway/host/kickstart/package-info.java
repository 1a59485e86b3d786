/**
 * Installations that a kickstart file answers for. Entry: {@link slipway.host.kickstart.Kickstart}.
 *
 * <pre>
 *  inst.ks=WHERE ─▶ KickstartLocation ─▶ text
 *    │ KickstartScripts   %pre, in the live system
 *    ▼
 *  Kickstart              read again, with what %pre wrote
 *    │ KickstartAnswers   each command becomes keys of the config that disks are made by
 *    │                    (PartitionAnswers, NetworkFiles), which are checked as those are
 *    ▼
 *  InstallAnswers ─▶ slipway.host.install, the installer of bootc install
 *    │
 *    ▼
 *  KickstartScripts       %post, in the deployed tree
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package slipway.host.kickstart;
