package slipway.oci.chunked;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import slipway.base.BlockFilter;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.oci.model.Digest;

/** The content of a file, which fails with its last byte unless it is the one that is promised. */
final class CheckedContent extends BlockFilter {
  private final PackedFile file;
  private final String origin;
  private final String where;
  private final Runnable wrong;
  private final MessageDigest hash = Digest.Algorithm.SHA256.newMessageDigest();
  private long left;

  /**
   * @param origin where the content comes from, for messages: {@code " that is here"} or nothing
   * @param where the layer, for messages
   * @param wrong hears that it is another content
   */
  CheckedContent(InputStream in, PackedFile file, String origin, String where, Runnable wrong) {
    super(in);
    this.file = file;
    this.origin = origin;
    this.where = where;
    this.wrong = wrong;
    this.left = file.size();
  }

  @Override
  public int read(byte[] buffer, int offset, int length) throws IOException {
    if (left == 0) {
      return -1;
    }
    int n = in.read(buffer, offset, (int) Math.min(length, left));
    if (n > 0) {
      hash.update(buffer, offset, n);
      left -= n;
    }
    if (n < 0 || (left == 0 && !isRight())) {
      wrong.run();
      throw Problem.corrupt(
          where
              + ": the content of "
              + Printable.text(file.name())
              + origin
              + " is not the one of its table of contents");
    }
    return n;
  }

  private boolean isRight() {
    return Digest.of(Digest.Algorithm.SHA256, hash.digest()).equals(file.content());
  }
}
