package slipway.archive.tar;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.TarEntry.Kind;
import slipway.archive.tar.TarHeader.Field;
import slipway.base.BlockInput;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;

/**
 * Reads a tar archive member by member in one pass: v7, ustar, pax, GNU and star headers, long
 * names, sparse files. Names and attribute values are bytes and are never decoded. Where readers
 * differ it does what Go's archive/tar does, because that is what container tools read layers with:
 * only files have content, a long name of GNU's wins over pax, an end without zero blocks is an end
 * when it falls between members. Access control lists in text form ({@code SCHILY.acl}) are not
 * read, as container tools do not.
 *
 * <p>Damage of any sort is a {@link Problem} of kind CORRUPT. Extended headers hold at most 1 MiB,
 * and the archive at most what {@link slipway.base.Limit} says. Not safe for use by several
 * threads. The stream is not closed.
 */
public final class TarReader {
  static final int MAX_EXTENSION = 1 << 20;
  private static final OsPath EMPTY = OsPath.of("");
  private static final long MAX_ID = 0xfffffffeL;

  private final InputStream in;
  private final Totals totals;
  private final byte[] buffer = new byte[128 * 1024];
  private int next;
  private int limit;
  private long position;

  private final PaxRecords globals = new PaxRecords();
  private Stored stored = new Stored(0);
  private InputStream content = stored;
  private long padding;
  private boolean ended;

  /**
   * @param in the archive, not compressed; read in large pieces, beyond the archive's end
   */
  public TarReader(InputStream in) {
    this(in, new Totals("the tar archive"));
  }

  /**
   * @param totals what counts all that is read
   */
  public TarReader(InputStream in, Totals totals) {
    this.in = in;
    this.totals = totals;
  }

  /**
   * Goes to the next member, skipping what is left of this one.
   *
   * @return null at the end; then all of the stream has been read
   */
  public @Nullable TarEntry next() throws IOException {
    if (ended) {
      return null;
    }
    stored.skipAll();
    skip(padding);
    padding = 0;
    PaxRecords pax = new PaxRecords();
    OsPath longName = null;
    OsPath longLink = null;
    boolean pending = false;
    while (true) {
      TarHeader header = readHeader();
      if (header == null) {
        if (pending) {
          throw header(position).corrupt("it ends after an extended header");
        }
        ended = true;
        drain();
        return null;
      }
      pending |= header.type() != 'g' && header.type() != 'V';
      switch (header.type()) {
        case 'x', 'X' -> {
          pax = new PaxRecords();
          pax.parse(readExtension(header));
        }
        case 'g' -> readGlobals(header);
        case 'L' -> longName = readLongName(header);
        case 'K' -> longLink = readLongName(header);
        case 'V' -> skip(padded(checkedSize(header, header.number(Field.SIZE))));
        default -> {
          return entry(header, pax, longName, longLink);
        }
      }
    }
  }

  /**
   * The content of the member that {@link #next} returned last; valid until it is called again. Its
   * end comes after exactly {@link TarEntry#size} bytes; a shorter archive is a Problem.
   */
  public InputStream content() {
    return content;
  }

  private TarEntry entry(
      TarHeader header, PaxRecords pax, @Nullable OsPath longName, @Nullable OsPath longLink)
      throws IOException {
    OsPath name = first(longName, pax.text("path"), header.name());
    OsPath link = first(longLink, pax.text("linkpath"), header.text(Field.LINK_NAME));
    Kind kind = kind(header, name);
    long size = kind == Kind.FILE ? checkedSize(header, pax.number("size", size(header))) : 0;
    stored = new Stored(size);
    content = stored;
    padding = padded(size) - size;
    if (kind == Kind.FILE) {
      size = openSparse(header, pax, size);
      name = first(null, pax.text("GNU.sparse.name"), name);
    }
    Metadata metadata = metadata(header, pax, kind);
    boolean isLink = kind == Kind.SYMLINK || kind == Kind.HARDLINK;
    checkLink(header, name, link, isLink);
    totals.entry(metadata, name.length() + (isLink ? link.length() : 0));
    return new TarEntry(name, kind, metadata, size, isLink ? link : EMPTY, rdev(header, kind));
  }

  private static void checkLink(TarHeader header, OsPath name, OsPath link, boolean isLink) {
    if (name.isEmpty()) {
      throw header.corrupt("a member has no name");
    }
    if (isLink && (link.isEmpty() || link.length() >= TarEntry.MAX_PATH)) {
      throw header.corrupt("the link \"" + name + "\" has a target of " + link.length() + " bytes");
    }
  }

  private static OsPath first(@Nullable OsPath a, @Nullable OsPath b, OsPath c) {
    return a != null ? a : b != null ? b : c;
  }

  private static long size(TarHeader header) {
    return header.number(Field.SIZE);
  }

  private static long checkedSize(TarHeader header, long size) {
    if (size < 0 || size > Long.MAX_VALUE - 2 * TarHeader.BLOCK) {
      throw header.corrupt("a size is out of range");
    }
    return size;
  }

  private static Kind kind(TarHeader header, OsPath name) {
    return switch (header.type()) {
      // Before ustar a directory was a file whose name ends with a slash.
      case 0 -> endsWithSlash(name) ? Kind.DIRECTORY : Kind.FILE;
      case '0', '7', 'S' -> Kind.FILE;
      case '1' -> Kind.HARDLINK;
      case '2' -> Kind.SYMLINK;
      case '3' -> Kind.CHARACTER;
      case '4' -> Kind.BLOCK;
      case '5' -> Kind.DIRECTORY;
      case '6' -> Kind.FIFO;
      default ->
          throw header.corrupt(
              "the member \"" + name + "\" is of unknown type " + (header.type() & 0xff));
    };
  }

  static boolean endsWithSlash(OsPath name) {
    return name.length() > 0 && name.substring(name.length() - 1).is("/");
  }

  private Metadata metadata(TarHeader header, PaxRecords pax, Kind kind) {
    int type =
        switch (kind) {
          case FILE, HARDLINK -> Stat.S_IFREG;
          case DIRECTORY -> Stat.S_IFDIR;
          case SYMLINK -> Stat.S_IFLNK;
          case CHARACTER -> Stat.S_IFCHR;
          case BLOCK -> Stat.S_IFBLK;
          case FIFO -> Stat.S_IFIFO;
        };
    // Linux knows no other mode of a symbolic link.
    int permissions = kind == Kind.SYMLINK ? 0777 : (int) header.number(Field.MODE) & 07777;
    long[] time = pax.time("mtime");
    if (time == null) {
      time = globals.time("mtime");
    }
    if (time == null) {
      time = new long[] {header.number(Field.MTIME), 0};
    }
    return new Metadata(
        type | permissions,
        id(header, pax, "uid", Field.UID),
        id(header, pax, "gid", Field.GID),
        time[0],
        (int) time[1],
        pax.xattrs());
  }

  private int id(TarHeader header, PaxRecords pax, String key, Field field) {
    long id = pax.number(key, globals.number(key, header.number(field)));
    if (id < 0 || id > MAX_ID) {
      throw header.corrupt("the " + key + " " + id + " is out of range");
    }
    return (int) id;
  }

  private static long rdev(TarHeader header, Kind kind) {
    if ((kind != Kind.CHARACTER && kind != Kind.BLOCK) || !header.hasDevices()) {
      return 0;
    }
    long major = header.number(Field.DEV_MAJOR);
    long minor = header.number(Field.DEV_MINOR);
    // What the kernel's dev_t holds.
    if (major < 0 || major > 0xfff || minor < 0 || minor > 0xfffff) {
      throw header.corrupt("the device number " + major + ":" + minor + " is out of range");
    }
    return Posix.makedev((int) major, (int) minor);
  }

  /** Puts the filler of holes before the content when the member is sparse; returns its size. */
  private long openSparse(TarHeader header, PaxRecords pax, long size) throws IOException {
    List<Long> pairs;
    long real;
    if (header.type() == 'S') {
      pairs = readOldSparseMap(header);
      real = header.number(Field.GNU_REAL_SIZE);
    } else if (pax.value("GNU.sparse.major") != null) {
      if (pax.number("GNU.sparse.major", 0) != 1 || pax.number("GNU.sparse.minor", 0) != 0) {
        throw header.corrupt("a sparse file is stored in an unknown way");
      }
      pairs = readSparseMap(header);
      real = pax.number("GNU.sparse.realsize", -1);
    } else if (pax.value("GNU.sparse.size") != null) {
      pairs = pax.value("GNU.sparse.map") == null ? pax.sparsePairs() : sparseList(header, pax);
      real = pax.number("GNU.sparse.size", -1);
    } else {
      return size;
    }
    content = new SparseFile(stored, pairs, real, stored.left);
    totals.holes(real - stored.left);
    return real;
  }

  /** Format 0.1: one keyword, offsets and lengths between commas. */
  private static List<Long> sparseList(TarHeader header, PaxRecords pax) {
    OsPath map = pax.text("GNU.sparse.map");
    List<Long> pairs = new ArrayList<>();
    try {
      for (String number : (map == null ? "" : map.toString()).split(",", -1)) {
        pairs.add(Long.parseLong(number));
      }
    } catch (NumberFormatException e) {
      throw header.corrupt("the map of a sparse file is not a list of numbers");
    }
    return pairs;
  }

  /** Format 1.0: the map stands before the data, a number a line, padded to a block. */
  private List<Long> readSparseMap(TarHeader header) throws IOException {
    long before = stored.left;
    long count = readLine(header);
    if (count > SparseFile.MAX_PIECES) {
      throw header.corrupt("a sparse file has more than " + SparseFile.MAX_PIECES + " pieces");
    }
    List<Long> pairs = new ArrayList<>();
    for (long i = 0; i < 2 * count; i++) {
      pairs.add(readLine(header));
    }
    long used = before - stored.left;
    long rest = padded(used) - used;
    if (rest > stored.left) {
      throw header.corrupt("the map of a sparse file is cut off");
    }
    stored.skipNBytes(rest);
    return pairs;
  }

  private long readLine(TarHeader header) throws IOException {
    long value = 0;
    for (int digits = 0; digits <= 18; digits++) {
      int c = stored.read();
      if (c == '\n' && digits > 0) {
        return value;
      }
      if (c < '0' || c > '9') {
        break;
      }
      value = value * 10 + c - '0';
    }
    throw header.corrupt("the map of a sparse file is not a list of numbers");
  }

  /** The map of GNU's type S: four pieces in the header, then blocks of 21. */
  private List<Long> readOldSparseMap(TarHeader header) throws IOException {
    List<Long> pairs = new ArrayList<>();
    addPieces(header, 386, 4, pairs);
    boolean more = header.at(482) != 0;
    while (more) {
      if (pairs.size() > 2 * SparseFile.MAX_PIECES) {
        throw header.corrupt("a sparse file has more than " + SparseFile.MAX_PIECES + " pieces");
      }
      TarHeader extension = new TarHeader(readBlock(), position - TarHeader.BLOCK);
      addPieces(extension, 0, 21, pairs);
      more = extension.at(504) != 0;
    }
    return pairs;
  }

  private static void addPieces(TarHeader block, int offset, int count, List<Long> pairs) {
    for (int i = 0; i < count; i++) {
      int at = offset + 24 * i;
      if (block.at(at + 12) == 0) {
        return;
      }
      pairs.add(block.number(at, 12));
      pairs.add(block.number(at + 12, 12));
    }
  }

  /** The next header, or null at the end of the archive. */
  private @Nullable TarHeader readHeader() throws IOException {
    if (!fill()) {
      return null;
    }
    byte[] block = readBlock();
    if (TarHeader.isZero(block)) {
      if (fill() && !TarHeader.isZero(readBlock())) {
        throw header(position - TarHeader.BLOCK).corrupt("members follow a block of zeros");
      }
      return null;
    }
    TarHeader header = new TarHeader(block, position - TarHeader.BLOCK);
    header.verify();
    return header;
  }

  private static TarHeader header(long position) {
    return new TarHeader(new byte[TarHeader.BLOCK], position);
  }

  private byte[] readExtension(TarHeader header) throws IOException {
    long size = header.number(Field.SIZE);
    if (size < 0 || size > MAX_EXTENSION) {
      throw header.corrupt("an extended header of " + size + " bytes; at most 1 MiB is taken");
    }
    byte[] data = new byte[(int) size];
    readFully(data);
    skip(padded(size) - size);
    return data;
  }

  private OsPath readLongName(TarHeader header) throws IOException {
    byte[] data = readExtension(header);
    return TarHeader.cString(data, 0, data.length);
  }

  private void readGlobals(TarHeader header) throws IOException {
    globals.parse(readExtension(header));
    if (globals.namesMember()) {
      throw header.corrupt("a global header gives all members the same name, size or attributes");
    }
    if (globals.bytes() > MAX_EXTENSION) {
      throw header.corrupt("global headers of more than 1 MiB");
    }
  }

  static long padded(long size) {
    return (size + TarHeader.BLOCK - 1) / TarHeader.BLOCK * TarHeader.BLOCK;
  }

  private byte[] readBlock() throws IOException {
    byte[] block = new byte[TarHeader.BLOCK];
    readFully(block);
    return block;
  }

  /** Makes at least one byte available; false at the end of the stream. */
  private boolean fill() throws IOException {
    if (next < limit) {
      return true;
    }
    int n = in.read(buffer, 0, buffer.length);
    next = 0;
    limit = Math.max(n, 0);
    totals.read(limit);
    return n > 0;
  }

  private void readFully(byte[] target) throws IOException {
    for (int done = 0; done < target.length; ) {
      done += read(target, done, target.length - done);
    }
  }

  /** Reads at least one byte; the end of the stream is damage. */
  private int read(byte[] target, int offset, int length) throws IOException {
    int n;
    if (next == limit && length >= buffer.length) {
      n = in.read(target, offset, length);
      totals.read(Math.max(n, 0));
    } else {
      n = fill() ? Math.min(length, limit - next) : -1;
      if (n > 0) {
        System.arraycopy(buffer, next, target, offset, n);
        next += n;
      }
    }
    if (n <= 0) {
      throw header(position).corrupt("it is cut off");
    }
    position += n;
    return n;
  }

  private void skip(long count) throws IOException {
    for (long left = count; left > 0; ) {
      if (!fill()) {
        throw header(position).corrupt("it is cut off");
      }
      int n = (int) Math.min(left, limit - next);
      next += n;
      position += n;
      left -= n;
    }
  }

  private void drain() throws IOException {
    next = limit;
    while (fill()) {
      next = limit;
    }
  }

  /** The bytes that the archive holds for a member. */
  private final class Stored extends BlockInput {
    long left;

    Stored(long size) {
      left = size;
    }

    void skipAll() throws IOException {
      TarReader.this.skip(left);
      left = 0;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      if (length == 0) {
        return 0;
      }
      if (left == 0 || this != stored) {
        return -1;
      }
      int n = TarReader.this.read(target, offset, (int) Math.min(length, left));
      left -= n;
      return n;
    }
  }
}
