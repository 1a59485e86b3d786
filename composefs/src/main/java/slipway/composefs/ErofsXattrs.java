package slipway.composefs;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import slipway.archive.tar.Metadata;
import slipway.base.Limit;
import slipway.composefs.ErofsFormat.XattrArea;
import slipway.composefs.ErofsFormat.XattrEntry;
import slipway.linux.posix.OsPath;

/** Reads the attributes of an image's inodes, those that several share too. */
final class ErofsXattrs {
  private final ErofsBytes image;
  private final Map<Long, Attribute> shared = new HashMap<>();
  private long sharedAt;

  /** Bytes of all that were read. */
  private long total;

  ErofsXattrs(ErofsBytes image) {
    this.image = image;
  }

  /** Says where the shared ones begin, as the super block has it. */
  void sharedAt(long at) {
    sharedAt = at;
  }

  /**
   * The attributes of an inode, by name.
   *
   * @param at where they begin
   * @param end where they end
   */
  List<Metadata.Xattr> read(long at, long end) {
    if (end == at) {
      return List.of();
    }
    ByteBuffer area = image.piece(at, end - at, "the inode's attributes");
    int count = XattrArea.SHARED.get(area);
    long entriesAt = at + XattrArea.SIZE + (long) count * XattrArea.UNIT;
    if (entriesAt > end) {
      throw image.damaged(at, "the inode's shared attributes do not fit");
    }
    List<Attribute> found = new ArrayList<>();
    area.position(XattrArea.SIZE);
    for (int i = 0; i < count; i++) {
      found.add(shared(area.getInt() & 0xffff_ffffL));
    }
    while (entriesAt < end) {
      Attribute attribute = attribute(entriesAt, end);
      found.add(attribute);
      entriesAt += attribute.size;
    }
    found.sort(Comparator.comparing(a -> a.xattr.name()));
    requireNames(at, found, XattrArea.FILTER.get(area));
    return found.stream().map(Attribute::xattr).toList();
  }

  private Attribute shared(long id) {
    return shared.computeIfAbsent(id, i -> attribute(sharedAt + i * XattrArea.UNIT, image.end()));
  }

  /**
   * An attribute in the image.
   *
   * @param size bytes of its entry
   */
  private record Attribute(Metadata.Xattr xattr, int size, int filterBit) {}

  /** One attribute, which ends before {@code limit}. */
  private Attribute attribute(long at, long limit) {
    ByteBuffer entry = image.piece(at, XattrEntry.SIZE, "an attribute");
    int length = XattrEntry.NAME_LENGTH.get(entry);
    int prefix = XattrEntry.PREFIX.get(entry);
    int valueLength = XattrEntry.VALUE_LENGTH.get(entry);
    if (prefix >= ErofsXattr.PREFIXES.size()) {
      throw image.damaged(at, "the attribute's name has the unknown prefix " + prefix);
    }
    long nameAt = at + XattrEntry.SIZE;
    byte[] rest = ErofsBytes.copy(image.piece(nameAt, length, "an attribute"));
    byte[] value = ErofsBytes.copy(image.piece(nameAt + length, valueLength, "an attribute"));
    OsPath start = OsPath.of(ErofsXattr.PREFIXES.get(prefix));
    if (ErofsBytes.holds(rest, 0) || start.length() + length == 0) {
      throw image.damaged(at, "the attribute has no name");
    }
    OsPath name = start.concat(OsPath.ofBytes(rest));
    if (prefix == 0 && new ErofsXattr(name, value).prefix() != 0) {
      throw image.damaged(
          at, "the attribute's name is whole, where Linux looks for its short form");
    }
    int size = ErofsXattr.paddedSize(length, valueLength);
    if (at + size > limit) {
      throw image.damaged(at, "the attribute leads beyond its inode");
    }
    return new Attribute(new Metadata.Xattr(name, value), size, ErofsXattr.filterBit(rest, prefix));
  }

  /**
   * No name stands twice, and the filter, by which Linux knows without looking that an inode lacks
   * an attribute, denies none that is there.
   */
  private void requireNames(long at, List<Attribute> attributes, long filter) {
    OsPath last = null;
    for (Attribute attribute : attributes) {
      Metadata.Xattr x = attribute.xattr;
      if (last != null && x.name().equals(last)) {
        throw image.damaged(at, "the inode has an attribute twice");
      }
      last = x.name();
      if ((filter >> attribute.filterBit & 1) != 0) {
        throw image.damaged(at, "the filter denies an attribute of the inode");
      }
      total += x.name().length() + x.value().length;
      Limit.XATTR_BYTES.check(total, image.where());
    }
  }
}
