package slipway.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.mount.Mount;
import slipway.linux.process.Command;
import slipway.oci.model.Manifest;

/** Builds that fail or are ended: what is told, and that nothing is left. */
class DiskFailureTest extends DiskCase {
  @Test
  void aBrokenSourceLeavesNothing() throws Exception {
    DiskRequest r = request();
    DiskRequest broken =
        new DiskRequest(
            TestImage.interrupted(
                r.source(), r.manifest().layers().getFirst(), new IOException("cut")),
            r.manifest(),
            r.config(),
            r.target(),
            r.types(),
            r.rootfs(),
            r.bootLoader(),
            r.customizations(),
            r.size(),
            r.access(),
            r.output());
    assertThatThrownBy(() -> build(broken)).hasStackTraceContaining("cut");
    assertThat(output).isEmptyDirectory();
  }

  @Test
  void anOlderResultStaysUntilTheNewOneIsWhole() throws Exception {
    Files.createDirectories(output.resolve("image"));
    Path old = Files.writeString(output.resolve("image/disk.raw"), "old");
    Files.delete(tree.resolve("usr/lib/grub/i386-pc/boot.img"));
    assertThatThrownBy(() -> build(request())).isInstanceOf(Problem.class);
    assertThat(old).hasContent("old");
  }

  /** A name that another takes while the files are made is found before any of them has its own. */
  @Test
  void whatFailsBeforeTheLastNameFailsBeforeTheFirst() throws Exception {
    Path manifest = output.resolve("manifest-raw.json");
    Progress late =
        TestImage.noting(
            line -> {
              if (line.equals("digests of the files")) {
                assertThat(manifest.toFile().mkdir()).isTrue();
              }
            });
    DiskRequest r = request();
    assertThatThrownBy(() -> DiskBuilder.build(r, late))
        .isInstanceOf(Problem.class)
        .hasMessage(manifest + " is a folder; remove it, or name another folder by --output");
    assertThat(output.resolve("image/disk.raw")).doesNotExist();
    assertThatThrownBy(() -> build(r)).isInstanceOf(Problem.class).hasMessageContaining("folder");
    assertThat(output.resolve("image")).isEmptyDirectory();
  }

  /**
   * Found before anything is made, or where a loop device's error hides it. What a killed build has
   * left does not count: it goes first.
   */
  @ParameterizedTest
  @Tag("slow")
  @CsvSource({"12,,at least", "26,,about", "26,.,about", "26,qcow2,about"})
  void aFullFileSystemIsSaidToBeFull(int mebibytes, @Nullable String left, String measure)
      throws Exception {
    Files.createDirectory(output);
    DiskRequest r = TestImage.request(store, TestImage.packed(store, tree, BOOTABLE), output);
    try (Mount small = Mount.of("tmpfs", output, "tmpfs", 0, "size=" + mebibytes + "m")) {
      if (left != null) {
        Path dead = Files.createDirectories(output.resolve(left + "/.slipway-disk-1"));
        Files.write(dead.resolve("disk"), new byte[20 << 20]);
      }
      assertThatThrownBy(() -> build(r))
          .isInstanceOfSatisfying(
              Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.FULL))
          .message()
          .startsWith("the file system of " + output + " ")
          .containsPattern("a disk of this image takes " + measure + " [0-9]+ MiB")
          .endsWith("free some space there, or name another folder by --output");
      try (Stream<Path> files = Files.walk(output)) {
        assertThat(files.filter(Files::isRegularFile)).isEmpty();
      }
    }
  }

  /** What compresses well does not show its size before it is unpacked. */
  @Test
  @Tag("slow")
  void anImageThatDoesNotFitSaysWhichSizeWould() throws Exception {
    Command.of("sh", "-c", "yes | head -c 1200M > " + tree.resolve("usr/large")).run();
    Manifest.Image image = TestImage.packed(store, tree, BOOTABLE);
    DiskRequest r = sized(TestImage.request(store, image, output), 2500L << 20);
    assertThatThrownBy(() -> build(r))
        .isInstanceOf(Problem.class)
        .message()
        .matches(
            "the image does not fit on a disk of 2500 MiB, whose root has 1345 MiB; give --size"
                + " 37[0-9][0-9]M or more");
    assertThat(output).isEmptyDirectory();
  }

  private static DiskRequest sized(DiskRequest r, long size) {
    return new DiskRequest(
        r.source(),
        r.manifest(),
        r.config(),
        r.target(),
        r.types(),
        r.rootfs(),
        r.bootLoader(),
        r.customizations(),
        size,
        r.access(),
        r.output());
  }

  /** A build in a process of its own that is told to end, or killed, at many moments. */
  @ParameterizedTest
  @Tag("slow")
  @ValueSource(booleans = {true, false})
  void anEndedProcessLeavesNoMountAndNoLoopDevice(boolean politely) throws Exception {
    Manifest.Image image = TestImage.store(store, tree, BOOTABLE);
    Set<Path> before = Set.of();
    for (int stage : new int[] {0, 1, 2}) {
      Path java = Path.of(System.getProperty("java.home"), "bin/java");
      Process process =
          Command.of(java.toString(), "--enable-native-access=ALL-UNNAMED")
              .environment("TMPDIR", directory.toString())
              .with("-cp")
              .with(classPath(), EndedBuild.class.getName(), directory.resolve("store").toString())
              .with(image.digest().toString(), output.toString(), Integer.toString(stage))
              .start();
      try (var lines = process.inputReader()) {
        String line = lines.readLine();
        while (line != null && !line.equals("now")) {
          line = lines.readLine();
        }
        assertThat(line).isEqualTo("now");
        if (politely) {
          process.destroy();
        } else {
          process.destroyForcibly();
        }
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
      } finally {
        Command.kill(process);
      }
      assertThat(Files.readString(Path.of("/proc/self/mounts"))).doesNotContain("slipway-disk-");
      assertNoLoopDevice(directory);
      assertThat(output.resolve("image/disk.raw")).doesNotExist();
      if (politely) {
        assertThat(output).isEmptyDirectory();
        assertThat(scratch(directory)).isEmpty();
      } else {
        assertThat(scratch(output)).hasSize(1);
        // One for small files, later one for large; those of the build before were removed.
        Set<Path> left = Set.copyOf(scratch(directory));
        assertThat(left).hasSizeBetween(1, 2).noneMatch(before::contains);
        before = left;
      }
    }
  }

  private static List<Path> scratch(Path folder) throws IOException {
    try (Stream<Path> all = Files.list(folder)) {
      return all.filter(p -> p.getFileName().toString().contains("slipway-disk-")).toList();
    }
  }

  private static String classPath() {
    return Objects.requireNonNullElse(
        System.getProperty("surefire.test.class.path"), System.getProperty("java.class.path"));
  }
}
