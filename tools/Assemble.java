import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassFileVersion;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassTransform;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/**
 * Puts the built product together: {@code java tools/Assemble.java BUILT DIST [RUNTIME]}. Copies the jars of {@code BUILT}, which is
 * Maven's {@code cli/target} or another DIST, and of {@code BUILT/lib} to {@code DIST/lib}, writes the JVM's argument files and what
 * is made of the table of commands (manual pages, completion, the launcher's script), and trains the AOT caches with the Java
 * runtime that will use them: RUNTIME, or else the one that runs this.
 *
 * <p>Some jars change on the way. Classes older than what the AOT cache takes (picocli ships Java 5 class files) get the JDK's own
 * class file version; the native library for this platform goes beside the jars, so that it is loaded from there and need not be
 * unpacked where nothing may be executed, and those for others are left out; and no jar stays sealed, because the JVM takes a
 * package that comes from a cache whose folder was moved for one of another jar. All jars get one modification time, the variable
 * SOURCE_DATE_EPOCH or else 0, because a JVM compares it with what its cache was trained with.
 */
final class Assemble {
  private static final int NEWEST = ClassFile.latestMajorVersion();

  private static final String DIRECTIVES = "compiler-directives.json";

  /** Below this, class files hold old verification data that the AOT cache leaves out. */
  private static final int TAKEN = ClassFile.JAVA_8_VERSION;

  /** zstd-jni carries a library for each platform in a folder of its own at the root of the jar. */
  private static final Pattern NATIVE_ENTRY = Pattern.compile("(aix|darwin|freebsd|linux|win)/[^/]+/.*[^/]");

  /**
   * The classes that zstd-jni has for newer versions of Java call the library by handles. The JVM makes some three hundred classes
   * for those in each run, at first use: 0.3 s of processor time in a command of two. Those that call by JNI do the same without.
   */
  private static final String VERSIONS = "META-INF/versions/";

  /** Where the one native library lies, in {@code lib}. */
  private static final String NATIVE = "libzstd-jni.so";

  private static Path runtime = Path.of(System.getProperty("java.home"));

  public static void main(String[] args) throws Exception {
    if (args.length > 2) {
      runtime = Path.of(args[2]).toAbsolutePath();
    }
    Path target = Path.of(args[0]).toAbsolutePath();
    Path dist = Path.of(args[1]).toAbsolutePath();
    Path lib = Files.createDirectories(dist.resolve("lib"));
    Instant time =
        Instant.ofEpochSecond(Long.parseLong(System.getenv().getOrDefault("SOURCE_DATE_EPOCH", "0")));
    List<Path> jars = new ArrayList<>();
    try (Stream<Path> own = Files.list(target);
        Stream<Path> others = Files.list(target.resolve("lib"))) {
      Stream.concat(own, others)
          .filter(p -> p.toString().endsWith(".jar"))
          .sorted(Comparator.comparing(Assemble::place))
          .forEach(jars::add);
    }
    List<String> classPath = new ArrayList<>();
    for (Path jar : jars) {
      Path copy = lib.resolve(jar.getFileName().toString());
      rewrite(jar, copy);
      Files.setLastModifiedTime(copy, FileTime.from(time));
      classPath.add(copy.toString());
    }
    Path nativeLibrary = lib.resolve(NATIVE);
    if (!Files.exists(nativeLibrary)) {
      // What is made of another DIST.
      Files.copy(target.resolve("lib").resolve(NATIVE), nativeLibrary);
    }
    // The JVM's warnings, such as of a cache that it cannot use because a jar was copied, help no user.
    String common =
        """
        -XX:+UseSerialGC
        -XX:-UsePerfData
        -Xss1m
        -Xlog:disable
        -Xlog:all=error,aot*=off,cds*=off:stderr
        --enable-native-access=ALL-UNNAMED
        -Djdk.httpclient.bufsize=131072
        -DZstdNativePath="%s"
        -cp
        "%s"
        """
            .formatted(nativeLibrary, String.join(":", classPath));
    run(dist, common, "internals", "documents", dist.toString());
    // C1 alone starts quickest but loses the SHA intrinsics, so only verbs that hash nothing use it. Their cache holds what they
    // need and no more, because all of it is mapped.
    String quick = cached(dist, "quick", "-XX:TieredStopAtLevel=1\n" + common);
    Files.writeString(dist.resolve("quick.args"), "-Xmx64m\n" + quick);
    // The compilers do not go by the training: what they do early because of it does not pay in a command of some seconds.
    String run = cached(dist, "run", "-XX:+UnlockDiagnosticVMOptions\n-XX:-AOTReplayTraining\n" + common);
    // A server stays: its memory is bounded, and what it does not need is not taken. SLIPWAY_HEAP raises the first bound.
    Files.writeString(dist.resolve("serve.args"), "-Xms32m\n-Xmx320m\n-XX:MaxDirectMemorySize=64m\n" + run);
    Files.write(dist.resolve(DIRECTIVES), directives(lib));
    String directed = "-XX:-DisplayVMOutput\n-XX:CompilerDirectivesFile=\"" + dist.resolve(DIRECTIVES) + "\"\n";
    // With more room for what is new all of it is touched before anything is used again, for nothing.
    Files.writeString(dist.resolve("run.args"), "-Xmx2g\n-Xmn32m\n" + run.replace(common, directed + common));
  }

  /** Trains a cache for these arguments; gives the arguments that use it. */
  private static String cached(Path dist, String kind, String arguments) throws IOException, InterruptedException {
    Path cache = dist.resolve(kind + ".aot");
    run(dist, "-XX:AOTCacheOutput=" + cache + "\n" + arguments, "internals", "aot-training", kind);
    if (!Files.exists(cache)) {
      throw new IOException("training the AOT cache of the " + kind + " commands made none");
    }
    return "-XX:AOTCache=\"" + cache + "\"\n" + arguments;
  }

  /**
   * Lets the second compiler at the JDK's digests only. A command of some seconds does not get back what that compiler takes for
   * anything else (a third of the processor time of an import), but without it the digests lack the processor's SHA instructions.
   * The same text goes to machines with their agent.
   */
  private static byte[] directives(Path lib) throws IOException {
    try (Stream<Path> jars = Files.list(lib)) {
      Path distro =
          jars.filter(p -> p.getFileName().toString().startsWith("slipway-distro-")).findFirst().orElseThrow();
      try (ZipFile zip = new ZipFile(distro.toFile())) {
        return zip.getInputStream(zip.getEntry("slipway/distro/base/" + DIRECTIVES)).readAllBytes();
      }
    }
  }

  /** The command line's jar comes first: the class loader opens jars one after the other until it finds what it looks for. */
  private static String place(Path jar) {
    String name = jar.getFileName().toString();
    return (name.startsWith("slipway-cli-") ? "0" : "1") + name;
  }

  /** Runs a command of the product with these arguments for the JVM. */
  private static void run(Path dist, String arguments, String... command) throws IOException, InterruptedException {
    Path file = dist.resolve("once.args");
    Files.writeString(file, arguments);
    List<String> line = new ArrayList<>();
    line.add(runtime.resolve("bin/java").toString());
    line.add("@" + file);
    line.add("slipway.cli.Main");
    line.addAll(List.of(command));
    Process process = new ProcessBuilder(line).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IOException(String.join(" ", command) + " failed: " + output);
    }
    Files.delete(file);
  }

  /** Copies a jar, changed as said above; a native library for this platform goes beside it. */
  private static void rewrite(Path from, Path to) throws IOException {
    List<ZipEntry> entries = new ArrayList<>();
    boolean changed = false;
    try (ZipFile zip = new ZipFile(from.toFile())) {
      boolean zstd = zip.stream().anyMatch(entry -> NATIVE_ENTRY.matcher(entry.getName()).matches());
      for (ZipEntry entry : zip.stream().map(ZipEntry.class::cast).toList()) {
        if (zstd && entry.getName().startsWith(VERSIONS)) {
          changed = true;
        } else if (NATIVE_ENTRY.matcher(entry.getName()).matches()) {
          changed = true;
          if (entry.getName().startsWith("linux/" + System.getProperty("os.arch") + "/")) {
            Files.copy(zip.getInputStream(entry), to.resolveSibling(NATIVE));
          }
        } else {
          entries.add(entry);
          changed |= entry.getName().endsWith(".class") && old(zip, entry);
          changed |= entry.getName().equals(JarFile.MANIFEST_NAME) && sealed(zip, entry);
        }
      }
      if (!changed) {
        Files.copy(from, to, StandardCopyOption.REPLACE_EXISTING);
        return;
      }
      try (OutputStream out = Files.newOutputStream(to);
          ZipOutputStream copy = new ZipOutputStream(out);
          URLClassLoader siblings = new URLClassLoader(new URL[] {from.toUri().toURL()})) {
        for (ZipEntry entry : entries) {
          ZipEntry same = new ZipEntry(entry.getName());
          same.setTime(0);
          copy.putNextEntry(same);
          byte[] bytes = zip.getInputStream(entry).readAllBytes();
          if (entry.getName().equals(JarFile.MANIFEST_NAME)) {
            unsealed(bytes).write(copy);
          } else {
            copy.write(entry.getName().endsWith(".class") ? upgraded(bytes, siblings) : bytes);
          }
          copy.closeEntry();
        }
      }
    }
  }

  private static boolean old(ZipFile zip, ZipEntry entry) throws IOException {
    return major(zip.getInputStream(entry).readNBytes(8)) < TAKEN && !entry.getName().startsWith("META-INF/");
  }

  private static boolean sealed(ZipFile zip, ZipEntry entry) throws IOException {
    return new Manifest(zip.getInputStream(entry)).getMainAttributes().containsKey(Attributes.Name.SEALED);
  }

  private static Manifest unsealed(byte[] bytes) throws IOException {
    Manifest manifest = new Manifest(new ByteArrayInputStream(bytes));
    manifest.getMainAttributes().remove(Attributes.Name.SEALED);
    return manifest;
  }

  private static int major(byte[] head) {
    return (head[6] & 0xff) << 8 | head[7] & 0xff;
  }

  private static byte[] upgraded(byte[] bytes, ClassLoader siblings) {
    if (major(bytes) >= TAKEN) {
      return bytes;
    }
    ClassFile classFile =
        ClassFile.of(
            ClassFile.StackMapsOption.GENERATE_STACK_MAPS,
            ClassFile.ConstantPoolSharingOption.NEW_POOL,
            ClassFile.ClassHierarchyResolverOption.of(
                ClassHierarchyResolver.ofResourceParsing(siblings)
                    .orElse(ClassHierarchyResolver.defaultResolver())));
    var model = classFile.parse(bytes);
    if (model.thisClass().asInternalName().equals("module-info")) {
      return bytes;
    }
    // Handing on each instruction one by one makes the writer lay out the method anew, with stack maps.
    ClassTransform bodies = ClassTransform.transformingMethodBodies((code, element) -> code.with(element));
    ClassTransform version =
        (builder, element) -> {
          if (element instanceof ClassFileVersion) {
            builder.withVersion(NEWEST, 0);
          } else {
            builder.with(element);
          }
        };
    return classFile.transformClass(model, bodies.andThen(version));
  }

  private Assemble() {}
}
