/** The objects of ostree: commits, directories, metadata of files, their checksums. */
@org.jspecify.annotations.NullMarked
package slipway.ostree.object;
