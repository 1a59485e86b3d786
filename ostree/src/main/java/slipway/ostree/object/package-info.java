/**
 * The objects of ostree as bytes. {@link slipway.ostree.object.Objects} writes and reads them;
 * {@link slipway.ostree.object.Checksum} names one. Nothing here knows where an object lies.
 *
 * <pre>
 *  commit    (a{sv} ay a(say) s s t ay ay)
 *            metadata, parent (empty for none), nothing, subject, body, seconds,
 *            checksum of the root's dirtree, checksum of its dirmeta
 *
 *  dirtree   (a(say) a(sayay))
 *            files: name, checksum            both in the order of the names' bytes
 *            directories: name, checksum of the dirtree, checksum of the dirmeta
 *
 *  dirmeta   (u u u a(ayay))
 *            owner, group, mode; extended attributes: name with a NUL, value
 *
 *  file      a regular file or a symbolic link; how it lies on disk is the repository's affair
 *
 *  commitmeta   a{sv}: what others add to a commit later; named by the commit, not by its content
 *
 *  checksum of commit, dirtree, dirmeta:  sha256 of the bytes above
 *
 *  checksum of a file: sha256 of
 *      0  length of the header, 4 bytes, big-endian
 *      4  zeros, 4 bytes
 *      8  header (u u u u s a(ayay)): owner, group, mode, 0, target of a link, attributes
 *      …  the file's bytes; nothing for a link
 *
 *  header of a file in an archive repository, framed in the same way and not hashed:
 *         (t u u u u s a(ayay)): length of the content, then as above
 * </pre>
 *
 * Blanks in the types are for the eye. Numbers are big-endian. A file has no time, a link the mode
 * 0777, and attributes with an empty value are left out ({@code Objects.normalized}).
 */
@org.jspecify.annotations.NullMarked
package slipway.ostree.object;
