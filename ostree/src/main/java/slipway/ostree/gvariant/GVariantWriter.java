package slipway.ostree.gvariant;

import java.util.List;

/** Lays the members of a container out: padding, members, framing offsets. */
final class GVariantWriter {
  private GVariantWriter() {}

  static GVariant container(Signature type, List<GVariant> children) {
    boolean array = type.kind() == 'a';
    boolean last = false;
    int body = 0;
    int offsets = 0;
    for (int i = 0; i < children.size(); i++) {
      GVariant child = children.get(i);
      body = Math.addExact(Signature.align(body, child.signature().alignment()), child.size());
      last = i == children.size() - 1;
      offsets += child.signature().isFixed() || (!array && last) ? 0 : 1;
    }
    if (type.isFixed()) {
      body = type.fixedSize();
    }
    int width = offsets == 0 ? 0 : widthFor(body, offsets);
    byte[] bytes = new byte[Math.addExact(body, Math.multiplyExact(width, offsets))];
    fill(bytes, type, children, body, width);
    return GVariant.parse(type.text(), bytes);
  }

  private static void fill(
      byte[] bytes, Signature type, List<GVariant> children, int body, int width) {
    boolean array = type.kind() == 'a';
    int at = 0;
    int written = 0;
    for (int i = 0; i < children.size(); i++) {
      GVariant child = children.get(i);
      at = Signature.align(at, child.signature().alignment());
      child.copyTo(bytes, at);
      at += child.size();
      if (child.signature().isFixed() || (!array && i == children.size() - 1)) {
        continue;
      }
      written++;
      // In a tuple the offsets stand in reverse order at the very end.
      putOffset(
          bytes, array ? body + (written - 1) * width : bytes.length - written * width, at, width);
    }
  }

  private static void putOffset(byte[] bytes, int at, int value, int width) {
    for (int b = 0; b < width; b++) {
      bytes[at + b] = (byte) (value >>> (8 * b));
    }
  }

  private static int widthFor(int body, int offsets) {
    if ((long) body + offsets <= 0xff) {
      return 1;
    }
    return (long) body + 2L * offsets <= 0xffff ? 2 : 4;
  }

  /** Width of the offsets in a container of this many bytes. */
  static int offsetWidth(int length) {
    if (length <= 0xff) {
      return 1;
    }
    return length <= 0xffff ? 2 : 4;
  }
}
