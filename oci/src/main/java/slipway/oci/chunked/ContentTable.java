package slipway.oci.chunked;

import java.io.InputStream;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.oci.copy.Span;
import slipway.oci.model.Digest;
import slipway.oci.model.Json;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/**
 * The table of contents of a zstd:chunked layer: the files that are not empty, by name. What else
 * it says of them the tar's own headers say.
 */
final class ContentTable {
  /** Files and further chunks; an operating system has tens of thousands. */
  private static final int MAX_ENTRIES = 250_000;

  private static final long MAX_NAMES = 32L << 20;

  /** Bytes of memory that a file or chunk takes beside its texts, about. */
  private static final int ENTRY_BYTES = 400;

  /** What counts of an entry; all else of it the tar's headers say. */
  private static final List<String> FIELDS =
      List.of(
          "type",
          "name",
          "digest",
          "chunkType",
          "size",
          "offset",
          "endOffset",
          "chunkSize",
          "chunkOffset");

  private final String where;
  private final long end;
  private final LongConsumer memory;
  private final Map<String, PackedFile> files = new HashMap<>();
  private @Nullable Digest tarSplit;

  // The file whose chunks are being read.
  private @Nullable Entry open;
  private final List<Entry> chunks = new ArrayList<>();
  private int entries;
  private long names;

  private ContentTable(String where, long end, LongConsumer memory) {
    this.where = where;
    this.end = end;
    this.memory = memory;
  }

  /** What counts of one entry. */
  private static final class Entry {
    private String type = "";
    private String name = "";
    private String digest = "";
    private String chunkType = "";
    private long size;
    private long offset;
    private long endOffset;
    private long chunkSize;
    private long chunkOffset;

    /** Bytes of memory, about: Java's strings take one or two for a character. */
    long bytes() {
      return ENTRY_BYTES
          + 2L * (type.length() + name.length() + digest.length() + chunkType.length());
    }
  }

  /**
   * Reads one, bounded in what it keeps; the caller bounds the stream.
   *
   * @param where what to call the table in a message
   * @param end where in the blob contents end
   * @param memory is told the bytes of memory that it takes
   * @throws Problem of kind CORRUPT, or INPUT for a digest that is none
   */
  static ContentTable read(InputStream json, String where, long end, LongConsumer memory) {
    ContentTable table = new ContentTable(where, end, memory);
    try (JsonParser parser = Json.parser(json)) {
      table.read(parser);
    } catch (JacksonException e) {
      throw new Problem(Problem.Kind.CORRUPT, where + " is not valid JSON", e);
    }
    return table;
  }

  private void read(JsonParser parser) {
    require(parser.nextToken() == JsonToken.START_OBJECT, "is no object");
    Set<String> seen = new HashSet<>();
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String name = parser.currentName();
      JsonToken value = parser.nextToken();
      switch (name) {
        case "version", "entries", "tarSplitDigest" -> {
          require(seen.add(name), "has \"" + name + "\" twice");
          read(parser, name, value);
        }
        default -> parser.skipChildren();
      }
    }
    require(seen.contains("version"), "has no version");
  }

  private void read(JsonParser parser, String name, JsonToken value) {
    switch (name) {
      case "version" -> {
        require(value == JsonToken.VALUE_NUMBER_INT, "has no version");
        require(parser.getLongValue() == 1, "has another version than 1");
      }
      case "entries" -> readEntries(parser, value);
      default -> tarSplit = Digest.parse(String.valueOf(parser.getString()));
    }
  }

  private void readEntries(JsonParser parser, JsonToken value) {
    require(value == JsonToken.START_ARRAY, "has no list of entries");
    while (parser.nextToken() == JsonToken.START_OBJECT) {
      require(++entries <= MAX_ENTRIES, "has more than " + MAX_ENTRIES + " entries");
      Entry entry = entry(parser);
      memory.accept(entry.bytes());
      add(entry);
    }
    finish();
  }

  private Entry entry(JsonParser parser) {
    Entry entry = new Entry();
    int seen = 0;
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String name = parser.currentName();
      JsonToken value = parser.nextToken();
      int field = FIELDS.indexOf(name);
      if (field < 0) {
        parser.skipChildren();
        continue;
      }
      require((seen & 1 << field) == 0, "has an entry with \"" + name + "\" twice");
      seen |= 1 << field;
      if (value == JsonToken.VALUE_STRING) {
        text(entry, name, parser.getString());
      } else if (value == JsonToken.VALUE_NUMBER_INT) {
        number(entry, name, parser);
      } else {
        parser.skipChildren();
      }
    }
    return entry;
  }

  private static void text(Entry entry, String name, String value) {
    switch (name) {
      case "type" -> entry.type = value;
      case "name" -> entry.name = value;
      case "digest" -> entry.digest = value;
      case "chunkType" -> entry.chunkType = value;
      default -> {} // A text or number where the other should be.
    }
  }

  private static void number(Entry entry, String name, JsonParser parser) {
    switch (name) {
      case "size" -> entry.size = parser.getLongValue();
      case "offset" -> entry.offset = parser.getLongValue();
      case "endOffset" -> entry.endOffset = parser.getLongValue();
      case "chunkSize" -> entry.chunkSize = parser.getLongValue();
      case "chunkOffset" -> entry.chunkOffset = parser.getLongValue();
      default -> {} // A text or number where the other should be.
    }
  }

  private void add(Entry entry) {
    Entry file = open;
    if (entry.type.equals("chunk")) {
      require(file != null && file.name.equals(entry.name), "has a chunk of no file");
      chunks.add(entry);
      return;
    }
    finish();
    if (entry.type.equals("reg") && entry.size > 0) {
      open = entry;
      chunks.add(entry);
    }
  }

  /** Ends the file that is open. */
  private void finish() {
    Entry file = open;
    if (file == null) {
      return;
    }
    String name = plain(file.name);
    names += name.length();
    require(names <= MAX_NAMES, "has too many names");
    List<PackedFile.Chunk> parts = new ArrayList<>(chunks.size());
    long size = 0;
    for (int i = 0; i < chunks.size(); i++) {
      Entry chunk = chunks.get(i);
      long next = i + 1 < chunks.size() ? chunks.get(i + 1).offset : file.endOffset;
      long bytes = chunks.size() == 1 ? file.size : chunk.chunkSize;
      require(
          chunk.offset >= 0 && next > chunk.offset && next <= end,
          "has a chunk that lies nowhere in the layer");
      require(chunk.chunkOffset == size && bytes > 0 && bytes <= file.size - size, wrong(name));
      parts.add(
          new PackedFile.Chunk(
              new Span(chunk.offset, next), bytes, chunk.chunkType.equals("zeros")));
      size += bytes;
    }
    require(size == file.size, wrong(name));
    Digest digest = Digest.parse(file.digest);
    require(digest.algorithm() == Digest.Algorithm.SHA256, wrong(name));
    require(
        files.put(name, new PackedFile(name, digest, size, parts)) == null,
        "names a file twice: " + Printable.text(name));
    open = null;
    chunks.clear();
  }

  private static String wrong(String name) {
    return "contradicts itself about " + Printable.text(name);
  }

  private void require(boolean so, String otherwise) {
    if (!so) {
      throw Problem.corrupt(where + " " + otherwise);
    }
  }

  /** A name as the paths of a layer are written: tools begin them with a dot or a slash. */
  static String plain(String name) {
    int begin = 0;
    while (name.startsWith("./", begin) || name.startsWith("/", begin)) {
      begin = name.indexOf('/', begin) + 1;
    }
    return name.substring(begin);
  }

  Collection<PackedFile> files() {
    return files.values();
  }

  /** The file of this name, in whatever way it begins. */
  @Nullable PackedFile file(String name) {
    return files.get(plain(name));
  }

  /** The digest of tar-split's part, packed; null when the writer kept none. */
  @Nullable Digest tarSplit() {
    return tarSplit;
  }
}
