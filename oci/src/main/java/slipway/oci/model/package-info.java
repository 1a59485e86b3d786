/**
 * Images as values: references, digests, descriptors, manifests, configs. Each is parsed once. The
 * raw bytes of a manifest are kept, so that its digest never changes, and fields that are not known
 * stay ({@link slipway.oci.model.OtherFields}).
 *
 * <pre>
 *  Reference     registry / repository [:tag] [@digest]      "web" is docker.io/library/web
 *  Digest        sha256:HEX or sha512:HEX
 *  Descriptor    media type, digest, size                    points at one of these:
 *
 *  Manifest.Index ──▶ descriptors with a platform ──▶ Manifest.Image
 *  Manifest.Image ──▶ config ──▶ ImageConfig: command, environment, labels, diff ids, history
 *                 └─▶ layers ──▶ a tar each; compressed it has the digest that the descriptor says,
 *                                plain the one that the config lists (its diff id)
 * </pre>
 *
 * {@link slipway.oci.model.ManifestJson} has the names of fields, {@link slipway.oci.model.Json}
 * reads and writes.
 */
@org.jspecify.annotations.NullMarked
package slipway.oci.model;
