/**
 * The OCI image layout: a folder with blobs by digest and a list of what has a name. {@link
 * slipway.oci.layout.OciLayout} is one as source and sink; the store keeps the same files through
 * {@link slipway.oci.layout.BlobDirectory} and {@link slipway.oci.layout.LayoutIndex}.
 *
 * <pre>
 *  DIR/oci-layout                {"imageLayoutVersion":"1.0.0"}
 *  DIR/index.json                descriptors of manifests; the annotation
 *                                org.opencontainers.image.ref.name is the name of one
 *  DIR/blobs/sha256/HEX          manifests, configs and layers alike (or sha512)
 *  DIR/.writer-HEX/N             what is being written; locked while its writer lives, and removed
 *                                by the next one after a kill
 *
 *  BlobWriter: hashes while it writes ─▶ sync ─▶ rename to the digest: a blob's commit point
 *  LayoutIndex: lock DIR ─▶ read ─▶ change ─▶ write beside ─▶ rename: a name's commit point
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package slipway.oci.layout;
