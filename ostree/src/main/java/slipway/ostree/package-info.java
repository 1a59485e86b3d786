/**
 * ostree without libostree: a repository of objects that are named by their checksum, and container
 * images in it. ostree's own tools read all that is written here, and the other way round.
 *
 * <pre>
 *  image (oci)                                              host, disk
 *    │ manifest, config, layers                                ▲ FileTree, merge commit
 *    ▼                                                         │
 *  container   a layer becomes a commit, all layers together the merge commit
 *    │ Node, Content            ▲ FileTree, Commit
 *    ▼                          │
 *  repo        files on disk: objects, refs, locks; a transaction is the one way to write
 *    │ bytes                    ▲ bytes
 *    ▼                          │
 *  object      what a commit, a directory, a file's metadata look like; their checksums
 *    │                          ▲
 *    ▼                          │
 *  gvariant    the encoding of all of them
 * </pre>
 *
 * The entries are {@link slipway.ostree.container.ContainerImport} for an image and {@link
 * slipway.ostree.repo.Repository} for the rest. What lies where is drawn in the packages; {@code
 * docs/formats.md}, "The ostree repository", adds what a crash leaves of it.
 */
@org.jspecify.annotations.NullMarked
package slipway.ostree;
