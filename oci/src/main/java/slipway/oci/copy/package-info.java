/**
 * What images are read from and written to, the copying between any two, and the checks of what
 * arrives. Entry: {@link slipway.oci.copy.Transfer}.
 *
 * <pre>
 *  ImageSource                Transfer.copy                               ImageSink
 *    manifest(tag, digest) ─▶ chooses the image of a platform, or all
 *                             asks which blobs are there already      ◀─ hasBlob, takeBlob
 *    blob(offset)          ─▶ copies the others, several at once      ─▶ putBlob
 *                             children before parents, the name last  ─▶ putManifest
 *
 *  who checks           what
 *  putBlob              digest and size of each blob, while it is written
 *  VerifyingInputStream the same, for somebody who reads a blob
 *  PlainLayer           digest and size of what a layer decompresses to
 *  Validate             that config and layers of an image fit each other
 *
 *  DiffIds, a small file for each blob of a store
 *    diff-ids/sha256/HEX    "524288000 sha256:…": plain size and diff id of the blob HEX
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package slipway.oci.copy;
