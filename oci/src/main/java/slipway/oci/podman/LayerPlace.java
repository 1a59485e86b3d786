package slipway.oci.podman;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import slipway.oci.model.Digest;

/**
 * Where a layer lies in podman's store.
 *
 * @param index in the image, the lowest is 0
 * @param id the hex digits of its diff id, of a layer above another those of the digest of {@code
 *     ID-BELOW+DIFF-ID} (containers/image, storage_dest.go), so that the same layers above each
 *     other are stored once
 * @param link a short name for its folder, because mount(2) takes few characters
 */
record LayerPlace(int index, String id, Digest diffId, String link) {
  private static final int LINK = 26;
  private static final String BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

  /** The places of an image's layers, the lowest first. */
  static List<LayerPlace> chain(List<Digest> diffIds) {
    List<LayerPlace> chain = new ArrayList<>();
    for (Digest diffId : diffIds) {
      String id =
          chain.isEmpty()
              ? diffId.hex()
              : Digest.sha256(
                      (chain.getLast().id() + "+" + diffId.hex()).getBytes(StandardCharsets.UTF_8))
                  .hex();
      chain.add(new LayerPlace(chain.size(), id, diffId, link(id)));
    }
    return chain;
  }

  /** As long as podman's, which are random; the same layer has the same here. */
  private static String link(String id) {
    BigInteger number =
        new BigInteger(Digest.sha256(id.getBytes(StandardCharsets.UTF_8)).hex(), 16);
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < LINK; i++) {
      text.append(BASE32.charAt(number.shiftRight(5 * i).intValue() & 31));
    }
    return text.toString();
  }
}
