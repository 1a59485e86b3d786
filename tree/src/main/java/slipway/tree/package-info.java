/**
 * The merged file system of an image, and the layers that it is made of. {@link
 * slipway.tree.FileTree} and {@link slipway.tree.Layer} are immutable trees of {@link
 * slipway.tree.Node}s. Content of files is a handle, streamed when somebody asks, never held.
 *
 * <pre>
 *  tar of a layer ─▶ LayerReader ─▶ Layer ─▶ Layers.merge ─▶ FileTree ─▶ ostree, composefs
 *                      │ content      │                         │
 *                      ▼              ▼                         ▼
 *                    ContentStore   TarWriter                 TarWriter, DirectoryWriter
 *
 *  folder  ─▶ DirectoryReader ─▶ FileTree; a Layer, when it holds the changes of an overlay
 *  by hand ─▶ TreeBuilder     ─▶ FileTree or Layer
 *  tar of a layer ─▶ LayerUnpacker ─▶ a folder that overlayfs takes as a layer
 *
 *  Node           what it is              in a tar                    for overlayfs
 *  Directory      children by name        type 5
 *    opaque       hides what is below     .wh..wh..opq in it          trusted.overlay.opaque=y
 *    implied      has no entry of its     none                        a directory
 *                 own in the layer
 *  File, Symlink, Special                 types 0, 2, 3, 4, 6
 *  Whiteout       a name that is gone     .wh.NAME                    device 0:0
 *  LinkBelow      link to a file of a     type 1                      a hard link or a copy
 *                 layer below
 * </pre>
 *
 * A hard link is the same Node under two names. Whiteouts, links below and the two marks of
 * directories are in layers alone.
 */
@org.jspecify.annotations.NullMarked
package slipway.tree;
