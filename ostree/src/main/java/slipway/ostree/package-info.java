/** The ostree repository: objects, commits, refs, fsck, prune, composefs. */
@org.jspecify.annotations.NullMarked
package slipway.ostree;
