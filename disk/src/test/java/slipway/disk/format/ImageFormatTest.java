package slipway.disk.format;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.linux.process.Command;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Disks with random content; qemu-img, tar, gzip and sha256sum judge. */
class ImageFormatTest {
  private static final UUID ID = UUID.fromString("00000000-1111-4222-8333-444444444444");

  @TempDir Path directory;

  /** Formats that qemu-img reads, by the name that it has for them. */
  record Case(String driver, ImageFormat format) {}

  static Stream<Case> formats() {
    return Stream.of(
        new Case("qcow2", new Qcow2(false)),
        new Case("qcow2", new Qcow2(true)),
        new Case("vmdk", new StreamVmdk(0x1234)),
        new Case("vpc", new FixedVhd(ID)));
  }

  /** Holes, zeros that were written, text and noise, in pieces of any length. */
  private Path disk(String name, long size, long seed) throws IOException {
    Random random = new Random(seed);
    Path file = directory.resolve(name);
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      out.setLength(size);
      for (int i = random.nextInt(40); i > 0 && size > 0; i--) {
        byte[] bytes = new byte[(int) Math.min(size, 1 + random.nextInt(300_000))];
        switch (random.nextInt(3)) {
          case 0 -> random.nextBytes(bytes);
          case 1 -> Arrays.fill(bytes, (byte) 0);
          default -> {
            for (int at = 0; at < bytes.length; at++) {
              bytes[at] = (byte) ('a' + random.nextInt(4));
            }
          }
        }
        out.seek((long) (random.nextDouble() * (size - bytes.length)));
        out.write(bytes);
      }
    }
    return file;
  }

  private Path written(ImageFormat format, Path raw, String name) throws IOException {
    Path result = Files.createFile(directory.resolve(name));
    format.write(raw, result);
    return result;
  }

  private static JsonNode info(String driver, Path image) {
    return new JsonMapper()
        .readTree(
            Command.of("qemu-img", "info", "--output=json", "-f", driver, image.toString())
                .run()
                .stdout());
  }

  private static void isEqual(Path raw, String driver, Path image) {
    Command.of("qemu-img", "compare", "-f", "raw", "-F", driver)
        .with(raw.toString(), image.toString())
        .run();
  }

  @ParameterizedTest
  @MethodSource("formats")
  void qemuReadsFromRandomDisksWhatIsInThem(Case each) throws IOException {
    for (int round = 0; round < 6; round++) {
      long seed = 1000 + round;
      long size = (1 + new Random(seed).nextInt(80)) * (512L << round % 3 * 5);
      if (each.driver.equals("vpc")) {
        size = Math.ceilDiv(size, 1L << 20) << 20;
      }
      Path raw = disk("raw-" + seed, size, seed);
      Path image = written(each.format, raw, "image-" + seed);
      assertThat(info(each.driver, image).at("/virtual-size").asLong())
          .describedAs("seed %d", seed)
          .isEqualTo(size);
      isEqual(raw, each.driver, image);
      if (!each.driver.equals("vpc")) {
        Command.of("qemu-img", "check", "-f", each.driver, image.toString()).run();
      }
      Path back = directory.resolve("back");
      Command.of("qemu-img", "convert", "-f", each.driver, "-O", "raw")
          .with(image.toString(), back.toString())
          .run();
      assertThat(Files.mismatch(raw, back)).describedAs("seed %d", seed).isEqualTo(-1);
    }
  }

  /** Several L2 tables, grain tables and blocks of the sparse map, and empty ones between. */
  @ParameterizedTest
  @MethodSource("formats")
  void aLargeDiskHasAllItsTables(Case each) throws IOException {
    Path raw = large(1200L << 20);
    Path image = written(each.format, raw, "image");
    isEqual(raw, each.driver, image);
    if (!each.driver.equals("vpc")) {
      Command.of("qemu-img", "check", "-f", each.driver, image.toString()).run();
    }
    long used = Long.parseLong(Command.of("du", "-k", image.toString()).output().split("\\s")[0]);
    assertThat(used).describedAs("KiB of an image of holes").isLessThan(20_000);
  }

  private Path large(long size) throws IOException {
    Path raw = directory.resolve("large");
    byte[] noise = new byte[70_000];
    Random random = new Random(7);
    try (RandomAccessFile out = new RandomAccessFile(raw.toFile(), "rw")) {
      out.setLength(size);
      for (long at = 3 << 20;
          at < size - noise.length;
          at += (1 + random.nextInt(80)) * 1_000_000L) {
        random.nextBytes(noise);
        out.seek(at);
        out.write(noise);
      }
    }
    return raw;
  }

  @Test
  void theSameDiskGivesTheSameFile() throws IOException {
    Path raw = disk("raw", 8 << 20, 5);
    List<ImageFormat> all =
        List.of(
            new Qcow2(false),
            new Qcow2(true),
            new StreamVmdk(7),
            new FixedVhd(ID),
            new GceArchive(),
            new Ova("machine", 7, ID));
    for (int i = 0; i < all.size(); i++) {
      Path first = written(all.get(i), raw, "first-" + i);
      Path second = written(all.get(i), raw, "second-" + i);
      assertThat(Files.mismatch(first, second)).describedAs("%s", all.get(i)).isEqualTo(-1);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void qcow2IsOfTheVersionAndCompressionThatWereAsked(boolean isZstd) throws IOException {
    JsonNode info =
        info("qcow2", written(new Qcow2(isZstd), disk("raw", 4 << 20, 3), "disk.qcow2"));
    assertThat(info.at("/format-specific/data/compat").asString()).isEqualTo("1.1");
    assertThat(info.at("/format-specific/data/compression-type").asString())
        .isEqualTo(isZstd ? "zstd" : "zlib");
  }

  /** An image that a machine writes to: its refcounts have to be right for that. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void qcow2CanBeWrittenTo(boolean isZstd) throws IOException {
    Path image = written(new Qcow2(isZstd), disk("raw", 4 << 20, 3), "disk.qcow2");
    Command.of("qemu-io", "-f", "qcow2", "-c", "write -P 7 100k 1M", "-c", "discard 2M 1M")
        .with(image.toString())
        .run();
    Command.of("qemu-img", "check", "-f", "qcow2", image.toString()).run();
  }

  @Test
  void vmdkIsStreamOptimized() throws IOException {
    JsonNode info = info("vmdk", written(new StreamVmdk(0xabc), disk("raw", 4 << 20, 3), "d.vmdk"));
    assertThat(info.at("/format-specific/data/create-type").asString())
        .isEqualTo("streamOptimized");
    assertThat(info.at("/format-specific/data/cid").asLong()).isEqualTo(0xabc);
    assertThat(info.at("/format-specific/data/extents/0/compressed").asBoolean()).isTrue();
  }

  /** qemu-img makes the same footer but for time, id and the checksum of both. */
  @ParameterizedTest
  @ValueSource(longs = {1, 33, 3000})
  void vhdHasTheFooterThatQemuMakes(long mib) throws IOException {
    Path raw = directory.resolve("raw");
    try (RandomAccessFile out = new RandomAccessFile(raw.toFile(), "rw")) {
      out.setLength(mib << 20);
    }
    Path theirs = directory.resolve("theirs.vhd");
    Command.of("qemu-img", "convert", "-f", "raw", "-O", "vpc", "-o")
        .with("subformat=fixed,force_size=on", raw.toString(), theirs.toString())
        .run();
    Path ours = written(new FixedVhd(ID), raw, "ours.vhd");
    assertThat(Files.size(ours)).isEqualTo((mib << 20) + 512);
    assertThat(footer(ours)).isEqualTo(footer(theirs));
  }

  private static byte[] footer(Path vhd) throws IOException {
    try (RandomAccessFile in = new RandomAccessFile(vhd.toFile(), "r")) {
      byte[] footer = new byte[512];
      in.seek(in.length() - 512);
      in.readFully(footer);
      ByteBuffer bytes = ByteBuffer.wrap(footer);
      bytes.putInt(24, 0).putInt(64, 0).putLong(68, 0).putLong(76, 0);
      return footer;
    }
  }

  @Test
  void vhdIsFilledUpToWholeMebibytes() throws IOException {
    Path image = written(new FixedVhd(ID), disk("raw", (1 << 20) + 512, 3), "disk.vhd");
    assertThat(info("vpc", image).at("/virtual-size").asLong()).isEqualTo(2 << 20);
  }

  @Test
  void tarFindsTheDiskInTheArchiveForGoogle() throws IOException {
    archived(large(400L << 20));
    archived(disk("a", 3 << 20, 1));
    archived(disk("b", 1 << 20, 2));
    archived(disk("c", 512, 3));
  }

  /** From 8 GiB on, octal digits do not hold the numbers. */
  @Test
  @Tag("slow")
  void tarFindsALargeDiskToo() throws IOException {
    Path raw = disk("raw", 4 << 20, 4);
    try (RandomAccessFile out = new RandomAccessFile(raw.toFile(), "rw")) {
      out.setLength(9L << 30);
      out.seek((9L << 30) - 3);
      out.writeByte(1);
    }
    archived(raw);
  }

  private void archived(Path raw) throws IOException {
    Path image = directory.resolve("image.tar.gz");
    Files.deleteIfExists(image);
    written(new GceArchive(), raw, "image.tar.gz");
    Command.of("gzip", "-t", image.toString()).run();
    assertThat(Command.of("tar", "--utc", "-tzvf", image.toString()).output())
        .matches("-rw-r--r-- root/root +" + Files.size(raw) + " 1970-01-01 00:00 disk.raw");
    Command.of("tar", "xzf", image.toString(), "-C", directory.toString()).run();
    // It passes over holes.
    isEqual(raw, "raw", directory.resolve("disk.raw"));
    assertThat(directory.resolve("disk.raw")).hasSize(Files.size(raw));
  }

  @Test
  void theApplianceHoldsDescriptionDigestsAndDisk() throws IOException {
    Path raw = disk("raw", 8 << 20, 9);
    Path image = written(new Ova("machine", 7, ID), raw, "image.ova");
    assertThat(Command.of("tar", "tf", image.toString()).output())
        .isEqualTo("machine.ovf\nmachine.mf\nmachine.vmdk");
    assertThat(Command.of("file", "-b", image.toString()).output()).contains("POSIX tar");
    Command.of("tar", "xf", image.toString(), "-C", directory.toString()).run();
    isEqual(raw, "vmdk", directory.resolve("machine.vmdk"));
    for (String line : Files.readAllLines(directory.resolve("machine.mf"))) {
      String file = line.substring("SHA256(".length(), line.indexOf(')'));
      assertThat(Command.of("sha256sum", directory.resolve(file).toString()).output())
          .startsWith(line.substring(line.indexOf("= ") + 2));
    }
    String size = Long.toString(Files.size(directory.resolve("machine.vmdk")));
    assertThat(directory.resolve("machine.ovf"))
        .content()
        .contains("ovf:size=\"" + size + "\"", "ovf:capacity=\"" + (8 << 20) + "\"")
        .doesNotContain("%");
    try (Stream<Path> files = Files.list(directory)) {
      assertThat(files.filter(f -> f.toString().endsWith(".vmdk"))).hasSize(1);
    }
  }
}
