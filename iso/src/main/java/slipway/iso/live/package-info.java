/**
 * What a kernel needs beside an image's own initramfs to start the image from an installer medium,
 * or from files that a boot loader fetched over the network and unpacked into the initramfs. Entry:
 * {@link slipway.iso.live.LiveInitramfs}, which {@link slipway.iso.live.CpioWriter} writes as a
 * second archive for the kernel to unpack over the first.
 *
 * <pre>
 *  usr/lib/modules/VERSION/      drivers of media and file systems with all that they need, and the
 *                                image's own indexes of modules
 *  usr/lib/slipway-live/mount    finds the medium by its mark, or the files; mounts root and changes on
 *                                /sysroot
 *  usr/lib/systemd/system/       slipway-live.service, which initrd-root-fs.target requires
 * </pre>
 *
 * Without the kernel argument {@code slipway.live=} none of it does anything.
 */
@org.jspecify.annotations.NullMarked
package slipway.iso.live;
