package slipway.builder.copy;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import slipway.base.CountedInput;
import slipway.base.Limit;
import slipway.base.Position;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.builder.files.ContentDigest;
import slipway.builder.files.CopySource;
import slipway.builder.files.IgnoreRules;
import slipway.builder.language.Instruction;
import slipway.builder.session.BuildSession;
import slipway.linux.posix.InRoot;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.linux.process.Command;
import slipway.oci.model.Digest;
import slipway.oci.registry.SpeedFloor;
import slipway.oci.registry.WebFile;

/** What ADD fetches from elsewhere: a file by HTTP, or a git repository. */
final class Download {
  private static final Pattern GIT =
      Pattern.compile("(?:git://|ssh://|git@)[^#]+(?:#.*)?|https?://[^#?]+\\.git(?:#.*)?");
  private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{7,64}");

  /** A server packs for some minutes before it sends, so git waits longer than others do. */
  private static final int GIT_WINDOWS = 5;

  private final String address;
  private final Instruction.Copy copy;
  private final BuildSession session;
  private @Nullable Path path;
  private String name = "";

  Download(String address, Instruction.Copy copy, BuildSession session) {
    this.address = address;
    this.copy = copy;
    this.session = session;
  }

  /** Whether a source of ADD is an address. */
  static boolean isRemote(String source) {
    String lower = source.toLowerCase(Locale.ROOT);
    return lower.startsWith("http://")
        || lower.startsWith("https://")
        || GIT.matcher(source).matches();
  }

  String address() {
    return address;
  }

  private Position at() {
    return copy.at();
  }

  /** The file, or the directory of a repository; fetched when first asked for. */
  Path path() throws IOException {
    if (path == null) {
      Path directory = session.workspace().newDirectory("download");
      path = GIT.matcher(address).matches() ? repository(directory) : file(directory);
    }
    return path;
  }

  /** The digest of what was fetched. */
  String digest() throws IOException {
    ContentDigest digest = new ContentDigest();
    digest.add(source(), item(), IgnoreRules.NONE);
    return digest.hex();
  }

  /** The tree that was fetched, or the directory of the one file. */
  CopySource source() throws IOException {
    OsPath what = OsPath.of(path().toRealPath());
    OsPath root = Posix.lstat(what).isDirectory() ? what : Objects.requireNonNull(what.parent());
    return new CopySource(root, IgnoreRules.NONE, false, address);
  }

  /** What was fetched, in {@link #source}. */
  CopySource.Item item() throws IOException {
    OsPath what = OsPath.of(path().toRealPath());
    Stat stat = Posix.lstat(what);
    return stat.isDirectory()
        ? new CopySource.Item(OsPath.of(""), OsPath.of(""), stat, 0)
        : new CopySource.Item(what.name(), OsPath.of(name), stat, 0);
  }

  /** Fetches under a name of ours; the one in the image is {@link #name}. */
  private Path file(Path directory) throws IOException {
    URI uri;
    try {
      uri = new URI(address);
    } catch (URISyntaxException e) {
      throw at().problem("ADD: \"" + address + "\" is not an address");
    }
    if (uri.getHost() == null) {
      throw at().problem("ADD: \"" + address + "\" has no host");
    }
    if (String.valueOf(uri.getPath()).indexOf('\0') >= 0) {
      throw at().problem("ADD: the path in " + address + " holds a NUL character");
    }
    Path file = directory.resolve("file");
    try (WebFile web = WebFile.open(uri, session.web())) {
      name = fileName(uri, web.header("Content-Disposition").orElse(""));
      save(web, file);
    } catch (Problem e) {
      throw new Problem(e.kind(), at() + ": ADD: " + e.getMessage(), e);
    } catch (IOException e) {
      throw new Problem(
          Problem.Kind.UNAVAILABLE,
          at() + ": ADD: " + address + " cannot be fetched: " + reason(e),
          e);
    }
    check(file);
    return file;
  }

  private static String reason(Exception e) {
    String message = e.getMessage();
    return message == null ? "the connection failed" : Printable.text(message);
  }

  private void save(WebFile web, Path file) throws IOException {
    long length = web.length().orElse(-1);
    Limit.DOWNLOAD_BYTES.check(length, address);
    try (Progress.Task task = session.progress().start("download " + name, length);
        InputStream body = new CountedInput(web.body(), task::advance);
        OutputStream out = Files.newOutputStream(file, StandardOpenOption.CREATE_NEW)) {
      byte[] buffer = new byte[256 * 1024];
      long total = 0;
      for (int n; (n = body.read(buffer)) >= 0; ) {
        total += n;
        Limit.DOWNLOAD_BYTES.check(total, address);
        out.write(buffer, 0, n);
      }
    }
    OsPath path = OsPath.of(file);
    Posix.chmod(path, 0600);
    Posix.lutimens(path, modified(web.header("Last-Modified").orElse("")), 0);
  }

  /** The time of an HTTP date, or 0. */
  private static long modified(String date) {
    try {
      return ZonedDateTime.parse(date, DateTimeFormatter.RFC_1123_DATE_TIME).toEpochSecond();
    } catch (DateTimeParseException e) {
      return 0;
    }
  }

  /**
   * The name that the file gets in a directory: the address's last name; else what the server calls
   * it (RFC 6266).
   */
  private String fileName(URI uri, String disposition) {
    String path = uri.getPath() == null ? "" : uri.getPath();
    String name = path.substring(path.lastIndexOf('/') + 1);
    if (name.isEmpty() || name.equals(".") || name.equals("..")) {
      name = ContentDisposition.fileName(disposition).orElse("");
    }
    if (name.isEmpty() && copy.destination().endsWith("/")) {
      throw at().problem(
              "ADD: "
                  + address
                  + " has no file name; give one in the destination instead of "
                  + copy.destination());
    }
    return name.isEmpty() ? "download" : name;
  }

  private void check(Path file) throws IOException {
    String wanted = copy.flags().checksum();
    if (wanted == null) {
      return;
    }
    Digest digest = Digest.parse(wanted);
    if (digest.algorithm() != Digest.Algorithm.SHA256) {
      throw at().problem("ADD: --checksum takes sha256:HEX");
    }
    Digest actual = ContentDigest.ofFile(file);
    if (!actual.equals(digest)) {
      throw new Problem(
          Problem.Kind.CORRUPT,
          at() + ": ADD: " + address + " has the checksum " + actual + ", not " + digest);
    }
  }

  /** Fetches one commit with git; {@code #REF:SUBDIRECTORY} chooses. */
  private Path repository(Path directory) throws IOException {
    int hash = address.indexOf('#');
    String remote = hash < 0 ? address : address.substring(0, hash);
    String[] fragment = (hash < 0 ? "" : address.substring(hash + 1)).split(":", 2);
    String ref = fragment[0].isEmpty() ? "HEAD" : fragment[0];
    if (ref.startsWith("-") || remote.startsWith("-")) {
      throw at().problem("ADD: \"" + address + "\" is not a repository");
    }
    git(directory, "init", "--quiet");
    if (COMMIT.matcher(ref).matches() && ref.length() < 40) {
      git(directory, "fetch", "--quiet", "--tags", remote, "+refs/heads/*:refs/remotes/o/*");
      git(directory, "checkout", "--quiet", "--detach", ref);
    } else {
      git(directory, "fetch", "--quiet", "--depth=1", remote, ref);
      git(directory, "checkout", "--quiet", "--detach", "FETCH_HEAD");
    }
    checkCommit(git(directory, "rev-parse", "HEAD"));
    if (!copy.flags().keepGitDirectory()) {
      Posix.removeTree(OsPath.of(directory.resolve(".git")));
    }
    String subdirectory = fragment.length > 1 ? fragment[1] : "";
    OsPath root = OsPath.of(directory.toRealPath());
    return InRoot.resolve(root, InRoot.clean(subdirectory))
        .map(OsPath::toPath)
        .filter(Files::isDirectory)
        .orElseThrow(() -> at().problem("ADD: " + remote + " has no directory " + subdirectory));
  }

  private void checkCommit(String commit) {
    String wanted = copy.flags().checksum();
    if (wanted != null && !commit.startsWith(wanted.toLowerCase(Locale.ROOT))) {
      throw new Problem(
          Problem.Kind.CORRUPT,
          at() + ": ADD: " + address + " is commit " + commit + ", not " + wanted);
    }
  }

  /** git itself watches how fast HTTP is only; all of what it does has a limit. */
  private String git(Path directory, String... arguments) {
    Duration limit = Duration.ofSeconds(Limit.GIT_SECONDS.intValue());
    long window = Math.max(1, session.web().stall().multipliedBy(GIT_WINDOWS).toSeconds());
    long start = System.nanoTime();
    try {
      return Command.of("git")
          .with(arguments)
          .directory(directory)
          .environment("GIT_TERMINAL_PROMPT", "0")
          .environment("GIT_CONFIG_GLOBAL", "/dev/null")
          .environment("GIT_CONFIG_NOSYSTEM", "1")
          .environment("GIT_ALLOW_PROTOCOL", "http:https:git:ssh")
          .environment("GIT_HTTP_LOW_SPEED_LIMIT", Integer.toString(SpeedFloor.BYTES_A_SECOND))
          .environment("GIT_HTTP_LOW_SPEED_TIME", Long.toString(window))
          .timeout(limit)
          .output();
    } catch (Problem e) {
      String where = at() + ": ADD: " + address;
      if (System.nanoTime() - start >= limit.toNanos()) {
        throw Limit.GIT_SECONDS.exceeded(where);
      }
      throw new Problem(Problem.Kind.UNAVAILABLE, where + ": " + e.getMessage(), e);
    }
  }
}
