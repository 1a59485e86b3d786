/**
 * The OCI distribution server. Entry: {@link slipway.registry.RegistryServer}, which opens a folder
 * and serves it.
 *
 * <pre>
 *  DIR/lock         of the one process that has the folder
 *  DIR/journal      which repository holds what      (catalog)
 *  DIR/blobs/       bytes by digest                  (blobs)
 *
 *  request ─▶ http ─▶ api.RegistryApi ─▶ BlobApi, ManifestApi, ListApi
 *                                             │
 *                reads, which wait for nobody │ changes
 *         ┌───────────────────────────────────┴──────────────┐
 *         ▼                                                  ▼
 *  catalog.Catalog, in memory ◀──────┐            catalog.Store: a commit
 *  blobs.BlobStorage, open files     │              1 blobs published, synced
 *                                    │              2 a line in the journal, synced: commit point
 *                                    └───────────── 3 shown in the Catalog
 *                                                   4 answered
 * </pre>
 *
 * {@code docs/formats.md}, "The registry's storage", says what a crash leaves; {@code
 * docs/security.md}, "registry, http", what strangers are held to.
 */
@org.jspecify.annotations.NullMarked
package slipway.registry;
