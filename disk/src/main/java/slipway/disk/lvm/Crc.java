package slipway.disk.lvm;

/** The checksum of LVM2: the polynomial of CRC-32, begun with a number of its own. */
final class Crc {
  private static final int BEGIN = 0xf597a6cf;
  private static final int POLYNOMIAL = 0xedb88320;

  private Crc() {}

  static int of(byte[] bytes, int from, int to) {
    int crc = BEGIN;
    for (int i = from; i < to; i++) {
      crc ^= bytes[i] & 0xff;
      for (int bit = 0; bit < 8; bit++) {
        crc = (crc >>> 1) ^ ((crc & 1) == 0 ? 0 : POLYNOMIAL);
      }
    }
    return crc;
  }
}
