package slipway.builder.cache;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.List;
import slipway.oci.model.Digest;

/** Makes keys of the cache, which are names of its files: digests of texts. */
public final class CacheKey {
  private CacheKey() {}

  /**
   * The digest of some texts, each with its length, so that no two lists of them look the same.
   *
   * @return 64 digits in hexadecimal
   */
  public static String of(String... texts) {
    MessageDigest digest = Digest.Algorithm.SHA256.newMessageDigest();
    for (String text : texts) {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).array());
      digest.update(bytes);
    }
    return Digest.of(Digest.Algorithm.SHA256, digest.digest()).hex();
  }

  /** As {@link #of(String...)}; a list within a list goes in by its own digest. */
  public static String of(List<String> texts) {
    return of(texts.toArray(String[]::new));
  }
}
