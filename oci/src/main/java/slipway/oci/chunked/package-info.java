/**
 * Layers of which parts can be fetched alone: zstd:chunked (containers/storage, {@code
 * containers-storage-zstd-chunked.md} and the types of its {@code pkg/chunked/internal/minimal}).
 * Entry: {@link slipway.oci.chunked.PartialLayer}, which gives the tar of such a layer out of
 * contents that are there already and as few bytes of the blob as that takes.
 *
 * <pre>
 *  the blob, a stream of zstd frames that any reader takes for a plain layer
 *    headers   frames with the tar's headers and padding
 *    chunk     a frame, or several, for each chunk of a file's content: begins and ends with it
 *    …
 *    skippable frame: what tar-split kept of the tar, packed (newer writers)
 *    skippable frame: the table of contents, packed
 *    skippable frame: a footer, which is not read: where things are the manifest says
 *
 *  annotations of the layer's descriptor, io.github.containers.zstd-chunked.NAME (podman before 4.6:
 *  io.containers.zstd-chunked.NAME)
 *    manifest-position     OFFSET:PACKED:PLAIN:1      the table, without its frame's header
 *    manifest-checksum     sha256:HEX                 of the packed table
 *    tarsplit-position     OFFSET:PACKED:PLAIN
 *
 *  the table, JSON
 *    {"version":1,"entries":[…],"tarSplitDigest":"sha256:…"}     digest of the packed tar-split
 *    {"type":"reg","name":…,"size":…,"digest":"sha256:…","offset":…,"endOffset":…,…}
 *    {"type":"chunk","name":…,"offset":…,"chunkOffset":…,"chunkSize":…,"chunkType":"zeros"|""}
 *      chunks stand behind the file that they are of, which has the same fields for its first one
 *
 *  how the tar is put together again                         what is fetched beside the contents
 *    with tar-split      headers out of it, contents by name   table and tar-split
 *    without             the blob in its order, contents that  table and all headers
 *                        are there in the place of their chunks
 * </pre>
 *
 * {@link slipway.oci.chunked.TarSplitInput} reads podman's own tar-split files, too.
 */
@org.jspecify.annotations.NullMarked
package slipway.oci.chunked;
