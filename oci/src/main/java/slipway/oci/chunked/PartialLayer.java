package slipway.oci.chunked;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import slipway.archive.compress.Compression;
import slipway.base.BlockFilter;
import slipway.base.BlockInput;
import slipway.base.CountedInput;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.Span;
import slipway.oci.copy.Validate;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;

/**
 * A zstd:chunked layer whose tar is put together of contents that are there and of parts of its
 * blob. Each content is held to the digest of the table of contents while it streams by, the table
 * to that of the manifest's annotation. The digest of the blob is not checked, for not all of it
 * comes: whoever reads the tar must hold it to the layer's diff id. For one thread.
 */
public final class PartialLayer {
  /** So many bytes between two parts cost less than to ask for both. */
  private static final long NEAR = 512;

  /** So many parts are asked for; where there would be more, the nearest are joined. */
  private static final int MAX_SPANS = 8192;

  /** Bytes of the table, and of what tar-split kept, once they are unpacked. */
  private static final long MAX_UNPACKED = 256L << 20;

  private final ImageSource source;
  private final Descriptor layer;
  private final String where;
  private final long end;
  private final ContentTable table;
  private final byte @Nullable [] tarSplit;
  private final KnownContents known;
  private final Set<String> held = new HashSet<>();
  private List<Span> spans = List.of();

  private PartialLayer(
      ImageSource source,
      Descriptor layer,
      long end,
      ContentTable table,
      byte @Nullable [] tarSplit,
      KnownContents known) {
    this.source = source;
    this.layer = layer;
    this.where = Validate.name(layer);
    this.end = end;
    this.table = table;
    this.tarSplit = tarSplit;
    this.known = known;
  }

  /** Whether a layer's descriptor says that parts of it can be fetched. */
  public static boolean isOffered(Descriptor layer) {
    return PositionNotes.prefix(layer).isPresent();
  }

  /**
   * Fetches the table of contents and finds out what is missing.
   *
   * @param known what need not be fetched
   * @param fetched is told the bytes that come
   * @param memory is told the bytes of memory that the result takes; may refuse them
   * @return empty when the layer has no table, or the source gives no parts of blobs
   * @throws Problem of kind CORRUPT or INPUT when the table is damaged, lies, or is too large
   */
  public static Optional<PartialLayer> find(
      ImageSource source,
      Descriptor layer,
      KnownContents known,
      LongConsumer fetched,
      LongConsumer memory)
      throws IOException {
    Optional<PositionNotes> notes = PositionNotes.of(layer);
    if (notes.isEmpty()) {
      return Optional.empty();
    }
    Span at = notes.get().table();
    Span split = notes.get().tarSplit();
    List<Span> wanted = Span.joined(split == null ? List.of(at) : List.of(split, at), NEAR);
    memory.accept(Span.sum(wanted));
    Optional<InputStream> parts = source.parts(layer, wanted, fetched);
    if (parts.isEmpty()) {
      return Optional.empty();
    }
    byte[] packed;
    byte[] tarSplit = null;
    try (BlobCursor cursor = new BlobCursor(parts.get(), wanted, Validate.name(layer))) {
      // In the order in which they lie there.
      if (split != null && split.offset() < at.offset()) {
        tarSplit = cursor.range(split).readAllBytes();
      }
      packed = cursor.range(at).readAllBytes();
      if (split != null && tarSplit == null) {
        tarSplit = cursor.range(split).readAllBytes();
      }
    }
    ContentTable table = table(packed, notes.get(), Validate.name(layer), memory);
    if (tarSplit != null) {
      Digest digest = table.tarSplit();
      if (digest == null || !digest.matches(tarSplit)) {
        throw Problem.corrupt(Validate.name(layer) + ": its tar-split is damaged");
      }
    }
    PartialLayer partial =
        new PartialLayer(source, layer, notes.get().end(), table, tarSplit, known);
    partial.plan();
    return Optional.of(partial);
  }

  private static ContentTable table(
      byte[] packed, PositionNotes notes, String layer, LongConsumer memory) throws IOException {
    String where = "the table of contents of " + layer;
    if (!notes.checksum().matches(packed)) {
      throw Problem.corrupt(where + " is damaged");
    }
    try (InputStream json = unpacked(packed, where)) {
      return ContentTable.read(json, where, notes.end(), memory);
    }
  }

  private static InputStream unpacked(byte[] packed, String where) throws IOException {
    AtomicLong bytes = new AtomicLong();
    return new CountedInput(
        Compression.ZSTD.decompress(new ByteArrayInputStream(packed)),
        n -> {
          if (bytes.addAndGet(n) > MAX_UNPACKED) {
            throw Problem.corrupt(where + " is longer than " + (MAX_UNPACKED >> 20) + " MiB");
          }
        });
  }

  // ---- what is missing ----

  private void plan() throws IOException {
    for (PackedFile file : table.files()) {
      if (known.has(file.content(), file.size())) {
        held.add(file.name());
      }
    }
    List<Span> missing = tarSplit == null ? allButHeld() : missingChunks();
    long near = NEAR;
    spans = Span.joined(missing, near);
    while (spans.size() > MAX_SPANS) {
      near *= 2;
      spans = Span.joined(missing, near);
    }
  }

  private List<Span> missingChunks() {
    List<Span> missing = new ArrayList<>();
    for (PackedFile file : table.files()) {
      if (!held.contains(file.name())) {
        file.chunks().stream().filter(c -> !c.zeros()).forEach(c -> missing.add(c.span()));
      }
    }
    return missing;
  }

  private List<Span> allButHeld() {
    List<Span> missing = new ArrayList<>();
    for (Piece piece : pieces()) {
      PackedFile file = piece.file;
      if (file == null || !held.contains(file.name())) {
        missing.add(piece.span);
      }
    }
    return missing;
  }

  /**
   * A part of the blob.
   *
   * @param file whose content it is, or null for headers
   */
  private record Piece(Span span, @Nullable PackedFile file) {}

  /** The whole blob up to its skippable frames, in its order. */
  private List<Piece> pieces() {
    List<PackedFile> files = new ArrayList<>(table.files());
    files.sort(Comparator.comparingLong(f -> f.span().offset()));
    List<Piece> pieces = new ArrayList<>();
    long at = 0;
    for (PackedFile file : files) {
      Span span = file.span();
      if (span.offset() < at) {
        throw Problem.corrupt(where + ": contents of its files lie over each other");
      }
      if (span.offset() > at) {
        pieces.add(new Piece(new Span(at, span.offset()), null));
      }
      pieces.add(new Piece(span, file));
      at = span.end();
    }
    if (end > at) {
      pieces.add(new Piece(new Span(at, end), null));
    }
    return pieces;
  }

  /** Bytes of the blob that {@link #open} fetches. */
  public long missingBytes() {
    return Span.sum(spans);
  }

  /** The sha256 of the file of this path, if the table has it. */
  public Optional<Digest> content(OsPath path) {
    return Optional.ofNullable(table.file(path.toString())).map(PackedFile::content);
  }

  // ---- the tar ----

  /**
   * The tar of the layer. What it lacks is fetched while it is read.
   *
   * @param fetched is told the bytes that come
   * @throws Problem of kind CORRUPT, here and while it is read, for a content that is not the one
   *     of the table, or INPUT when the source gives no parts any more
   */
  public InputStream open(LongConsumer fetched) throws IOException {
    InputStream parts =
        spans.isEmpty()
            ? InputStream.nullInputStream()
            : source
                .parts(layer, spans, fetched)
                .orElseThrow(() -> Problem.input(where + ": no parts of it can be had any more"));
    BlobCursor cursor = new BlobCursor(parts, spans, where);
    boolean open = false;
    try {
      InputStream tar = new Tar(tar(cursor), cursor);
      open = true;
      return tar;
    } finally {
      if (!open) {
        cursor.close();
      }
    }
  }

  private InputStream tar(BlobCursor cursor) throws IOException {
    if (tarSplit == null) {
      return new ChainInput(parts(cursor).iterator());
    }
    InputStream headers = unpacked(tarSplit, "the tar-split of " + where);
    return new TarSplitInput(headers, (name, size) -> named(name, size, cursor), where);
  }

  private List<ChainInput.Part> parts(BlobCursor cursor) {
    List<ChainInput.Part> parts = new ArrayList<>();
    for (Piece piece : pieces()) {
      PackedFile file = piece.file;
      parts.add(
          file == null
              ? () -> Compression.ZSTD.decompress(cursor.range(piece.span))
              : () -> content(file, cursor));
    }
    return parts;
  }

  private InputStream named(OsPath name, long size, BlobCursor cursor) throws IOException {
    PackedFile file = table.file(name.toString());
    if (file == null || file.size() != size) {
      throw Problem.corrupt(
          where
              + ": its table of contents and its tar-split differ about "
              + Printable.text(name.toString()));
    }
    return content(file, cursor);
  }

  private InputStream content(PackedFile file, BlobCursor cursor) throws IOException {
    if (held.contains(file.name())) {
      return new CheckedContent(
          new Held(file), file, " that is here", where, () -> known.distrust(file.content()));
    }
    List<ChainInput.Part> chunks = new ArrayList<>();
    for (PackedFile.Chunk chunk : file.chunks()) {
      chunks.add(
          chunk.zeros()
              ? () -> new Zeros(chunk.size())
              : () -> Compression.ZSTD.decompress(cursor.range(chunk.span())));
    }
    return new CheckedContent(new ChainInput(chunks.iterator()), file, "", where, () -> {});
  }

  /** A content that is there. One that cannot be read is no better than another one. */
  private final class Held extends BlockInput {
    private final PackedFile file;
    private final InputStream in;

    Held(PackedFile file) {
      this.file = file;
      try {
        this.in = known.open(file.content());
      } catch (IOException | Problem e) {
        throw unreadable(e);
      }
    }

    @Override
    public int read(byte[] buffer, int offset, int length) {
      try {
        return in.read(buffer, offset, length);
      } catch (IOException | Problem e) {
        throw unreadable(e);
      }
    }

    private Problem unreadable(Exception e) {
      known.distrust(file.content());
      String name = Printable.text(file.name());
      return new Problem(
          Problem.Kind.CORRUPT,
          where + ": the content of " + name + " that is here cannot be read: " + e.getMessage(),
          e);
    }

    @Override
    public void close() throws IOException {
      in.close();
    }
  }

  /** The tar, with what it is fetched from. */
  private static final class Tar extends BlockFilter {
    private final BlobCursor cursor;

    Tar(InputStream tar, BlobCursor cursor) {
      super(tar);
      this.cursor = cursor;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      return in.read(buffer, offset, length);
    }

    @Override
    public void close() throws IOException {
      try (cursor) {
        super.close();
      }
    }
  }

  /** So many bytes of 0. */
  private static final class Zeros extends BlockInput {
    private long left;

    Zeros(long left) {
      this.left = left;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) {
      if (left == 0) {
        return length == 0 ? 0 : -1;
      }
      int n = (int) Math.min(left, length);
      Arrays.fill(buffer, offset, offset + n, (byte) 0);
      left -= n;
      return n;
    }
  }
}
