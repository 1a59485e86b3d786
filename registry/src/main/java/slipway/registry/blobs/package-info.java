/**
 * Where blobs lie: {@link slipway.registry.blobs.BlobStorage} is the interface, {@link
 * slipway.registry.blobs.FileBlobStorage} keeps files.
 *
 * <pre>
 *  DIR/blobs/id                 the registry's id, as in the journal's first line
 *  DIR/blobs/sha256/he/hex…     blobs and manifests (or sha512); he is the beginning of the digest
 *  DIR/blobs/uploads/UUID       what is staged: uploads, manifests, long answers
 *
 *  stage ─▶ write … ─▶ seal        synced, not visible
 *                       │
 *                       ▼
 *                    publish       a hard link under the digest: two names, so not yet committed
 *                       │ the journal's line is the commit point
 *           ┌───────────┴──────────┐
 *           ▼                      ▼
 *         settle               withdraw
 *         the first name goes  both go, unless somebody else holds the digest
 *
 *  at a start: a blob with two names that no line names goes, and all that is staged
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package slipway.registry.blobs;
