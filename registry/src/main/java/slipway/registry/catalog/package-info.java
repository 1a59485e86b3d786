/**
 * Repositories, tags, uploads, and the journal that holds them. Entry: {@link
 * slipway.registry.catalog.Store}.
 *
 * <pre>
 *  DIR/journal, a text
 *
 *    slipway-registry-journal 2 ID               ID as in blobs/id
 *    CRC CHANGE[;CHANGE…]                        one commit a line; CRC is CRC-32C of what follows
 *                                                the blank, eight hex digits
 *
 *    blob REPO DIGEST SIZE                       can be pulled from REPO
 *    unblob REPO DIGEST
 *    manifest REPO DIGEST SIZE TYPE [SUBJECT [FIELDS]]
 *    unmanifest REPO DIGEST                      its tags go too
 *    tag REPO TAG DIGEST
 *    untag REPO TAG
 *
 *    FIELDS: artifact type and annotations for lists of referrers, JSON in base64url
 *
 *  start      StoreDirectory: lock, Journal.open replays each Change into the Catalog, compares it
 *             with the blobs that are there
 *  commit     a Plan looks at the Catalog and gives Changes; Store gathers commits, writes one line
 *             and syncs it, then applies them to the Catalog
 *  snapshot   Catalog.snapshot: blobs, manifests and tags of each repository as Changes, 1,000 a
 *             line; Journal.rewrite puts them in the place of a journal that has become long
 *  repair     RegistryRepair: a new journal of the lines that are whole
 *  uploads    sessions in memory (Uploads, UploadSession) over files of BlobStorage.stage
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package slipway.registry.catalog;
