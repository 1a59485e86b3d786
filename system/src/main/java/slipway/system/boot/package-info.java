/**
 * Where kernels lie in a tree, and prepare-root.conf. Entry: {@link
 * slipway.system.boot.KernelLayout}.
 *
 * <pre>
 *  usr/lib/modules/VERSION/     in /boot/ostree/S-BOOTCSUM/    counts for BOOTCSUM
 *    vmlinuz                    vmlinuz-VERSION                yes
 *    initramfs.img, initramfs   initramfs-VERSION.img          yes
 *    devicetree                 devicetree-VERSION             yes
 *    dtb/…                      dtb/…                          yes; only without devicetree
 *    .vmlinuz.hmac              .vmlinuz-VERSION.hmac          no
 *    aboot.img                  aboot-VERSION.img              no
 *
 *  exactly one VERSION has a vmlinuz; BOOTCSUM is the sha256 of the files one after the other
 *
 *  prepare-root.conf, the first of etc/ostree, usr/etc/ostree, usr/lib/ostree
 *    [composefs] enabled=no, maybe, yes, verity, signed
 *    [sysroot] readonly    [etc] transient    [root] transient, transient-ro
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package slipway.system.boot;
