/**
 * Images as values, and their ways about. Whatever an image comes from is an {@link
 * slipway.oci.copy.ImageSource}, whatever it goes to an {@link slipway.oci.copy.ImageSink}, and
 * {@link slipway.oci.copy.Transfer} copies between any two.
 *
 * <pre>
 *       ImageSource                 Transfer                  ImageSink
 *  registry   RegistryClient     ─▶ manifest                  RegistryClient
 *  store      StoreSource           config, layers       ─▶   StoreSink, ArrivalSink
 *  layout     OciLayout             manifest, name            OciLayout
 *  transport  archives, folders,                              archives, folders
 *             podman's store
 *
 *  package     what lives there                                        uses
 *  model       Reference, Digest, Descriptor, Manifest, ImageConfig    none of the others
 *  copy        source and sink, Transfer, the checks of what arrives   model
 *  layout      blobs by digest, index.json                             model, copy
 *  registry    requests, authentication, TLS, going on after a cut     model, copy
 *  store       the images of this machine                              model, copy, layout
 *  chunked     layers of which parts can be fetched                    model, copy
 *  podman      images of podman's own store                            model, copy, layout, chunked
 *  transport   places in words: oci:DIR, docker://HOST/NAME            the others, but not store
 * </pre>
 *
 * Who wants an image by name asks {@link slipway.oci.store.LocalStore}; who wants one from a place
 * that a user wrote, {@link slipway.oci.transport.TransportRef}.
 */
@org.jspecify.annotations.NullMarked
package slipway.oci;
