package slipway.disk.ext4;

import java.nio.ByteBuffer;
import java.util.UUID;
import java.util.zip.CRC32C;
import slipway.disk.ext4.Format.Attribute;
import slipway.disk.ext4.Format.Group;
import slipway.disk.ext4.Format.Inode;

/** The checksums of one file system: all but the superblock's begin with its UUID. */
final class Checksums {
  private final byte[] id = new byte[16];

  Checksums(UUID id) {
    Format.put(ByteBuffer.wrap(this.id), 0, id);
  }

  private CRC32C begin() {
    CRC32C crc = new CRC32C();
    crc.update(id);
    return crc;
  }

  private static byte[] number(int value) {
    return Format.structure(4).putInt(value).array();
  }

  /** Of what belongs to an inode; the generation of ours is 0. */
  private CRC32C beginInode(long inode) {
    CRC32C crc = begin();
    crc.update(number((int) inode));
    crc.update(number(0));
    return crc;
  }

  /** Of a block of extents or of entries, up to where the checksum lies. */
  int ofBlock(long inode, byte[] block, int length) {
    CRC32C crc = beginInode(inode);
    crc.update(block, 0, length);
    return Format.value(crc);
  }

  /** Puts its checksum into an inode. */
  void seal(long number, ByteBuffer inode) {
    inode.putShort(Inode.CHECKSUM_2, (short) 0).putShort(Inode.CHECKSUM_HIGH_2, (short) 0);
    CRC32C crc = beginInode(number);
    crc.update(inode.array());
    int sum = Format.value(crc);
    inode.putShort(Inode.CHECKSUM_2, (short) sum);
    inode.putShort(Inode.CHECKSUM_HIGH_2, (short) (sum >>> 16));
  }

  /** Puts its checksum into a group's descriptor. */
  void sealGroup(int number, ByteBuffer group) {
    group.putShort(Group.CHECKSUM_2, (short) 0);
    CRC32C crc = begin();
    crc.update(number(number));
    crc.update(group.array());
    group.putShort(Group.CHECKSUM_2, (short) Format.value(crc));
  }

  int ofBitmap(byte[] bitmap, int length) {
    CRC32C crc = begin();
    crc.update(bitmap, 0, length);
    return Format.value(crc);
  }

  /** Puts its checksum into a block of attributes. */
  void sealAttributes(long number, byte[] block) {
    ByteBuffer b = ByteBuffer.wrap(block).order(java.nio.ByteOrder.LITTLE_ENDIAN);
    b.putInt(Attribute.CHECKSUM, 0);
    CRC32C crc = begin();
    crc.update(Format.structure(8).putLong(number).array());
    crc.update(block);
    b.putInt(Attribute.CHECKSUM, Format.value(crc));
  }

  static int ofSuper(ByteBuffer block) {
    CRC32C crc = new CRC32C();
    crc.update(block.array(), 0, Format.Super.CHECKSUM);
    return Format.value(crc);
  }
}
