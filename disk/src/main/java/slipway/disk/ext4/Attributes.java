package slipway.disk.ext4;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.Metadata;
import slipway.archive.tar.Metadata.Xattr;
import slipway.base.Problem;
import slipway.disk.ext4.Format.Attribute;
import slipway.disk.ext4.Format.Inode;
import slipway.linux.posix.OsPath;

/**
 * The extended attributes of one inode: in the inode what it has room for, labels first, and the
 * others in one block.
 */
final class Attributes {
  private static final Attributes NONE = new Attributes(new byte[0], null);
  private static final int END = 4;
  private static final int IN_INODE = Inode.SIZE - Inode.XATTRS;
  private static final int SECURITY = 6;

  /** Names begin with one of these, of which a number is kept. */
  private static final Map<String, Integer> PREFIXES =
      Map.of("user.", 1, "trusted.", 4, "security.", SECURITY);

  private static final Map<String, Integer> ACLS =
      Map.of("system.posix_acl_access", 2, "system.posix_acl_default", 3);

  private final byte[] inInode;
  private final byte @Nullable [] block;

  private Attributes(byte[] inInode, byte @Nullable [] block) {
    this.inInode = inInode;
    this.block = block;
  }

  /** What lies behind the inode's fields, or nothing. */
  byte[] inInode() {
    return inInode;
  }

  /** The block without its checksum, or null. */
  byte @Nullable [] block() {
    return block;
  }

  /** An attribute as it lies on disk. */
  private record Stored(int prefix, byte[] name, byte[] value) {
    int size() {
      return Attribute.ENTRY + Format.roundUp(name.length, 4) + Format.roundUp(value.length, 4);
    }

    /** As the kernel hashes it: the name, then the value in words. */
    int hash() {
      int hash = 0;
      for (byte b : name) {
        hash = Integer.rotateLeft(hash, 5) ^ b;
      }
      ByteBuffer words = ByteBuffer.wrap(padded()).order(ByteOrder.LITTLE_ENDIAN);
      while (words.hasRemaining()) {
        hash = Integer.rotateLeft(hash, 16) ^ words.getInt();
      }
      return hash;
    }

    byte[] padded() {
      return Arrays.copyOf(value, Format.roundUp(value.length, 4));
    }
  }

  /** The kernel looks for names in a block in this order. */
  private static final Comparator<Stored> ORDER =
      Comparator.comparingInt(Stored::prefix)
          .thenComparingInt(s -> s.name.length)
          .thenComparing(Stored::name, Arrays::compareUnsigned);

  /**
   * @param path of the file, for messages
   * @throws Problem of kind INPUT for attributes that ext4 cannot keep
   */
  static Attributes of(Metadata metadata, OsPath path) {
    if (metadata.xattrs().isEmpty()) {
      return NONE;
    }
    List<Stored> near = new ArrayList<>();
    List<Stored> far = new ArrayList<>();
    int nearSize = END + END;
    int farSize = Attribute.HEADER + END;
    for (Stored each : stored(metadata, path)) {
      if (nearSize + each.size() <= IN_INODE) {
        nearSize += each.size();
        near.add(each);
      } else {
        farSize += each.size();
        far.add(each);
      }
    }
    if (farSize > Format.BLOCK) {
      throw Problem.input(
          "\"" + path + "\" has more extended attributes than ext4 keeps; remove some of them");
    }
    return new Attributes(inInode(near), far.isEmpty() ? null : block(far));
  }

  /** Those that are looked at most come first. */
  private static List<Stored> stored(Metadata metadata, OsPath path) {
    List<Stored> all = new ArrayList<>();
    for (Xattr xattr : metadata.xattrs()) {
      all.add(stored(xattr, path));
    }
    all.sort(Comparator.comparing((Stored s) -> s.prefix != SECURITY).thenComparing(ORDER));
    return all;
  }

  private static Stored stored(Xattr xattr, OsPath path) {
    OsPath name = xattr.name();
    for (Map.Entry<String, Integer> acl : ACLS.entrySet()) {
      if (name.is(acl.getKey())) {
        return new Stored(acl.getValue(), new byte[0], AccessList.stored(xattr.value(), path));
      }
    }
    for (Map.Entry<String, Integer> prefix : PREFIXES.entrySet()) {
      int length = prefix.getKey().length();
      if (name.startsWith(prefix.getKey()) && name.length() > length && isName(name)) {
        return new Stored(prefix.getValue(), name.substring(length).bytes(), xattr.value());
      }
    }
    throw Problem.input(
        "\""
            + path
            + "\" has the extended attribute \""
            + name
            + "\", which ext4 cannot keep; remove it from the archive or image");
  }

  private static boolean isName(OsPath name) {
    for (byte b : name.bytes()) {
      if (b == 0) {
        return false;
      }
    }
    return name.length() <= Format.NAME_MAX;
  }

  private static byte[] inInode(List<Stored> attributes) {
    if (attributes.isEmpty()) {
      return NONE.inInode;
    }
    ByteBuffer b = Format.structure(IN_INODE);
    b.putInt(Attribute.MAGIC_VALUE);
    put(b, b.position(), attributes);
    return b.array();
  }

  private static byte[] block(List<Stored> attributes) {
    attributes.sort(ORDER);
    ByteBuffer b = Format.structure(Format.BLOCK);
    b.putInt(Attribute.MAGIC_VALUE).putInt(1).putInt(1);
    int hash = 0;
    for (Stored each : attributes) {
      hash = Integer.rotateLeft(hash, 16) ^ each.hash();
    }
    b.putInt(hash);
    put(b.position(Attribute.HEADER), 0, attributes);
    return b.array();
  }

  /**
   * @param from what places of values are counted from
   */
  private static void put(ByteBuffer b, int from, List<Stored> attributes) {
    int value = b.capacity();
    for (Stored each : attributes) {
      byte[] padded = each.padded();
      value -= padded.length;
      b.put(value, padded);
      int end = b.position() + Attribute.ENTRY + Format.roundUp(each.name.length, 4);
      b.put((byte) each.name.length).put((byte) each.prefix);
      b.putShort((short) (padded.length == 0 ? 0 : value - from)).putInt(0);
      b.putInt(each.value.length).putInt(each.hash()).put(each.name).position(end);
    }
  }
}
