package slipway.base;

import java.io.IOException;
import java.io.InputStream;
import java.util.Locale;

/**
 * The bounds on what a stranger's data may cost, in one place. Each stands for one total, has a
 * default that honest images stay far below, and a name by which {@code --limit NAME=VALUE} or the
 * environment variable {@value #ENVIRONMENT} changes it for one process. docs/security.md lists
 * them; a test holds that list to this one.
 */
public enum Limit {
  /** Bytes that one layer may hold once decompressed, holes included. */
  LAYER_BYTES(
      Unit.BYTES, 16L << 30, "bytes that one layer holds once decompressed, holes included"),
  /** Bytes that all layers of one image may hold once decompressed, holes included. */
  IMAGE_BYTES(Unit.BYTES, 128L << 30, "bytes that all layers of one image hold once decompressed"),
  /** Entries of one layer or archive. */
  LAYER_ENTRIES(Unit.COUNT, 1_000_000, "entries of one layer or archive"),
  /** Bytes of all extended attributes of one layer or tree. */
  XATTR_BYTES(Unit.BYTES, 128L << 20, "bytes of all extended attributes of one layer or tree"),
  /** Bytes of the heap that the trees of all layers of one image take: 512 for each inode. */
  TREE_BYTES(
      Unit.BYTES,
      ofHeap(512L << 20),
      "bytes of memory for the names, attributes and inodes of one image (at most 5/8 of the heap)"),
  /** Levels of directories below a root; trees are walked by recursion, on a stack of 1 MiB. */
  TREE_DEPTH(Unit.COUNT, 512, "levels of directories below a root"),
  /** Bytes of one manifest or index. */
  MANIFEST_BYTES(Unit.BYTES, 8L << 20, "bytes of one manifest or index"),
  /** Bytes of all manifests of one image that are held at once. */
  MANIFESTS_BYTES(Unit.BYTES, 64L << 20, "bytes of all manifests of one image held at once"),
  /** Bytes of one image configuration. */
  CONFIG_BYTES(Unit.BYTES, 8L << 20, "bytes of one image configuration"),
  /** Values in one JSON document: objects, arrays and scalars. */
  JSON_NODES(Unit.COUNT, 500_000, "values in one JSON document"),
  /** Bytes of a file that is read whole, such as os-release, passwd or a Containerfile. */
  SMALL_FILE_BYTES(
      Unit.BYTES,
      4L << 20,
      "bytes of a file that is read whole, such as os-release or a Containerfile"),
  /** Kernel arguments that one image brings. */
  KERNEL_ARGUMENTS(Unit.COUNT, 1000, "kernel arguments that one image brings"),
  /** Bytes of an image's boot loader for one platform, modules included. */
  BOOT_LOADER_BYTES(Unit.BYTES, 64L << 20, "bytes of an image's boot loader for one platform"),
  /** Characters that one word of a Containerfile may grow to by variables. */
  WORD_CHARACTERS(Unit.COUNT, 1L << 20, "characters of one word after its variables are filled in"),
  /** Characters of all values that the variables of one build get, one after the other. */
  VARIABLE_CHARACTERS(
      Unit.COUNT, 16L << 20, "characters of all values given to variables of one build"),
  /** Levels of variables within each other, such as {@code ${a:-${b}}}. */
  EXPANSION_DEPTH(Unit.COUNT, 100, "levels of variables within each other"),
  /** Characters of one pattern with wildcards. */
  PATTERN_CHARACTERS(Unit.COUNT, 1024, "characters of one pattern with wildcards"),
  /** Patterns of one ignore file. */
  PATTERNS(Unit.COUNT, 10_000, "patterns of one ignore file"),
  /** Stages of one Containerfile. */
  STAGES(Unit.COUNT, 1000, "stages of one Containerfile"),
  /**
   * Instructions of a Containerfile with the triggers of its base images, or triggers or variables
   * of one image: each is a step, or a part of each step, that the cache keeps.
   */
  INSTRUCTIONS(
      Unit.COUNT,
      10_000,
      "instructions of one build, triggers included; triggers or variables of one image"),
  /** Bytes that one archive of images may hold once decompressed. */
  ARCHIVE_BYTES(Unit.BYTES, 256L << 30, "bytes that one archive of images holds once decompressed"),
  /** Layers of one image. */
  IMAGE_LAYERS(Unit.COUNT, 10_000, "layers of one image"),
  /** Manifests that one index names, through other indexes too. */
  INDEX_MANIFESTS(Unit.COUNT, 2_000, "manifests below one index"),
  /** Entries of a list that a registry sends, such as its tags. */
  LIST_ENTRIES(Unit.COUNT, 1_000_000, "entries of a list that a registry sends"),
  /** Bytes that builds keep for later ones; what was unused for longest goes when there is more. */
  BUILD_CACHE_BYTES(
      Unit.BYTES, 64L << 30, "bytes that builds keep for later ones; the longest unused goes"),
  /** Bytes of layers that builds of disks keep for later ones. */
  LAYER_CACHE_BYTES(
      Unit.BYTES,
      32L << 30,
      "bytes of layers that builds of disks keep for later ones; the longest unused go"),
  /** Bytes of one download by ADD. */
  DOWNLOAD_BYTES(Unit.BYTES, 64L << 30, "bytes of one download"),
  /** Seconds that one command of git may take for ADD; it watches itself how fast HTTP is only. */
  GIT_SECONDS(Unit.COUNT, 1800, "seconds of one fetch by git");

  /** What a limit counts. */
  public enum Unit {
    BYTES,
    COUNT
  }

  private static final long MIB = 1 << 20;

  /** Changes limits for a process: {@code layer-bytes=128GiB,layer-entries=3000000}. */
  public static final String ENVIRONMENT = "SLIPWAY_LIMITS";

  private final Unit unit;
  private final long preset;
  private final String what;
  private volatile long value;

  /** At most so much that beside it the heap holds what is done with it. */
  private static long ofHeap(long most) {
    return Math.min(most, (Runtime.getRuntime().maxMemory() / 8 * 5) >> 20 << 20);
  }

  Limit(Unit unit, long preset, String what) {
    this.unit = unit;
    this.preset = preset;
    this.what = what;
    this.value = preset;
  }

  /** The name on the command line, such as {@code layer-bytes}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** What the limit bounds, in words. */
  public String what() {
    return what;
  }

  /** What the limit counts. */
  public Unit unit() {
    return unit;
  }

  /** The value unless somebody changes it. */
  public long preset() {
    return preset;
  }

  /** The value in force: bytes or a count. */
  public long value() {
    return value;
  }

  /** The value in force for buffers and arrays, at most 2³¹−9. */
  public int intValue() {
    return (int) Math.min(value, Integer.MAX_VALUE - 8);
  }

  /**
   * Refuses a total that is over the limit.
   *
   * @param total what has been counted so far
   * @param where the image, layer, file or field that is too large
   * @throws Problem (CORRUPT) that names {@code where}, the limit, and how to raise it
   */
  public void check(long total, String where) {
    if (total > value) {
      throw exceeded(where);
    }
  }

  /**
   * Reads a stream to its end, which must come within the limit.
   *
   * @param where what is read, for the message
   * @throws Problem (CORRUPT) as {@link #check}
   */
  public byte[] read(InputStream in, String where) throws IOException {
    byte[] bytes = in.readNBytes(intValue());
    if (bytes.length == intValue() && in.read() >= 0) {
      throw exceeded(where);
    }
    return bytes;
  }

  /** The sentence for data that is over the limit. */
  public Problem exceeded(String where) {
    return Problem.corrupt(
        where + ": more than " + text(value) + " (" + what + "); if you trust it, " + remedy());
  }

  /** A limit that the memory sets is not to be raised without that. */
  private String remedy() {
    return this == TREE_BYTES && value >= ofHeap(Long.MAX_VALUE)
        ? moreMemory()
        : "raise the limit with --limit " + label() + "=N";
  }

  /** How the user of a command that has too little memory gives it more: an advice, in words. */
  public static String moreMemory() {
    long twice = Runtime.getRuntime().maxMemory() / MIB * 2;
    return "give the command more memory, such as SLIPWAY_HEAP=" + twice + "m";
  }

  /** The value in force as a person reads it: {@code 64 GiB}, {@code 1000000}. */
  public String text() {
    return text(value);
  }

  /**
   * Sets limits from a list such as {@code layer-bytes=128GiB,layer-entries=3000000}.
   *
   * @param list names and values, separated by commas
   * @param where what to blame in a message: an option or a variable
   * @throws Problem (USAGE) for an unknown name or a value that is no positive number
   */
  public static void set(String list, String where) {
    for (String item : list.split(",", -1)) {
      if (item.isBlank()) {
        continue;
      }
      int equals = item.indexOf('=');
      if (equals < 0) {
        throw Problem.usage(where + ": \"" + item + "\" is not NAME=VALUE");
      }
      named(item.substring(0, equals).strip(), where).value =
          parse(item.substring(equals + 1).strip(), where);
    }
  }

  private static Limit named(String label, String where) {
    for (Limit limit : values()) {
      if (limit.label().equals(label)) {
        return limit;
      }
    }
    StringBuilder known = new StringBuilder();
    for (Limit limit : values()) {
      known.append(known.isEmpty() ? "" : ", ").append(limit.label());
    }
    throw Problem.usage(where + ": unknown limit \"" + label + "\"; there are " + known);
  }

  private static long parse(String text, String where) {
    long number = ByteSize.parse(text).orElse(0);
    if (number > 0 && number < Long.MAX_VALUE) {
      return number;
    }
    throw Problem.usage(
        where + ": \"" + text + "\" is not a positive number, with K, M, G or T if you like");
  }

  private String text(long amount) {
    if (unit == Unit.COUNT) {
      return Long.toString(amount);
    }
    String[] names = {" bytes", " KiB", " MiB", " GiB", " TiB"};
    int i = 0;
    long shown = amount;
    while (i < names.length - 1 && shown >= 1024 && shown % 1024 == 0) {
      shown /= 1024;
      i++;
    }
    return shown + names[i];
  }
}
