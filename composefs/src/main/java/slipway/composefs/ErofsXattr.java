package slipway.composefs;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import slipway.composefs.ErofsFormat.XattrArea;
import slipway.composefs.ErofsFormat.XattrEntry;
import slipway.linux.posix.OsPath;

/**
 * An extended attribute as EROFS stores it: a number for the well-known prefix and the rest of the
 * name. No record, because an image has some ten thousand, each of which is looked up several
 * times: what follows from name and value is computed once.
 */
final class ErofsXattr implements Comparable<ErofsXattr> {
  /** Beginnings of names that an entry has a number for; what begins with none has the first. */
  static final List<String> PREFIXES =
      List.of(
          "",
          "user.",
          "system.posix_acl_access",
          "system.posix_acl_default",
          "trusted.",
          "lustre.",
          "security.");

  private static final int ACL_ACCESS = 2;
  private static final int ACL_DEFAULT = 3;

  /** mkcomposefs writes these names whole. */
  private static final int LUSTRE = 5;

  /** XATTR_FILTER_SEED of Linux's fs/erofs/erofs_fs.h. */
  private static final int FILTER_SEED = 0x25BBE08F;

  /** How many names are known by heart; an image has a handful, a hostile one any number. */
  private static final int KNOWN_NAMES = 256;

  private static final Map<OsPath, Form> FORMS = new ConcurrentHashMap<>();

  private final OsPath name;
  private final byte[] value;
  private final Form form;
  private final int hash;

  ErofsXattr(OsPath name, byte[] value) {
    this.name = name;
    this.value = value;
    this.form = form(name);
    this.hash = 31 * name.hashCode() + Arrays.hashCode(value);
  }

  OsPath name() {
    return name;
  }

  /** Not to be changed. */
  byte[] value() {
    return value;
  }

  /** What follows from a name. */
  private record Form(int prefix, byte[] rest, int filterBit, boolean acl) {
    static Form of(OsPath name) {
      for (int i = 1; i < PREFIXES.size(); i++) {
        if (i != LUSTRE && name.startsWith(PREFIXES.get(i))) {
          return of(name, i);
        }
      }
      return of(name, 0);
    }

    private static Form of(OsPath name, int prefix) {
      byte[] rest = name.substring(PREFIXES.get(prefix).length()).bytes();
      boolean acl = name.is(PREFIXES.get(ACL_ACCESS)) || name.is(PREFIXES.get(ACL_DEFAULT));
      return new Form(prefix, rest, ErofsXattr.filterBit(rest, prefix), acl);
    }
  }

  private static Form form(OsPath name) {
    Form form = FORMS.get(name);
    if (form == null) {
      form = Form.of(name);
      if (FORMS.size() < KNOWN_NAMES) {
        FORMS.put(name, form);
      }
    }
    return form;
  }

  int prefix() {
    return form.prefix();
  }

  boolean isAcl() {
    return form.acl();
  }

  /** The name behind the prefix; not to be changed. */
  byte[] rest() {
    return form.rest();
  }

  /** The bit that this name clears in an inode's filter. */
  int filterBit() {
    return form.filterBit();
  }

  /** The bit that a name clears in an inode's filter, by what stands in its entry. */
  static int filterBit(byte[] rest, int prefix) {
    return XxHash32.hash(rest, FILTER_SEED + prefix) & 31;
  }

  /** Bytes of the entry, padded to a multiple of four. */
  int paddedSize() {
    return paddedSize(form.rest().length, value.length);
  }

  /** Bytes of an entry, by the lengths that stand in it. */
  static int paddedSize(int rest, int value) {
    int size = XattrEntry.SIZE + rest + value;
    return (size + XattrArea.UNIT - 1) & -XattrArea.UNIT;
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
    return o instanceof ErofsXattr x
        && x.hash == hash
        && x.name.equals(name)
        && Arrays.equals(x.value, value);
  }

  @Override
  public int hashCode() {
    return hash;
  }
}
