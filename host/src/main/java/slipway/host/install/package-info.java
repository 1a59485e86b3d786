/**
 * Installation by {@code bootc install}: which image, from where, and what the machine follows
 * afterwards. {@link slipway.host.install.Installer} decides that; {@link
 * slipway.disk.DeviceInstall} writes a disk, {@link slipway.disk.FilesystemInstall} file systems
 * that are there. {@link slipway.host.install.OldSystem} removes at the first boot what was
 * replaced. {@code FetchedSource} keeps an image of a registry that is read twice, {@code
 * ContainerView} names options of podman that are missing.
 *
 * <pre>
 *  image       --source-imgref, else the container that this runs in: /run/.containerenv names it,
 *              and podman's store on the machine, mounted at its usual place, holds it
 *  followed    --target-imgref, else the name of that image
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package slipway.host.install;
