/**
 * The client of registries (OCI distribution-spec 1.1). Entry: {@link
 * slipway.oci.registry.RegistryClient}, which is one repository as source and sink.
 *
 * <pre>
 *  RegistryClient   what is asked: manifests, blobs, tags, referrers, uploads
 *    ├ RegistryUpload        POST a session, then PUT in one piece or PATCH and PUT; after a cut it
 *    │                       asks how much is there and sends the rest
 *    ├ RegistryPages         lists, by the Link of each page
 *    ├ ResumingInputStream   a download that goes on by Range where it was cut
 *    ├ BlobParts             parts of a blob, many in one answer (MultipartBody) or one at a time
 *    ▼
 *  RegistryHttp     a request: https, or http where that may be; redirects by hand, retries with a
 *    │              growing wait
 *    ├ RegistryAuth          answers a Challenge: Basic, or a token for these scopes; asks a
 *    │                       CredentialSource only when a registry wants to know
 *    ├ NetworkFailure        what a failure means: whether it may pass, and in words what to do
 *    ├ StallGuard            ends a read that gets nothing, or next to nothing (SpeedFloor)
 *    ▼
 *  java.net.http    HTTP/1.1; Tls has the authorities, ProxyVariables the proxies
 *
 *  WebFile          one file of any web server, in the same way; no credentials
 * </pre>
 *
 * {@link slipway.oci.registry.RegistryOptions} is all that one may set. A failure that trying again
 * did not cure is a {@link slipway.base.Problem}.
 */
@org.jspecify.annotations.NullMarked
package slipway.oci.registry;
