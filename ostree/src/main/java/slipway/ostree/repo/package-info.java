/**
 * The repository: objects on disk, transactions, refs, fsck, prune. Entry: {@code Repository}.
 *
 * <pre>
 * REPO/config                      mode, keyfile
 * REPO/objects/ab/cdef….commit     objects by checksum: commit, dirtree, dirmeta, file
 * REPO/refs/heads/…                names: a checksum in a line
 * REPO/tmp/                        what is not committed yet
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package slipway.ostree.repo;
