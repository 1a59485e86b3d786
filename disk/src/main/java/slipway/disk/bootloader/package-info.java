/** GRUB for BIOS and UEFI, made by the machine's tools from the image's files as data. */
@org.jspecify.annotations.NullMarked
package slipway.disk.bootloader;
