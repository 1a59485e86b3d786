package slipway.oci.copy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.oci.model.Descriptor;

/**
 * Whether layers have room, found out before the first of them is fetched. A manifest tells how
 * large they are packed; how large they are unpacked the packed data says itself, which is asked
 * for only where it could matter. How much of that is there already nobody knows before it is read,
 * so only what cannot fit whatever is there is refused at once; the rest ends while it is written,
 * with the same sentence.
 */
public final class LayerSpace {
  /** Layers of operating systems are packed to a half or a quarter; far from that nobody asks. */
  private static final int LARGEST_RATIO = 8;

  /**
   * Of a layer unpacked, headers, padding and what an import leaves out are less than this part.
   */
  private static final int OVERHEAD = 4;

  private static final long U32 = 0xffff_ffffL;

  private final ImageSource source;
  private final List<Descriptor> layers;
  private final Held held;

  /** Tells how many bytes of content there are that layers may share. */
  @FunctionalInterface
  public interface Held {
    /** What may be in the layers once more and needs no room then. */
    long bytes() throws IOException;
  }

  /**
   * Of layers that share nothing with what is there.
   *
   * @param layers that are to be fetched
   */
  public LayerSpace(ImageSource source, List<Descriptor> layers) {
    this(source, layers, () -> 0);
  }

  /**
   * @param layers that are to be fetched
   * @param held asked only when there is no room for all of them
   */
  public LayerSpace(ImageSource source, List<Descriptor> layers, Held held) {
    this.source = source;
    this.layers = List.copyOf(layers);
    this.held = held;
  }

  /**
   * Looks whether they fit.
   *
   * @param image for the message
   * @param place where they are to be, for the message
   * @throws Problem of kind FULL in one sentence with both numbers
   */
  public void require(long available, String image, Path place) throws IOException {
    long packed = layers.stream().mapToLong(Descriptor::size).sum();
    if (available <= 0 && packed > 0) {
      throw full(packed, available, image, place, null);
    }
    long needed = 0;
    if (packed > available / LARGEST_RATIO) {
      for (Descriptor layer : layers) {
        needed += unpacked(layer);
      }
      needed -= needed / OVERHEAD;
    }
    if (needed > available) {
      needed -= held.bytes();
    }
    if (needed > available) {
      throw full(needed, available, image, place, null);
    }
  }

  /**
   * The sentence for layers that have no room.
   *
   * @param cause what was met while writing, or null
   */
  public static Problem full(
      long needed, long available, String image, Path place, @Nullable Throwable cause) {
    return new Problem(
        Problem.Kind.FULL,
        image
            + " needs at least "
            + megabytes(needed)
            + " MB in "
            + place
            + ", where "
            + megabytes(Math.max(0, available))
            + " MB may be written: free some space there",
        cause);
  }

  private static long megabytes(long bytes) {
    return (bytes + 999_999) / 1_000_000;
  }

  /** As far as it is told, and never less than the packed size. */
  private long unpacked(Descriptor layer) throws IOException {
    String type = layer.mediaType();
    long told = type.endsWith("gzip") ? gzip(layer) : type.endsWith("zstd") ? zstd(layer) : 0;
    return Math.max(layer.size(), told);
  }

  /** RFC 1952: the last four bytes are the size of what the last member holds, modulo 2³². */
  private long gzip(Descriptor layer) throws IOException {
    if (layer.size() < 4) {
      return 0;
    }
    try (InputStream in = source.blob(layer, layer.size() - 4)) {
      byte[] end = in.readNBytes(4);
      return end.length < 4
          ? 0
          : ByteBuffer.wrap(end).order(ByteOrder.LITTLE_ENDIAN).getInt() & U32;
    }
  }

  /** RFC 8878, 3.1.1.1: the first frame's header may tell the size of its content. */
  private long zstd(Descriptor layer) throws IOException {
    try (InputStream in = source.blob(layer, 0)) {
      ByteBuffer head = ByteBuffer.wrap(in.readNBytes(18)).order(ByteOrder.LITTLE_ENDIAN);
      return head.remaining() < 18 || head.getInt() != 0xFD2FB528 ? 0 : contentSize(head);
    }
  }

  private static long contentSize(ByteBuffer head) {
    int descriptor = head.get() & 0xff;
    boolean single = (descriptor & 0x20) != 0;
    int dictionary = new int[] {0, 1, 2, 4}[descriptor & 3];
    head.position(head.position() + (single ? 0 : 1) + dictionary);
    return switch (descriptor >> 6) {
      case 0 -> single ? head.get() & 0xff : 0;
      case 1 -> (head.getShort() & 0xffff) + 256;
      case 2 -> head.getInt() & U32;
      default -> Math.max(0, head.getLong());
    };
  }
}
