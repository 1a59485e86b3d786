/**
 * The one tar implementation. {@link slipway.archive.tar.TarReader} reads in one pass, {@link
 * slipway.archive.tar.TarIndex} by name, {@link slipway.archive.tar.TarHeaderWriter} writes.
 *
 * <pre>
 *  blocks of 512 bytes: header, content filled up with zeros; at the end two blocks of zeros
 *
 *  header, as ustar has it
 *      0  name, 100              124  size, 12          257  "ustar", NUL, "00"
 *    100  mode, 8                136  time, 12          329  device, major, 8
 *    108  owner, 8               148  checksum, 8       337  device, minor, 8
 *    116  group, 8               156  type, 1           345  prefix of the name, 155
 *                                157  link, 100
 *    numbers are octal digits, or base 256 when the first bit is set (read, not written)
 *    checksum: sum of all bytes, with blanks in its own place
 *
 *  type  0 file   1 hard link   2 symbolic link   3, 4 devices   5 directory   6 fifo
 *        x, X records for the next member     g records for all that follow
 *        L, K long name and link of GNU       S sparse file of GNU     V volume, passed over
 *
 *  records, "LENGTH KEYWORD=VALUE\n" each: path, linkpath, size, uid, gid, mtime,
 *        SCHILY.xattr.NAME (LIBARCHIVE.xattr.NAME is read too), GNU.sparse.…, hdrcharset=BINARY
 *
 *  written: type x only where a value does not fit; read: v7, ustar, pax, GNU, star
 * </pre>
 *
 * {@link slipway.archive.tar.Totals} counts what a layer costs, {@link
 * slipway.archive.tar.ImageTotals} what all layers of an image cost together.
 */
@org.jspecify.annotations.NullMarked
package slipway.archive.tar;
