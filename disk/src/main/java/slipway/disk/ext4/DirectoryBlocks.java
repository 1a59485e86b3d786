package slipway.disk.ext4;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.function.ToLongFunction;
import slipway.disk.ext4.Format.Entry;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Stat;
import slipway.tree.Node;

/** Makes the blocks of a directory, but for their checksums. */
final class DirectoryBlocks {
  /** Takes a block, which is used again for the next. */
  @FunctionalInterface
  interface Sink {
    void block(byte[] block) throws IOException;
  }

  static final int CHECKED = Format.BLOCK - Entry.TAIL;
  static final int CHECKSUM = Format.BLOCK - 4;
  private static final byte[] DOT = {'.'};
  private static final byte[] DOT_DOT = {'.', '.'};

  private final Sink sink;
  private ByteBuffer block = Format.structure(Format.BLOCK);
  private int last;

  private DirectoryBlocks(Sink sink) {
    this.sink = sink;
  }

  /**
   * @param inodes the number of each child
   */
  static void make(
      Node.Directory directory, long self, long parent, ToLongFunction<Node> inodes, Sink sink)
      throws IOException {
    DirectoryBlocks blocks = new DirectoryBlocks(sink);
    blocks.entry(self, DOT, Stat.S_IFDIR);
    blocks.entry(parent, DOT_DOT, Stat.S_IFDIR);
    for (Map.Entry<OsPath, Node> child : directory.children().entrySet()) {
      Node node = child.getValue();
      blocks.entry(inodes.applyAsLong(node), child.getKey().bytes(), node.metadata().type());
    }
    blocks.finish();
  }

  /** A block of a directory that holds nothing. */
  static byte[] empty() {
    ByteBuffer b = Format.structure(Format.BLOCK);
    b.putShort(4, (short) CHECKED);
    tail(b);
    return b.array();
  }

  private void entry(long inode, byte[] name, int type) throws IOException {
    int size = Entry.SIZE + Format.roundUp(name.length, 4);
    if (block.position() + size > CHECKED) {
      finish();
      block = Format.structure(Format.BLOCK);
    }
    last = block.position();
    block.putInt((int) inode).putShort((short) size);
    block.put((byte) name.length).put((byte) Stat.entryType(type)).put(name);
    block.position(last + size);
  }

  /** The last entry of a block reaches up to its end. */
  private void finish() throws IOException {
    block.putShort(last + 4, (short) (CHECKED - last));
    tail(block);
    sink.block(block.array());
  }

  private static void tail(ByteBuffer block) {
    block.putShort(CHECKED + 4, (short) Entry.TAIL);
    block.put(CHECKED + 7, (byte) Entry.TAIL_TYPE);
  }
}
