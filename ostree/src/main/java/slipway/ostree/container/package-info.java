/**
 * Container images in a repository, as ostree-ext keeps them. {@link
 * slipway.ostree.container.ContainerImport} brings one in, {@link
 * slipway.ostree.container.ContainerImages} lists them, {@link slipway.ostree.container.Composefs}
 * makes the image of metadata that a deployment boots with.
 *
 * <pre>
 *  ref below refs/heads                              commit
 *  ostree/container/blob/sha256_3A_HEX               a layer; HEX is the digest of its blob
 *  ostree/container/image/docker_3A__2F__2F_host/…   the merge commit of docker://host/…
 *
 *    letters, digits and - stay; _ is doubled; / stays after a letter or digit unless it is last;
 *    any other byte is _XX_ in hex (ContainerRefs.escape)
 *
 *  ImageSource
 *    │ at most four layers at once, each in one pass over its stream (LayerFetch)
 *    ▼
 *  digest of the blob ─▶ decompress ─┬▶ diff id ─▶ LayerReader ─▶ LayerFilter
 *  parts of it, and contents that    │
 *  are here (ContentIndex) ──────────┘
 *                                                    │ content      drops what is below dev, proc,
 *                                                    ▼              run, sys and tmp; etc becomes
 *                                                Transaction        usr/etc
 *                                                                     │ Layer
 *    ┌────────────────────────────────────────────────────────────────┤
 *    ▼                                                                ▼
 *  LayerCommits: a commit of each layer                  Layers.merge, in memory
 *    .wh.NAME       empty file: NAME is gone                          │ FileTree
 *    .wh..wh..opq   empty file: opaque directory                      ▼
 *                                                        merge commit: tree of the whole image
 * </pre>
 *
 * {@link slipway.ostree.container.ExportedImage} gives an image of the repository away again.
 * {@link slipway.ostree.container.EncapsulatedCommit} and {@link
 * slipway.ostree.container.EncapsulatedImport} carry single commits in images ({@code
 * Encapsulation} draws their layers). {@link slipway.ostree.container.SealedRoot} is another
 * composefs image, of a root without a repository.
 *
 * <p>A layer that is there, by its blob's digest or its diff id, is read back from its commit. The
 * commit point is the rename of the image's ref, the last of all. {@code docs/formats.md},
 * "Metadata of commits", has the keys of both sorts of commit.
 */
@org.jspecify.annotations.NullMarked
package slipway.ostree.container;
