package slipway.oci.copy;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import org.jspecify.annotations.Nullable;
import slipway.base.BlockFilter;
import slipway.base.Problem;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;

/**
 * Hands on bytes and fails at the end unless they have the promised digest and length; fails at
 * once when there are more; what has failed so fails again. A reader must not act on the content
 * before it has seen the end.
 */
public final class VerifyingInputStream extends BlockFilter {
  private final Descriptor expected;
  private final MessageDigest hash;
  private long seen;
  private boolean checked;
  private @Nullable Problem failure;

  public VerifyingInputStream(InputStream in, Descriptor expected) {
    super(in);
    this.expected = expected;
    this.hash = expected.digest().algorithm().newMessageDigest();
  }

  @Override
  public int read(byte[] buffer, int offset, int length) throws IOException {
    if (failure != null) {
      throw failure;
    }
    int n = in.read(buffer, offset, length);
    if (n > 0) {
      seen += n;
      if (seen > expected.size()) {
        throw failed("is longer than its " + expected.size() + " bytes");
      }
      hash.update(buffer, offset, n);
    } else if (n < 0 && !checked) {
      checked = true;
      check();
    }
    return n;
  }

  private void check() {
    if (seen != expected.size()) {
      throw failed("ended after " + seen + " of " + expected.size() + " bytes");
    }
    Digest actual = Digest.of(expected.digest().algorithm(), hash.digest());
    if (!actual.equals(expected.digest())) {
      throw failed("has the digest " + actual + "; it was damaged or forged");
    }
  }

  private Problem failed(String how) {
    Problem problem = Problem.corrupt("blob " + expected.digest() + " " + how);
    failure = problem;
    return problem;
  }

  @Override
  public long skip(long n) throws IOException {
    long left = n;
    byte[] buffer = new byte[8192];
    while (left > 0) {
      int r = read(buffer, 0, (int) Math.min(buffer.length, left));
      if (r < 0) {
        break;
      }
      left -= r;
    }
    return n - left;
  }

  @Override
  public boolean markSupported() {
    return false;
  }
}
