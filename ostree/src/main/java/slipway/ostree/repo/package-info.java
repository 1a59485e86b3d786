/**
 * The repository: objects on disk, transactions, refs, fsck, prune. Entry: {@link
 * slipway.ostree.repo.Repository}; writing goes through a {@link slipway.ostree.repo.Transaction}.
 *
 * <pre>
 *  REPO/config                      key file: repo_version=1, mode
 *  REPO/objects/ab/cdef….TYPE       objects by checksum: commit, dirtree, dirmeta, file (filez in
 *                                   mode archive-z2), commitmeta
 *  REPO/refs/heads/NAME             a checksum in a line
 *  REPO/refs/remotes/, mirrors/     refs of others; read, never written
 *  REPO/state/….commitpartial       a commit that libostree has not pulled whole
 *  REPO/tmp/slipway-HEX/ab/cdef…    objects of a transaction that is not committed
 *  REPO/.lock                       shared by writers, held alone by prune
 *
 *  mode         the file of a content object (ContentFormat)
 *  bare         the file or link itself: owner, mode, attributes; modification time 0
 *  bare-user    a file of the user; the attribute user.ostreemeta has owner, mode and attributes
 *               as a dirmeta; a link is a file with its target and a NUL
 *  archive-z2   length of the header, zeros, header; then raw deflate
 *
 *  Transaction.store(file)  ──▶ ObjectWriter hashes and writes on its threads ──▶ Staging
 *  Transaction.writeTree    ──▶ TreeWriter: dirtree and dirmeta, from the leaves up
 *  Transaction.writeCommit
 *  Transaction.commit           one syncfs; then renames of objects, then of commits, then of refs;
 *                               each is synced before the next begins
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package slipway.ostree.repo;
