package slipway.distro;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.process.Command;

/**
 * The product in an image, {@code /usr/lib/slipway}: jars, and a Java runtime with no more modules
 * than they use.
 *
 * @param product folder of the product's jars
 * @param jars those of them that go there
 * @param modules of the JDK that their classes use
 * @param jdk that the runtime is cut from
 */
record ProductHome(Path product, List<Path> jars, List<String> modules, Path jdk) {
  /** From the root of the image. */
  static final String PLACE = "usr/lib/slipway";

  /** What the second compiler looks at: the JDK's digests, which lack instructions without it. */
  static final String DIRECTIVES = "compiler-directives.json";

  /**
   * What the JVM is told for verbs that work. The compilers do not go by the training: what they do
   * early because of it does not pay in a command of some seconds.
   */
  static final String WORKING =
      """
      -XX:+UnlockDiagnosticVMOptions
      -XX:-AOTReplayTraining
      -XX:-DisplayVMOutput
      -XX:CompilerDirectivesFile=/%s/%s
      """
          .formatted(PLACE, DIRECTIVES);

  /** The native part of zstd-jni, which a product that is put together has beside its jars. */
  private static final String ZSTD = "libzstd-jni.so";

  /**
   * Makes it.
   *
   * @param home a folder that is not there yet
   */
  void put(Path home, Progress progress) throws IOException {
    Path lib = Files.createDirectories(home.resolve("lib"));
    for (Path jar : jars) {
      Path copy = lib.resolve(jar.getFileName().toString());
      Files.copy(jar, copy, StandardCopyOption.REPLACE_EXISTING);
      // The JVM compares times with those of the training; files of a deployment have time 0.
      Files.setLastModifiedTime(copy, FileTime.fromMillis(0));
    }
    Path library = product.resolve(ZSTD);
    if (!Files.isRegularFile(library)) {
      throw Problem.environment(
          "Slipway in an image needs " + library + ", which is missing; build Slipway again");
    }
    Files.copy(library, lib.resolve(ZSTD), StandardCopyOption.REPLACE_EXISTING);
    runtime(home.resolve("runtime"), progress);
    Files.write(home.resolve(DIRECTIVES), BaseImage.resource(DIRECTIVES));
  }

  /** An installed product runs on a runtime that is cut already: it goes into images, too. */
  private void runtime(Path made, Progress progress) throws IOException {
    Path linker = jdk.resolve("bin/jlink");
    if (!Files.isExecutable(linker)) {
      // Whoever unpacked the product may own it; on a machine root runs this.
      Command.of("cp", "-R", "--no-dereference", "--preserve=mode,timestamps,links")
          .with("--reflink=auto", jdk.toString(), made.toString())
          .run();
      Command.of("chmod", "-R", "u=rwX,go=rX", made.toString()).run();
      return;
    }
    progress.note("cutting the Java runtime");
    Command.of(linker.toString(), "--add-modules", String.join(",", modules))
        .with("--strip-debug", "--no-man-pages", "--no-header-files", "--generate-cds-archive")
        .with("--output", made.toString())
        .run();
    try (Stream<Path> archives = Files.list(made.resolve("lib/server"))) {
      // Archives for object layouts that the agent never runs with.
      for (Path archive :
          archives.filter(p -> p.toString().matches(".*_(nocoops|coh)\\.jsa")).toList()) {
        Files.delete(archive);
      }
    }
  }

  /** Options of the JVM, one a line; the class path is the last. */
  String arguments() {
    String classPath =
        jars.stream()
            .map(jar -> "/" + PLACE + "/lib/" + jar.getFileName())
            .collect(Collectors.joining(":"));
    // The JVM's own warnings go to stdout otherwise, into the middle of what a program reads.
    return """
        -XX:+UseSerialGC
        -XX:-UsePerfData
        -Xss1m
        -Xlog:disable
        -Xlog:all=error:stderr
        --enable-native-access=ALL-UNNAMED
        -Djdk.httpclient.bufsize=131072
        -DZstdNativePath=/%s/lib/%s
        -cp
        %s
        """
        .formatted(PLACE, ZSTD, classPath);
  }
}
