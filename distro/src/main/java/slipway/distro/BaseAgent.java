package slipway.distro;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.process.Command;

/**
 * Puts the host agent into an image's tree: {@code /usr/lib/slipway} with the jars that a machine
 * needs, a Java runtime with no more modules than they use, the JVM's ahead-of-time caches, and
 * {@code /usr/bin/bootc} that starts it; the agent's units too.
 *
 * <p>The caches are trained inside the tree, by the runtime that ships, at the final paths. They
 * are not reproducible, so what was made for the same jars and the same JDK is kept and used again.
 */
final class BaseAgent {
  /** Where the agent lives, from the root. */
  static final String HOME = ProductHome.PLACE;

  /** What {@code ostree container} runs. */
  private static final String EXTENSION = "usr/libexec/libostree/ext/ostree-container";

  /** Counts up when what is made of the same jars changes. */
  private static final String RECIPE = "7";

  /** The modules of the JDK that the agent's classes use. */
  private static final List<String> MODULES =
      List.of(
          "java.base",
          "java.logging",
          "java.naming",
          "java.net.http",
          "java.xml",
          "jdk.unsupported");

  /** In the host's jar: Maven's list of what it needs while it runs. */
  private static final String HOST_JARS = "slipway/host/jars.txt";

  /** Group, name, type, version and scope of a jar. */
  private static final Pattern HOST_JAR =
      Pattern.compile("(?m)^ +[^:\\s]+:([^:\\s]+):jar:([^:\\s]+):(?:compile|runtime)\\b");

  private static final Pattern UNIT =
      Pattern.compile("units/((?:[A-Za-z0-9@_.-]+\\.d/)?[A-Za-z0-9@_-][A-Za-z0-9@_.-]*)");

  private final Path root;
  private final List<Path> jars;
  private final ProductHome home;
  private final Path jdk;
  private final Path cache;
  private final Progress progress;

  private BaseAgent(Path root, Path product, Path jdk, Path cache, Progress progress)
      throws IOException {
    this.root = root;
    this.jars = hostJars(product);
    this.home = new ProductHome(product, jars, MODULES, jdk);
    this.jdk = jdk;
    this.cache = cache;
    this.progress = progress;
  }

  /**
   * Installs the agent.
   *
   * @param root the image's tree, in which Debian's libraries are already
   * @param product folder of the product's jars
   * @param jdk the JDK that the runtime is cut from
   * @param cache folder in which finished agents are kept
   */
  static void install(Path root, Path product, Path jdk, Path cache, Progress progress)
      throws IOException {
    new BaseAgent(root, product, jdk, cache, progress).install();
  }

  /**
   * What an agent of these jars and this JDK is known by: the same inputs have the same key.
   *
   * @param product folder of the product's jars
   */
  static String key(Path product, Path jdk) throws IOException {
    return new BaseAgent(product, product, jdk, product, Progress.NONE).key();
  }

  /**
   * The product's jars that go to machines: the command line, what trains its start-up, the host,
   * and what that needs by the list in its jar. Servers and builders stay off them.
   *
   * @throws Problem of kind ENVIRONMENT when one is missing
   */
  static List<Path> hostJars(Path product) throws IOException {
    Path host = jar(product, "slipway-host-[0-9].*");
    List<Path> jars =
        new ArrayList<>(
            List.of(
                host,
                jar(product, "slipway-cli-[0-9].*"),
                jar(product, "slipway-startup-[0-9].*"),
                jar(product, "picocli-[0-9].*")));
    try (JarFile zip = new JarFile(host.toFile())) {
      JarEntry list = zip.getJarEntry(HOST_JARS);
      if (list == null) {
        throw Problem.environment(host + " does not list what the agent needs; build it anew");
      }
      Matcher line = HOST_JAR.matcher(new String(zip.getInputStream(list).readAllBytes(), UTF_8));
      while (line.find()) {
        jars.add(jar(product, Pattern.quote(line.group(1) + "-" + line.group(2))));
      }
    }
    jars.sort(null);
    return jars;
  }

  /** The one jar of that name, a pattern. */
  private static Path jar(Path product, String name) throws IOException {
    Pattern file = Pattern.compile(name + "\\.jar");
    try (Stream<Path> files = Files.list(product)) {
      return files
          .filter(p -> file.matcher(p.getFileName().toString()).matches())
          .findFirst()
          .orElseThrow(
              () ->
                  Problem.environment(
                      product
                          + " has no jar "
                          + name.replace("\\Q", "").replace("\\E", "")
                          + "; it is not the product's folder of jars"));
    }
  }

  private void install() throws IOException {
    Path kept = cache.resolve(key());
    Path place = root.resolve(HOME);
    Files.createDirectories(Objects.requireNonNull(place.getParent()));
    if (Files.isDirectory(kept)) {
      copy(kept, place);
    } else {
      Path made = cache.resolve("new");
      Posix.removeTree(OsPath.of(made));
      make(made);
      copy(made, place);
      for (String kind : List.of("quick", "run")) {
        train(kind);
        Files.copy(place.resolve(kind + ".aot"), made.resolve(kind + ".aot"));
      }
      forgetOthers();
      Files.move(made, kept);
    }
    Files.write(place.resolve("environment.sh"), BaseImage.resource("environment.sh"));
    Files.write(root.resolve("usr/bin/bootc"), BaseImage.resource("bootc"));
    Files.setPosixFilePermissions(
        root.resolve("usr/bin/bootc"),
        java.nio.file.attribute.PosixFilePermissions.fromString("rwxr-xr-x"));
    Files.deleteIfExists(root.resolve("usr/bin/rpm-ostree"));
    Files.createSymbolicLink(root.resolve("usr/bin/rpm-ostree"), Path.of("bootc"));
    Path extension = root.resolve(EXTENSION);
    Files.createDirectories(Objects.requireNonNull(extension.getParent()));
    Files.deleteIfExists(extension);
    Files.createSymbolicLink(extension, Path.of("../../../bin/bootc"));
    units();
  }

  private static void copy(Path from, Path to) {
    Command.of("cp", "-a", "--reflink=auto", from.toString(), to.toString()).run();
  }

  /** Jars, runtime and argument files; all but the cache. */
  private void make(Path made) throws IOException {
    home.put(made, progress);
    Files.writeString(
        made.resolve("quick.args"),
        cached("quick") + "-XX:TieredStopAtLevel=1\n-Xmx64m\n" + arguments());
    Files.writeString(made.resolve("run.args"), cached("run") + runOptions() + arguments());
  }

  /**
   * What the JVM is told for verbs that work. With all of both compilers an upgrade by one small
   * layer takes half as much processor time again; with room for 100 MB of what is new in the heap,
   * all of it is touched before anything is used again, which takes memory and time for nothing.
   */
  static String runOptions() {
    return "-Xmx512m\n-Xmn16m\n" + ProductHome.WORKING;
  }

  private static String cached(String kind) {
    return "-XX:AOTCache=/" + HOME + "/" + kind + ".aot\n";
  }

  private String arguments() {
    return home.arguments() + "-Dslipway.name=bootc\n";
  }

  /** Short verbs and long ones have a cache each: all of a cache is mapped. */
  private void train(String kind) {
    progress.note("training the JVM's ahead-of-time cache for " + kind + " verbs");
    BaseImage.inNamespace(
            "train.sh", root.toString(), "/" + HOME + "/runtime/bin/java", "/" + HOME, kind)
        .run();
    if (!Files.isRegularFile(root.resolve(HOME).resolve(kind + ".aot"))) {
      throw Problem.environment("the JVM made no ahead-of-time cache for the host agent");
    }
  }

  /** The units stand in the host's jar, beside the code that they call. */
  private void units() throws IOException {
    Path folder = root.resolve("usr/lib/systemd/system");
    for (Path jar : jars) {
      if (!jar.getFileName().toString().startsWith("slipway-host-")) {
        continue;
      }
      try (JarFile zip = new JarFile(jar.toFile())) {
        for (JarEntry entry : zip.stream().toList()) {
          var name = UNIT.matcher(entry.getName());
          if (name.matches() && !name.group(1).endsWith(".d")) {
            Path target = folder.resolve(name.group(1));
            Files.createDirectories(Objects.requireNonNull(target.getParent()));
            try (InputStream in = zip.getInputStream(entry)) {
              Files.copy(in, target, StandardCopyOption.REPLACE_EXISTING);
            }
          }
        }
      }
    }
  }

  private void forgetOthers() throws IOException {
    List<Path> others = new ArrayList<>();
    try (Stream<Path> entries = Files.list(cache)) {
      entries.filter(p -> !p.endsWith("new")).forEach(others::add);
    }
    for (Path other : others) {
      Posix.removeTree(OsPath.of(other));
    }
  }

  private String key() throws IOException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update((RECIPE + MODULES + runOptions() + arguments()).getBytes(UTF_8));
      digest.update(BaseImage.resource(ProductHome.DIRECTIVES));
      digest.update(BaseImage.resource("bootc"));
      digest.update(BaseImage.resource("environment.sh"));
      digest.update(Files.readAllBytes(jdk.resolve("release")));
      for (Path jar : jars) {
        try (InputStream in = new DigestInputStream(Files.newInputStream(jar), digest)) {
          in.transferTo(java.io.OutputStream.nullOutputStream());
        }
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }
}
