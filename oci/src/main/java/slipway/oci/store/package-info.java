/**
 * The local store of images. Entry: {@link slipway.oci.store.LocalStore}.
 *
 * <pre>
 *  STORE/oci-layout, index.json, blobs/    an OCI image layout (slipway.oci.layout)
 *  STORE/diff-ids/sha256/HEX               what the blob HEX decompresses to (slipway.oci.copy)
 *  STORE/tmp/.writer-HEX/N                 blobs that are being written
 *  STORE/lock                              held shared by every open store, alone by prune
 *  STORE/names.lock                        held while names change
 *
 *  Transfer to       when the image is let in                  what it must pass
 *  StoreSink         putManifest ──────────────────────────┬▶  StoreGate ──▶ index.json
 *  ArrivalSink       admit, when somebody has read its ────┘     each part is there and has its
 *                    layers anyway, such as a build's FROM       size; each layer decompresses
 *                                                                to what the config says
 *
 *  names             ──▶ StoreNames     the one class that changes index.json
 *  name, id, digest  ──▶ StoreSearch ──▶ Manifest
 *  list, unnamed     ──▶ StoreListing
 *  open, hold        ──▶ StoreUse       who uses the store, and may not be disturbed
 *  prune, sweep      ──▶ StoreSweep     removes blobs that nothing names; nothing at all while
 *                                       somebody else has the store open or an image is damaged
 * </pre>
 *
 * {@code docs/formats.md}, "store/", says what each file looks like and what a crash leaves.
 */
@org.jspecify.annotations.NullMarked
package slipway.oci.store;
