/**
 * What an administrator does with the deployments that a machine has. Each verb is a class, beside
 * {@link slipway.host.update.Host}, which brings new ones.
 *
 * <pre>
 *  Deployments         pin, unpin, delete, keep
 *  MachineArguments    kargs, loader-entries, by an ArgumentEdit
 *  HostEdit            edit: a document BootcHost, of which HostSpec is what may change
 *  UsrOverlay          usr-overlay: an overlay over /usr until reboot, with ostree's marks
 *  EtcChanges          config-diff, etc diff, etc restore
 * </pre>
 *
 * A verb takes a {@link slipway.host.system.HostEnvironment}, changes the machine by one call of
 * {@link slipway.sysroot.Sysroot}, tells what it did and returns it as a value.
 */
@org.jspecify.annotations.NullMarked
package slipway.host.deployment;
