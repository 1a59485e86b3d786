package slipway.distro;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.process.Command;

/** What an image of the product is put together of. */
class SelfImageTest {
  private static final Path CHECKOUT = Path.of("..").toAbsolutePath().normalize();

  /** For building images, and for machines. */
  private static final List<String> NOT_FOR_DISKS =
      List.of("mmdebstrap", "runc", "slirp4netns", "qemu-utils");

  @TempDir Path dir;

  /** One list of tools for the machine that the product runs on, wherever that is. */
  @Test
  void itHasTheToolsThatTheProductNeeds() {
    List<String> needed =
        new ArrayList<>(
            Command.of(CHECKOUT.resolve("tools/prepare").toString(), "packages", "run")
                .output()
                .lines()
                .toList());
    assertThat(needed).containsAll(NOT_FOR_DISKS);
    needed.removeAll(NOT_FOR_DISKS);
    assertThat(SelfImage.PACKAGES).containsAll(needed).isSorted();
  }

  /** The program goes by the name that it is called by. */
  @Test
  void theLauncherCallsTheProgramByItsName() throws Exception {
    Path home = Files.createDirectories(dir.resolve("home"));
    Path java = Files.createDirectories(home.resolve("runtime/bin")).resolve("java");
    Files.writeString(java, "#!/bin/sh\nprintf '%s\\n' \"$@\"\n");
    Files.write(home.resolve("environment.sh"), BaseImage.resource("environment.sh"));
    String script = new String(BaseImage.resource("builder"), StandardCharsets.UTF_8);
    Path launcher = home.resolve("builder");
    Files.writeString(launcher, script.replace("home=/usr/lib/slipway", "home=" + home));
    for (Path program : List.of(java, launcher)) {
      assertThat(program.toFile().setExecutable(true)).isTrue();
    }
    for (String name : List.of("slipway", "bootc-image-builder")) {
      Path link = Files.createSymbolicLink(dir.resolve(name), launcher);
      assertThat(Command.of(link.toString(), "--type", "a b").output().lines())
          .containsExactly(
              "@" + home + "/run.args",
              "-Dslipway.name=" + name,
              "slipway.cli.Main",
              "--type",
              "a b");
    }
  }

  /** Jars, without their times; what a JVM reads; and no more of the product's folder. */
  @Test
  void theProductIsPutInWithARuntime() throws Exception {
    Path product = Files.createDirectory(dir.resolve("product"));
    for (String name : List.of("b.jar", "a.jar", "libzstd-jni.so", "notes.txt")) {
      Files.createFile(product.resolve(name));
    }
    Path jdk = Files.createDirectories(dir.resolve("jdk/bin")).getParent();
    Files.createFile(jdk.resolve("release"));
    List<Path> jars = List.of(product.resolve("a.jar"), product.resolve("b.jar"));
    ProductHome home = new ProductHome(product, jars, List.of("java.base"), jdk);
    Path made = dir.resolve("made");
    home.put(made, Progress.NONE);
    try (Stream<Path> files = Files.list(made.resolve("lib"))) {
      assertThat(files.map(f -> f.getFileName().toString()))
          .containsExactlyInAnyOrder("a.jar", "b.jar", "libzstd-jni.so");
    }
    assertThat(Files.getLastModifiedTime(made.resolve("lib/a.jar")).toMillis()).isZero();
    assertThat(made.resolve("runtime/release")).exists();
    assertThat(made.resolve(ProductHome.DIRECTIVES)).exists();
    assertThat(home.arguments())
        .endsWith("-cp\n/usr/lib/slipway/lib/a.jar:/usr/lib/slipway/lib/b.jar\n");
    Files.delete(product.resolve("libzstd-jni.so"));
    assertThatThrownBy(() -> home.put(dir.resolve("other"), Progress.NONE))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("which is missing; build Slipway again");
  }
}
