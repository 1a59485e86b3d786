package slipway.linux.posix;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * An extended attribute that only is said to be there, and what the kernel would make of it: which
 * it refuses, and how access control lists and modes follow each other (xattr(7), acl(5)).
 */
record PretendedXattr(OsPath name, byte[] value) {
  static final OsPath CAPABILITY = OsPath.of("security.capability");
  private static final OsPath ACCESS = OsPath.of("system.posix_acl_access");
  private static final OsPath DEFAULT = OsPath.of("system.posix_acl_default");
  private static final List<String> SPACES = List.of("user.", "trusted.", "security.");
  private static final int NAME_MAX = 255;
  private static final int VALUE_MAX = 65536;

  /** Of access control lists: a version, then tag, rights and id of each entry. */
  private static final int VERSION = 2;

  private static final int HEADER = 4;
  private static final int ENTRY = 8;
  private static final int USER_OBJECT = 1;
  private static final int GROUP_OBJECT = 4;
  private static final int MASK = 16;
  private static final int OTHER = 32;

  @Override
  public boolean equals(Object o) {
    return o instanceof PretendedXattr x && x.name.equals(name) && Arrays.equals(x.value, value);
  }

  @Override
  public int hashCode() {
    return name.hashCode() * 31 + Arrays.hashCode(value);
  }

  /** All but one. */
  static List<PretendedXattr> without(List<PretendedXattr> all, OsPath name) {
    return all.stream().filter(x -> !x.name.equals(name)).toList();
  }

  /** All with one more, or with another value. A list that says no more than a mode is none. */
  static List<PretendedXattr> with(List<PretendedXattr> all, OsPath name, byte[] value) {
    List<PretendedXattr> next = new ArrayList<>(without(all, name));
    boolean isMode = name.equals(ACCESS) && entry(value, MASK) < 0;
    boolean isNone = isList(name) && value.length <= HEADER;
    if (!isMode && !isNone) {
      next.add(new PretendedXattr(name, value.clone()));
    }
    return List.copyOf(next);
  }

  /** Whether the kernel refuses it: errno, or 0. */
  static int refused(OsPath name, byte[] value, int type) {
    if (name.length() > NAME_MAX) {
      return UnixException.ERANGE;
    }
    if (value.length > VALUE_MAX) {
      return UnixException.E2BIG;
    }
    if (isList(name)) {
      return refusedList(name, value, type);
    }
    int refused = refusedName(name, type);
    boolean isBad = refused == 0 && name.equals(CAPABILITY) && !isCapability(value);
    return isBad ? UnixException.EINVAL : refused;
  }

  /** Whether the kernel refuses to remove it: errno, or 0. */
  static int kept(OsPath name, int type, boolean had) {
    if (isList(name)) {
      return type == Stat.S_IFLNK ? UnixException.EOPNOTSUPP : 0;
    }
    int refused = refusedName(name, type);
    return refused == 0 && !had ? UnixException.ENODATA : refused;
  }

  private static int refusedName(OsPath name, int type) {
    String space = SPACES.stream().filter(name::startsWith).findFirst().orElse("");
    if (space.isEmpty()) {
      return UnixException.EOPNOTSUPP;
    }
    boolean isFile = type == Stat.S_IFREG || type == Stat.S_IFDIR;
    if (space.equals("user.") && !isFile) {
      return UnixException.EPERM;
    }
    return name.length() == space.length() ? UnixException.EINVAL : 0;
  }

  /** Versions 2 and 3 (linux/capability.h, struct vfs_ns_cap_data), as cap_convert_nscap. */
  private static boolean isCapability(byte[] value) {
    return (value.length == 20 && value[3] == 2) || (value.length == 24 && value[3] == 3);
  }

  private static boolean isList(OsPath name) {
    return name.equals(ACCESS) || name.equals(DEFAULT);
  }

  private static int refusedList(OsPath name, byte[] value, int type) {
    if (value.length > 0 && value.length < HEADER) {
      return UnixException.EINVAL;
    }
    if (value.length > 0 && entries(value).getInt(0) != VERSION) {
      return UnixException.EOPNOTSUPP;
    }
    if ((value.length - HEADER) % ENTRY != 0 && value.length > 0) {
      return UnixException.EINVAL;
    }
    if (type == Stat.S_IFLNK) {
      return UnixException.EOPNOTSUPP;
    }
    if (value.length <= HEADER) {
      return 0;
    }
    if (name.equals(DEFAULT) && type != Stat.S_IFDIR) {
      return UnixException.EACCES;
    }
    boolean isWhole =
        entry(value, USER_OBJECT) >= 0
            && entry(value, GROUP_OBJECT) >= 0
            && entry(value, OTHER) >= 0
            && (value.length == HEADER + 3 * ENTRY || entry(value, MASK) >= 0);
    return isWhole ? 0 : UnixException.EINVAL;
  }

  /** The mode of a file that is given an attribute: a list says who may do what, too. */
  static int modeOf(OsPath name, byte[] value, int mode) {
    if (!name.equals(ACCESS) || value.length <= HEADER) {
      return mode;
    }
    int group = entry(value, MASK) < 0 ? GROUP_OBJECT : MASK;
    return (mode & ~0777)
        | rights(value, USER_OBJECT) << 6
        | rights(value, group) << 3
        | rights(value, OTHER);
  }

  /** The attributes of a file whose mode changes. */
  static List<PretendedXattr> afterChmod(List<PretendedXattr> all, int mode) {
    List<PretendedXattr> next = new ArrayList<>();
    for (PretendedXattr each : all) {
      next.add(
          each.name.equals(ACCESS) ? new PretendedXattr(ACCESS, withMode(each.value, mode)) : each);
    }
    return List.copyOf(next);
  }

  private static byte[] withMode(byte[] list, int mode) {
    byte[] next = list.clone();
    ByteBuffer b = entries(next);
    b.putShort(entry(next, USER_OBJECT) + 2, (short) (mode >> 6 & 7));
    b.putShort(entry(next, MASK) + 2, (short) (mode >> 3 & 7));
    b.putShort(entry(next, OTHER) + 2, (short) (mode & 7));
    return next;
  }

  private static int rights(byte[] list, int tag) {
    return entries(list).getShort(entry(list, tag) + 2) & 7;
  }

  /** Where the entry with a tag begins that a list has once; -1 when it has none. */
  private static int entry(byte[] list, int tag) {
    ByteBuffer b = entries(list);
    for (int at = HEADER; at + ENTRY <= list.length; at += ENTRY) {
      if (b.getShort(at) == tag) {
        return at;
      }
    }
    return -1;
  }

  private static ByteBuffer entries(byte[] list) {
    return ByteBuffer.wrap(list).order(ByteOrder.LITTLE_ENDIAN);
  }
}
