package slipway.system.selinux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.Metadata;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Stat;
import slipway.system.files.ImageFiles;
import slipway.tree.FileTree;
import slipway.tree.Node;

/**
 * Which label each file of an image has by the image's own policy (selabel_file(5)). Paths and
 * patterns are bytes, one character each. Safe for use by many threads.
 *
 * <p>Of all that match, the last line counts: those of {@code .local} stand behind those of {@code
 * .homedirs}, those behind the policy's own, and names without any wildcard behind all.
 */
public final class FileLabels {
  /** The extended attribute that holds a label. */
  public static final OsPath ATTRIBUTE = OsPath.of("security.selinux");

  private static final Pattern TYPE = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]*");
  private static final String NONE = "<<none>>";

  /** Lines of all files; Fedora's policy has some seven thousand. */
  private static final int MAX_LINES = 200_000;

  /** Characters of a label, of which the kernel takes no more than a page has (selinuxfs). */
  private static final int MAX_LABEL = 4095;

  /** Characters of all patterns; Fedora's policy has some half a million. */
  private static final int MAX_CHARACTERS = 2 << 20;

  /**
   * Lines tried and judged, and steps of matchers for all files, which is minutes; Fedora's policy
   * takes some ten thousand for a file.
   */
  private static final long MAX_STEPS = 100_000_000_000L;

  private final String name;

  /** Lines by the text that every path which they match begins with. */
  private final Map<String, List<Line>> byPrefix = new HashMap<>();

  private final List<Alias> local;
  private final List<Alias> distribution;
  private final AtomicLong steps;
  private int lines;
  private long characters;

  private record Alias(String path, String instead) {}

  private FileLabels(String name, List<Alias> local, List<Alias> distribution, long steps) {
    this.name = name;
    this.local = local;
    this.distribution = distribution;
    this.steps = new AtomicLong(steps);
    this.lines = local.size() + distribution.size();
    requireLines();
  }

  /**
   * Reads an image's policy.
   *
   * @return empty when SELinux is off there, or has no policy
   * @throws Problem of kind INPUT for a policy that cannot be
   */
  public static Optional<FileLabels> of(ImageFiles files) throws IOException {
    return of(files, MAX_STEPS);
  }

  /**
   * As {@link #of(ImageFiles)}.
   *
   * @param steps that all files may take
   */
  static Optional<FileLabels> of(ImageFiles files, long steps) throws IOException {
    String folder = files.node("etc/selinux") == null ? "usr/etc/selinux" : "etc/selinux";
    String type = null;
    boolean on = false;
    for (String line : files.text(folder + "/config").orElse("").lines().toList()) {
      if (line.startsWith("SELINUXTYPE=")) {
        type = line.substring(line.indexOf('=') + 1).strip();
      } else if (line.startsWith("SELINUX=")) {
        String value = line.substring(line.indexOf('=') + 1);
        on = startsWith(value, "enforcing") || startsWith(value, "permissive");
      }
    }
    if (!on || type == null) {
      return Optional.empty();
    }
    if (!TYPE.matcher(type).matches()) {
      throw Problem.input(
          "the image's /etc/selinux/config names the policy \""
              + Printable.text(type)
              + "\", which cannot be the name of a folder; correct SELINUXTYPE there");
    }
    String main = folder + "/" + type + "/contexts/files/file_contexts";
    Optional<String> text = text(files, main);
    if (text.isEmpty()) {
      return Optional.empty();
    }
    FileLabels labels =
        new FileLabels(
            type,
            aliases(text(files, main + ".subs")),
            aliases(text(files, main + ".subs_dist")),
            steps);
    labels.read(main, text.get());
    for (String more : List.of(main + ".homedirs", main + ".local")) {
      labels.read(more, text(files, more).orElse(""));
    }
    return Optional.of(labels);
  }

  private static boolean startsWith(String value, String word) {
    return value.regionMatches(true, 0, word, 0, word.length());
  }

  /** The policy's name, such as {@code targeted}. */
  public String name() {
    return name;
  }

  /**
   * The label of a file.
   *
   * @param path from the root, without a slash in front; empty for the root itself
   * @param type of the file, one of {@code Stat.S_IF*}
   * @return empty when the policy leaves it alone
   * @throws Problem of kind INPUT for a pattern of the policy that is none or takes too long
   */
  public Optional<String> label(OsPath path, int type) {
    String text = "/" + new String(path.bytes(), StandardCharsets.ISO_8859_1);
    // As libostree: what is mounted on /proc hides its own label from those who look.
    String key = aliased(text.equals("/proc") ? "/mnt" : text);
    Line best = null;
    Matching matching = new Matching(key, type);
    long left = steps.get();
    long used = local.size() + distribution.size();
    requireSteps(used, left);
    for (int end = 0; end <= key.length(); end++) {
      for (Line line : byPrefix.getOrDefault(key.substring(0, end), List.of())) {
        if ((best == null || line.rank() > best.rank()) && line.matches(matching)) {
          best = line;
        }
        requireSteps(used + matching.steps, left);
      }
    }
    steps.addAndGet(-used - matching.steps);
    return best == null || best.label.equals(NONE) ? Optional.empty() : Optional.of(best.label);
  }

  private static void requireSteps(long used, long left) {
    if (used > left) {
      throw Problem.input(
          "the image's SELinux policy takes too long for its files, which its patterns make"
              + " look at too often; take an image with a simpler one");
    }
  }

  /**
   * Looks for the labels of all files that a machine of an image gets, and changes nothing.
   *
   * @param image with the defaults of /etc in /usr/etc
   * @throws Problem as {@link #label}
   */
  public void require(FileTree image) throws IOException {
    image.walk(
        (path, node) -> {
          int type = node.metadata().type();
          label(path, type);
          if (path.startsWith("usr/etc/") || path.is("usr/etc")) {
            byte[] below = path.bytes();
            label(OsPath.ofBytes(Arrays.copyOfRange(below, "usr/".length(), below.length)), type);
          }
        });
  }

  /** The label of a file as the extended attribute that the kernel keeps it in. */
  public Optional<Metadata.Xattr> attribute(OsPath path, int type) {
    return label(path, type)
        .map(l -> new Metadata.Xattr(ATTRIBUTE, (l + "\0").getBytes(StandardCharsets.ISO_8859_1)));
  }

  /**
   * A file's metadata with the label that it should have.
   *
   * @return the very same object when that is so, or the policy leaves the file alone
   */
  public Metadata labelled(OsPath path, Metadata metadata) {
    Optional<Metadata.Xattr> label = attribute(path, metadata.type());
    return label.isEmpty() ? metadata : labelled(metadata, label);
  }

  /**
   * A file's metadata with this label, or with none.
   *
   * @return the very same object when that is so
   */
  public static Metadata labelled(Metadata metadata, Optional<Metadata.Xattr> label) {
    Optional<Metadata.Xattr> present =
        metadata.xattrs().stream().filter(x -> x.name().equals(ATTRIBUTE)).findFirst();
    if (present.equals(label)) {
      return metadata;
    }
    List<Metadata.Xattr> xattrs = new ArrayList<>(metadata.xattrs());
    xattrs.removeIf(x -> x.name().equals(ATTRIBUTE));
    label.ifPresent(xattrs::add);
    return metadata.withXattrs(xattrs);
  }

  /** A tree with the labels that its files should have; a hard link has that of its first name. */
  public FileTree labelled(FileTree tree) {
    return new FileTree(labelled(OsPath.of(""), tree.root(), new IdentityHashMap<>()));
  }

  private Node.Directory labelled(OsPath path, Node.Directory directory, Map<Node, Node> known) {
    TreeMap<OsPath, Node> children = new TreeMap<>();
    for (Map.Entry<OsPath, Node> child : directory.children().entrySet()) {
      OsPath where = path.resolve(child.getKey());
      Node node = child.getValue();
      Node made =
          node instanceof Node.Directory d
              ? labelled(where, d, known)
              : known.computeIfAbsent(node, n -> leaf(where, n));
      children.put(child.getKey(), made);
    }
    return new Node.Directory(
        labelled(path, directory.metadata()), children, directory.opaque(), directory.implied());
  }

  private Node leaf(OsPath path, Node node) {
    return switch (node) {
      case Node.File f -> new Node.File(labelled(path, f.metadata()), f.content());
      case Node.Symlink s -> new Node.Symlink(labelled(path, s.metadata()), s.target());
      case Node.Special s -> new Node.Special(labelled(path, s.metadata()), s.rdev());
      case Node.Directory d -> throw new AssertionError("handled before");
      case Node.Whiteout w -> w;
      case Node.LinkBelow l -> l;
    };
  }

  // ---- aliases ----

  private String aliased(String path) {
    return aliased(distribution, aliased(local, path));
  }

  /** The last alias counts, and only one. */
  private static String aliased(List<Alias> aliases, String path) {
    for (Alias alias : aliases.reversed()) {
      int length = alias.path.length();
      if (path.startsWith(alias.path) && (path.length() == length || path.charAt(length) == '/')) {
        String rest = path.substring(length);
        return alias.instead.equals("/") && !rest.isEmpty() ? rest : alias.instead + rest;
      }
    }
    return path;
  }

  private static List<Alias> aliases(Optional<String> text) {
    List<Alias> aliases = new ArrayList<>();
    for (String line : text.orElse("").lines().toList()) {
      String[] words = line.strip().split("\\s+");
      if (words.length >= 2 && !words[0].startsWith("#")) {
        aliases.add(new Alias(words[0], words[1]));
      }
    }
    return aliases;
  }

  // ---- lines ----

  private static Optional<String> text(ImageFiles files, String path) throws IOException {
    return files.bytes(path).map(b -> new String(b, StandardCharsets.ISO_8859_1));
  }

  private void read(String file, String text) {
    int number = 0;
    for (String line : text.lines().toList()) {
      number++;
      String[] words = line.strip().split("\\s+");
      if (words[0].isEmpty() || words[0].startsWith("#")) {
        continue;
      }
      lines++;
      characters += words[0].length();
      requireLines();
      String where = "line " + number + " of the image's /" + file;
      if (words.length != 2 && words.length != 3) {
        throw Problem.input(where + " is not PATTERN [-KIND] LABEL; correct it in the image");
      }
      int type = words.length == 3 ? type(words[1], where) : 0;
      if (words[words.length - 1].length() > MAX_LABEL) {
        throw Problem.input(where + " has a label of more than " + MAX_LABEL + " characters");
      }
      Line parsed = new Line(where, lines, words[0], type, words[words.length - 1]);
      byPrefix.computeIfAbsent(parsed.prefix, p -> new ArrayList<>()).add(parsed);
    }
  }

  private void requireLines() {
    if (lines > MAX_LINES) {
      throw Problem.input(
          "the image's SELinux policy has more than "
              + MAX_LINES
              + " lines; take an image with a smaller one");
    }
    if (characters > MAX_CHARACTERS) {
      throw Problem.input(
          "the image's SELinux policy has patterns of more than "
              + MAX_CHARACTERS
              + " characters; take an image with a smaller one");
    }
  }

  private static int type(String word, String where) {
    return switch (word) {
      case "--" -> Stat.S_IFREG;
      case "-d" -> Stat.S_IFDIR;
      case "-l" -> Stat.S_IFLNK;
      case "-c" -> Stat.S_IFCHR;
      case "-b" -> Stat.S_IFBLK;
      case "-p" -> Stat.S_IFIFO;
      case "-s" -> Stat.S_IFSOCK;
      default ->
          throw Problem.input(
              where
                  + " has the kind of file \""
                  + Printable.text(word)
                  + "\", which is none of -- -d -l -c -b -p -s; correct it in the image");
    };
  }

  /** A pattern with its label. */
  private static final class Line {
    /** Steps of a matcher that one match may take; honest ones need some hundred. */
    private static final int STEPS = 2_000_000;

    private final String where;
    private final int order;
    private final String pattern;
    private final int type;
    private final String label;

    /** What each path begins with that it matches; the whole of it when it is no pattern. */
    private final String prefix;

    private final boolean literal;
    private volatile @Nullable Pattern compiled;

    /** What {@link SilentWork} says, once it is compiled. */
    private volatile int silent = 1;

    Line(String where, int order, String pattern, int type, String label) {
      this.where = where;
      this.order = order;
      this.pattern = pattern;
      this.type = type;
      this.label = label;
      StringBuilder beginning = new StringBuilder();
      this.literal = beginning(pattern, beginning);
      this.prefix = beginning.toString();
    }

    /** A number that is higher the more the line counts. */
    long rank() {
      return literal ? (1L << 32) + order : order;
    }

    /**
     * Works out what all matches begin with.
     *
     * @return whether the pattern has no wildcards, so that this is all
     */
    private static boolean beginning(String pattern, StringBuilder into) {
      for (int i = 0; i < pattern.length(); i++) {
        char c = pattern.charAt(i);
        if (c == '\\' && i + 1 < pattern.length() && isPunctuation(pattern.charAt(i + 1))) {
          c = pattern.charAt(++i);
        } else if (".^$?*+|[({\\".indexOf(c) >= 0) {
          if ("?*{|".indexOf(c) >= 0 && !into.isEmpty()) {
            into.setLength(into.length() - 1); // It is of the character before.
          }
          if (hasAlternatives(pattern)) {
            into.setLength(0);
          }
          return false;
        }
        into.append(c);
      }
      return true;
    }

    private static boolean isPunctuation(char c) {
      return c < 0x80 && !Character.isLetterOrDigit(c);
    }

    /** Whether there are any outside of groups; of what is no pattern, whether it may be so. */
    private static boolean hasAlternatives(String pattern) {
      if (pattern.indexOf('|') < 0) {
        return false;
      }
      try {
        return PatternParser.parse(pattern).hasAlternatives();
      } catch (IllegalArgumentException e) {
        return true; // It is refused when it is tried.
      }
    }

    boolean matches(Matching file) {
      file.steps++;
      if (type != 0 && type != file.type) {
        return false;
      }
      if (literal) {
        return file.path.length() == prefix.length();
      }
      try {
        Pattern known = compiled(file);
        Bounded text = new Bounded(file.path, STEPS, silent);
        boolean matches = known.matcher(text).matches();
        file.steps += STEPS - text.left;
        return matches;
      } catch (IllegalArgumentException | StackOverflowError e) {
        String why = e instanceof StackOverflowError ? null : e.getMessage();
        throw new Problem(
            Problem.Kind.INPUT,
            where
                + " has a pattern that is none, is not taken here, or takes too long: \""
                + Printable.text(pattern)
                + "\""
                + (why == null ? "" : " (" + Printable.text(why) + ")")
                + "; take an image with a simpler one",
            e);
      }
    }

    private Pattern compiled(Matching file) {
      Pattern known = compiled;
      if (known == null) {
        LabelPattern parsed = PatternParser.parse(pattern);
        SilentWork.Judged judged = SilentWork.of(parsed);
        file.steps += pattern.length() + judged.visits();
        silent = judged.work();
        known = parsed.compiled();
        compiled = known;
      }
      return known;
    }
  }

  /** A file that lines are tried on. */
  private static final class Matching {
    private final String path;
    private final int type;

    /** Lines tried and judged, and steps of matchers. */
    private long steps;

    Matching(String path, int type) {
      this.path = path;
      this.type = type;
    }
  }

  /** A path that can be read only so often: patterns of strangers could take years. */
  private static final class Bounded implements CharSequence {
    private final String text;
    private final int each;
    private int left;

    /**
     * @param each what one reading takes of the steps
     */
    Bounded(String text, int steps, int each) {
      this.text = text;
      this.left = steps;
      this.each = each;
    }

    @Override
    public int length() {
      return text.length();
    }

    @Override
    public char charAt(int index) {
      left -= each;
      if (left < 0) {
        throw new IllegalArgumentException("too many steps");
      }
      return text.charAt(index);
    }

    @Override
    public CharSequence subSequence(int start, int end) {
      return text.subSequence(start, end);
    }

    @Override
    public String toString() {
      return text;
    }
  }
}
