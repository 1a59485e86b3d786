package slipway.build;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.Command;
import slipway.linux.OsPath;
import slipway.linux.Posix;
import slipway.linux.Stat;
import slipway.oci.Digest;
import slipway.oci.ProxyVariables;

/** What ADD fetches from elsewhere: a file by HTTP, or a git repository. */
final class Download {
  private static final Pattern GIT =
      Pattern.compile("(?:git://|ssh://|git@)[^#]+(?:#.*)?|https?://[^#?]+\\.git(?:#.*)?");
  private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{7,64}");
  private static final Duration CONNECT = Duration.ofSeconds(30);

  private final String address;
  private final Instruction.Copy copy;
  private final BuildSession session;
  private @Nullable Path path;

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
      Path directory = session.workspace.newDirectory("download");
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
    Path what = path().toRealPath();
    Path root = Files.isDirectory(what) ? what : what.getParent();
    return new CopySource(OsPath.of(root), IgnoreRules.NONE, false, address);
  }

  /** What was fetched, in {@link #source}. */
  CopySource.Item item() throws IOException {
    OsPath what = OsPath.of(path().toRealPath());
    Stat stat = Posix.lstat(what);
    OsPath inside = stat.isDirectory() ? OsPath.of("") : what.name();
    return new CopySource.Item(inside, inside, stat, 0);
  }

  private Path file(Path directory) throws IOException {
    URI uri;
    try {
      uri = new URI(address);
    } catch (URISyntaxException e) {
      throw at().problem("ADD: \"" + address + "\" is not an address");
    }
    Path file = directory.resolve(fileName(uri));
    try (HttpClient client = client()) {
      HttpRequest request =
          HttpRequest.newBuilder(uri)
              .header("User-Agent", "slipway")
              .timeout(Duration.ofMinutes(30))
              .build();
      HttpResponse<InputStream> response =
          client.send(request, HttpResponse.BodyHandlers.ofInputStream());
      try (InputStream body = response.body()) {
        if (response.statusCode() != 200) {
          throw at().problem("ADD: " + address + " answers with status " + response.statusCode());
        }
        save(body, response, file);
      }
    } catch (IOException | IllegalArgumentException e) {
      throw new Problem(
          Problem.Kind.UNAVAILABLE,
          at() + ": ADD: " + address + " cannot be fetched: " + reason(e),
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Problem(Problem.Kind.ENVIRONMENT, at() + ": ADD was interrupted", e);
    }
    check(file);
    return file;
  }

  private static String reason(Exception e) {
    String message = e.getMessage();
    return message == null ? "the connection failed" : message;
  }

  private HttpClient client() {
    return HttpClient.newBuilder()
        .followRedirects(HttpClient.Redirect.NORMAL)
        .connectTimeout(CONNECT)
        .proxy(new ProxyVariables(session.environment()))
        .build();
  }

  private void save(InputStream body, HttpResponse<?> response, Path file) throws IOException {
    long length = response.headers().firstValueAsLong("Content-Length").orElse(-1);
    try (Progress.Task task = session.progress.start("download " + file.getFileName(), length);
        InputStream counted = new CountedStream(body, task)) {
      Files.copy(counted, file);
    }
    OsPath path = OsPath.of(file);
    Posix.chmod(path, 0600);
    String modified = response.headers().firstValue("Last-Modified").orElse("");
    Posix.lutimens(path, modified(modified), 0);
  }

  /** The time of an HTTP date, or 0. */
  private static long modified(String date) {
    try {
      return ZonedDateTime.parse(date, DateTimeFormatter.RFC_1123_DATE_TIME).toEpochSecond();
    } catch (DateTimeParseException e) {
      return 0;
    }
  }

  private String fileName(URI uri) {
    String whole = uri.getPath() == null ? "" : uri.getPath();
    String name = whole.substring(whole.lastIndexOf('/') + 1);
    if (name.indexOf('\0') >= 0) {
      throw at().problem("ADD: the file name in " + address + " holds a NUL character");
    }
    if (name.isEmpty() || name.equals(".") || name.equals("..")) {
      if (copy.destination().endsWith("/")) {
        throw at().problem(
                "ADD: "
                    + address
                    + " has no file name; give one in the destination instead of "
                    + copy.destination());
      }
      return "download";
    }
    return name;
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

  private String git(Path directory, String... arguments) {
    try {
      return Command.of("git")
          .with(arguments)
          .directory(directory)
          .environment("GIT_TERMINAL_PROMPT", "0")
          .environment("GIT_CONFIG_GLOBAL", "/dev/null")
          .output();
    } catch (Problem e) {
      throw new Problem(
          Problem.Kind.UNAVAILABLE, at() + ": ADD: " + address + ": " + e.getMessage(), e);
    }
  }
}
