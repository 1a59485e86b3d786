/**
 * The endpoints of OCI distribution 1.1. {@link slipway.registry.api.RegistryApi} is the handler of
 * all; the other classes register their routes with it.
 *
 * <pre>
 *  GET    /v2/                             RegistryApi    is this a registry?
 *  POST   /v2/NAME/blobs/uploads/          BlobApi        begin; ?mount= takes a blob over from
 *                                                         another repository, ?digest= sends all
 *  PATCH  /v2/NAME/blobs/uploads/ID        BlobApi        a piece
 *  PUT    /v2/NAME/blobs/uploads/ID        BlobApi        the end, with ?digest=
 *  GET    /v2/NAME/blobs/uploads/ID        BlobApi        how much is there
 *  DELETE /v2/NAME/blobs/uploads/ID        BlobApi        give up
 *  GET, DELETE /v2/NAME/blobs/DIGEST       BlobApi        bytes, with Range
 *  GET, PUT, DELETE /v2/NAME/manifests/REF ManifestApi    REF is a tag or a digest
 *  GET    /v2/NAME/tags/list               ListApi        by name, in pages
 *  GET    /v2/NAME/referrers/DIGEST        ListApi        what has this subject
 *  GET    /v2/_catalog                     ListApi        repositories
 *  GET    /v2/_oci/ext/discover            ListApi        extensions
 * </pre>
 *
 * A GET answers HEAD too. A refusal is a {@link slipway.registry.catalog.RegistryError}; {@code
 * RegistryApi.handle} makes one of every other failure. What takes a processor or megabytes runs in
 * {@link slipway.registry.api.HeavyWork}.
 */
@org.jspecify.annotations.NullMarked
package slipway.registry.api;
