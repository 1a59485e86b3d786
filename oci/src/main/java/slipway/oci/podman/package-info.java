/**
 * The store of podman, buildah and cri-o, without them: {@link slipway.oci.podman.PodmanSource}
 * reads an image of this machine's, {@link slipway.oci.podman.PodmanStore} keeps images in one. The
 * layout is that of containers/storage (store.go, images.go, layers.go); which folder the machine's
 * is, containers-storage.conf(5) says.
 *
 * <pre>
 *  GRAPHROOT/
 *    DRIVER-images/images.json        a list: id, names, digest, layer (the top one)
 *    DRIVER-images/ID/manifest        and other files of the image; a name that is no plain word
 *                                     is "=" and the name in base64, such as that of the config
 *    DRIVER-layers/layers.json        a list: id, parent, diff-digest, diff-size
 *    DRIVER-layers/ID.tar-split.gz    how the layer's tar was put together
 *    overlay/ID/diff, vfs/dir/ID      the files of the layer
 *    overlay/ID/link, lower           its short name; "l/NAME" of those below, colons between
 *    overlay/l/NAME                   a link to ../ID/diff
 *    DRIVER-…/….lock                  fcntl locks; 64 bytes say who changed the list last
 *
 *  tar-split: a JSON object a line (github.com/vbatts/tar-split, tar/storage)
 *    {"type":2,"payload":BASE64}              bytes of the tar: headers, padding
 *    {"type":1,"name":PATH,"size":N,…}        N bytes of a file follow; name_raw (base64) instead
 *                                             of name when it is not UTF-8; payload: its CRC-64
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package slipway.oci.podman;
