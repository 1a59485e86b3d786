package slipway.disk;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.linux.process.Command;

/** What cpio, gzip, xz and zstd pack is understood, and rubbish says nothing. */
class InitramfsNamesTest {
  @TempDir Path directory;

  private byte[] cpio(String... names) throws IOException {
    Path from = Files.createTempDirectory(directory, "files");
    for (String name : names) {
      Path file = from.resolve(name);
      Files.createDirectories(file.getParent());
      Files.writeString(file, name.repeat(100));
    }
    return sh(from, "find . -mindepth 1 -printf '%P\\n' | cpio --quiet -o -H newc");
  }

  private static byte[] sh(Path folder, String script) {
    return Command.of("sh", "-c", "cd \"$1\" && " + script, "sh", folder.toString()).run().stdout();
  }

  private byte[] packed(String tool, byte[] plain) throws IOException {
    Path file = Files.write(Files.createTempFile(directory, "plain", ""), plain);
    return sh(directory, tool + " < " + file.getFileName());
  }

  private static byte[] joined(byte[]... parts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  private static boolean lacks(byte[] initramfs) {
    return InitramfsNames.lacks(
        new ByteArrayInputStream(initramfs), name -> name.matches("(usr/)?s?bin/lvm"));
  }

  @Test
  void namesOfAllArchivesAreSeen() throws Exception {
    byte[] early = cpio("kernel/x86/microcode/A.bin");
    byte[] with = cpio("usr/bin/sh", "usr/sbin/lvm", "etc/x");
    byte[] without = cpio("usr/bin/sh", "usr/sbin/lvmx", "etc/x");
    for (String tool : new String[] {"cat", "gzip -c", "xz -c --check=crc32", "zstd -qc"}) {
      assertThat(lacks(joined(early, packed(tool, with)))).as(tool).isFalse();
      assertThat(lacks(joined(early, packed(tool, without)))).as(tool).isTrue();
      assertThat(lacks(packed(tool, without))).as(tool).isTrue();
    }
    assertThat(lacks(joined(without, new byte[4096]))).isTrue();
    assertThat(lacks(joined(without, new byte[512], with))).isFalse();
    assertThat(lacks(joined(without, new byte[200_000], with))).isFalse();
    assertThat(lacks(joined(without, new byte[65536 - 512], without))).isTrue();
  }

  @Test
  void whatIsNotUnderstoodSaysNothing() throws Exception {
    byte[] without = cpio("usr/bin/sh", "etc/x");
    assertThat(lacks(Arrays.copyOf(without, 300))).isFalse();
    assertThat(lacks(joined(without, "rubbish".getBytes(StandardCharsets.US_ASCII)))).isFalse();
    byte[] negative = without.clone();
    System.arraycopy("-0000200".getBytes(StandardCharsets.US_ASCII), 0, negative, 6 + 6 * 8, 8);
    assertThat(lacks(negative)).as("a size that would give bytes back").isFalse();
    byte[] gzip = packed("gzip -c", without);
    assertThat(lacks(Arrays.copyOf(gzip, gzip.length / 2))).isFalse();
    assertThat(lacks(packed("gzip -c", gzip))).isFalse();
    long seed = new Random().nextLong();
    System.out.println("InitramfsNamesTest seed " + seed);
    Random random = new Random(seed);
    for (int i = 0; i < 2000; i++) {
      byte[] broken = (i % 2 == 0 ? without : gzip).clone();
      for (int n = random.nextInt(1, 4); n > 0; n--) {
        broken[random.nextInt(broken.length)] = (byte) random.nextInt();
      }
      lacks(broken);
    }
  }
}
