package slipway.composefs;

import java.util.Arrays;
import slipway.linux.posix.OsPath;

/**
 * An extended attribute as EROFS stores it: a number for the well-known prefix and the rest of the
 * name.
 */
record ErofsXattr(OsPath name, byte[] value) implements Comparable<ErofsXattr> {
  static final int ENTRY_HEADER = 4;
  private static final String ACL_ACCESS = "system.posix_acl_access";
  private static final String ACL_DEFAULT = "system.posix_acl_default";

  /** XATTR_FILTER_SEED of Linux's fs/erofs/erofs_fs.h. */
  private static final int FILTER_SEED = 0x25BBE08F;

  int prefix() {
    if (name.startsWith("user.")) {
      return 1;
    }
    if (name.startsWith("trusted.")) {
      return 4;
    }
    if (name.startsWith("security.")) {
      return 6;
    }
    return name.startsWith(ACL_ACCESS) ? 2 : name.startsWith(ACL_DEFAULT) ? 3 : 0;
  }

  boolean isAcl() {
    return prefix() == 2 || prefix() == 3;
  }

  /** The name behind the prefix. */
  byte[] rest() {
    int length =
        switch (prefix()) {
          case 1 -> "user.".length();
          case 2 -> ACL_ACCESS.length();
          case 3 -> ACL_DEFAULT.length();
          case 4 -> "trusted.".length();
          case 6 -> "security.".length();
          default -> 0;
        };
    return name.substring(length).bytes();
  }

  /** The bit that this name clears in an inode's filter. */
  int filterBit() {
    return XxHash32.hash(rest(), FILTER_SEED + prefix()) & 31;
  }

  /** Bytes of the entry, padded to a multiple of four. */
  int paddedSize() {
    return (ENTRY_HEADER + rest().length + value.length + 3) & -4;
  }

  /** The order of the shared table, backwards. */
  @Override
  public int compareTo(ErofsXattr other) {
    int byName = name.compareTo(other.name);
    if (byName != 0) {
      return byName;
    }
    int byLength = Integer.compare(value.length, other.value.length);
    return byLength != 0 ? byLength : Arrays.compareUnsigned(value, other.value);
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof ErofsXattr x && x.name.equals(name) && Arrays.equals(x.value, value);
  }

  @Override
  public int hashCode() {
    return 31 * name.hashCode() + Arrays.hashCode(value);
  }
}
