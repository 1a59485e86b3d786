/**
 * What starts an image live and installs it: an ISO ({@link slipway.iso.IsoBuilder}), or files that
 * machines start from over the network ({@link slipway.iso.NetbootBuilder}), both of one {@link
 * slipway.iso.LiveFiles}. And installer ISOs of any vendor, made anew with answers and files on
 * board. Entry: {@link slipway.iso.IsoRewrite}; {@link slipway.iso.IsoChanges} says what is wanted.
 *
 * <pre>
 *  IN.iso ─▶ IsoContents   volume id (ECMA-119 §8.4), boot menus, EFI image; files by xorriso
 *              BootMenu    GRUB, SYSLINUX or boot loader entries: kernel lines and labels
 *              EfiImage    the same menus in the FAT image that UEFI starts, by mtools
 *         ─▶ IsoRewrite    xorriso copies the rest and replays how IN starts; implantisomd5 writes
 *                          the sums of the media check
 * </pre>
 *
 * <p>Nothing of an ISO is run, nothing is mounted, and no privilege is needed.
 */
@org.jspecify.annotations.NullMarked
package slipway.iso;
