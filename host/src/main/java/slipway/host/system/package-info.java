/**
 * What a machine is to the agent. {@link slipway.host.system.HostEnvironment} holds all of it, so
 * that tests give a made-up one.
 *
 * <pre>
 *  root, run        / and /run: the Sysroot is below
 *  ImageSources     where images come from; MachineImages: registries.conf, auth.json of ostree
 *  SystemActions    start the finalizer, write to the journal, reboot; by systemd's tools
 *  PrivateMounts    a mount namespace in which /sysroot and /boot can be written to
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package slipway.host.system;
