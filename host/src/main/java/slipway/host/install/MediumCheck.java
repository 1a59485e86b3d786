package slipway.host.install;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import slipway.base.Cleanup;
import slipway.base.FileReason;
import slipway.base.Problem;

/**
 * Compares a medium with the sum that implantisomd5(1) wrote into it: the MD5 of the volume, with
 * blanks in the place of the sum, without its last sectors.
 *
 * @param drive a device or a file
 */
record MediumCheck(Path drive) {
  private static final int SECTOR = 2048;

  /** The primary volume descriptor, by ECMA-119, is the 17th sector. */
  private static final int DESCRIPTOR = 16 * SECTOR;

  private static final int SIZE = 80;

  /** Its part for applications, in which the sum stands. */
  private static final int SUM = 883;

  private static final int SUM_LENGTH = 512;

  private static final Pattern WORDS =
      Pattern.compile("ISO MD5SUM = ([0-9a-f]{32});SKIPSECTORS = ([0-9]{1,6});.*", Pattern.DOTALL);

  /**
   * @throws Problem when it has no sum, cannot be read, or is another
   */
  void run() throws IOException {
    try (InputStream in = Files.newInputStream(drive)) {
      byte[] head = in.readNBytes(DESCRIPTOR + SECTOR);
      if (head.length < DESCRIPTOR + SECTOR) {
        throw Problem.input(drive + " is no ISO: it ends in front of its descriptor");
      }
      int at = DESCRIPTOR + SUM;
      String words = new String(head, at, SUM_LENGTH, StandardCharsets.ISO_8859_1);
      Matcher m = WORDS.matcher(words);
      if (!m.matches()) {
        throw Problem.input(
            drive + " holds no sum to check it by; implantisomd5 writes one into an ISO");
      }
      long sectors = littleEndian(head, DESCRIPTOR + SIZE);
      long left = (sectors - Integer.parseInt(m.group(2))) * SECTOR - head.length;
      Arrays.fill(head, at, at + SUM_LENGTH, (byte) ' ');
      if (left < 0 || !m.group(1).equals(sum(head, in, left))) {
        throw Problem.environment(
            "the medium is damaged: what is read from "
                + drive
                + " is not what was written; write it anew, or take another one");
      }
    } catch (IOException e) {
      throw new Problem(
          Problem.Kind.ENVIRONMENT,
          "the medium cannot be read to its end: " + FileReason.of(e) + "; take another one",
          e);
    }
  }

  private static String sum(byte[] head, InputStream in, long rest) throws IOException {
    MessageDigest md5;
    try {
      md5 = MessageDigest.getInstance("MD5");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
    md5.update(head);
    byte[] buffer = new byte[1 << 20];
    for (long left = rest; left > 0; ) {
      Cleanup.checkStopped();
      int n = in.read(buffer, 0, (int) Math.min(buffer.length, left));
      if (n < 0) {
        return "";
      }
      md5.update(buffer, 0, n);
      left -= n;
    }
    return HexFormat.of().formatHex(md5.digest());
  }

  private static long littleEndian(byte[] bytes, int at) {
    long value = 0;
    for (int i = 3; i >= 0; i--) {
      value = value << 8 | (bytes[at + i] & 0xff);
    }
    return value;
  }
}
