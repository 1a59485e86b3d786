package slipway.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import slipway.archive.tar.TarOptions;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.linux.posix.UnixException;
import slipway.linux.posix.Xattrs;
import slipway.linux.process.Command;

/** Damaged archives end in a Problem or an IOException, soon, and never write elsewhere. */
class TarFuzzTest extends OnDisk {
  private static final int ROUNDS = 3000;
  private static final int UNPACKED = 150;

  /** More than any sound archive here holds; a sparse map may claim 16 GiB. */
  private static final long CONTENT_LIMIT = 16 << 20;

  private static final String[] NAMES = {
    "..",
    "../x",
    "/etc/passwd",
    ".",
    "",
    "a/../../b",
    ".wh.a",
    ".wh..wh..opq",
    ".wh.",
    "d",
    "d/f",
    "f",
    "link",
    "link/x",
    "a\u0000b",
    "x/".repeat(60),
    ".wh..wh.slipway/0",
    ".wh..wh.plnk/1"
  };

  private List<byte[]> sound() throws Exception {
    Posix.mkdir(dir.resolve("source"), 0755);
    OsPath source = dir.resolve("source");
    Files.createDirectories(path("source/d/e"));
    Files.writeString(path("source/f"), "text");
    Files.writeString(path("source/d/f"), "x".repeat(700));
    Xattrs.lsetxattr(source.resolve("f"), OsPath.of("user.x"), new byte[] {0, 1, 2});
    Posix.link(source.resolve("f"), source.resolve("d/hard"));
    Posix.symlink(OsPath.of(text("outside")), source.resolve("link"));
    Files.writeString(path("source/" + "n".repeat(200)), "long");
    int fd = Posix.open(source.resolve("sparse"), Posix.O_WRONLY | Posix.O_CREAT, 0644);
    for (int i = 0; i < 30; i++) {
      Posix.seek(fd, i * 9000L + 5000);
      Posix.write(fd, new byte[] {1}, 0, 1);
    }
    Posix.close(fd);
    List<byte[]> all = new ArrayList<>();
    for (String format : List.of("gnu", "oldgnu", "posix")) {
      String tar = text(format + ".tar");
      Command command = Command.of("tar", "-S", "--format=" + format, "-b1");
      if (format.equals("posix")) {
        command = command.with("--xattrs");
      }
      command.with("-C", text("source"), "-cf", tar, ".").run();
      all.add(Files.readAllBytes(path(format + ".tar")));
    }
    all.add(Files.readAllBytes(writeTar("own.tar", DirectoryReader.read(path("source")))));
    all.add(
        new TarMaker()
            .directory("d", 0755)
            .file("d/.wh..wh..opq", "")
            .file(".wh.gone", "")
            .symlink("link", text("outside"))
            .file("link/x", "1")
            .file("f", "2")
            .link("g", "f")
            .file("f/f", "3")
            .tar());
    return all;
  }

  /** Changes a few bytes or blocks; most headers get a right checksum again. */
  private static byte[] mutate(byte[] sound, Random random) {
    byte[] tar = sound.clone();
    int changes = 1 + random.nextInt(6);
    for (int i = 0; i < changes && tar.length >= 1024; i++) {
      int block = random.nextInt(tar.length / 512) * 512;
      switch (random.nextInt(9)) {
        case 0 -> tar[random.nextInt(tar.length)] ^= (byte) (1 << random.nextInt(8));
        case 1 -> tar[block + random.nextInt(512)] = (byte) random.nextInt(256);
        case 2 -> tar[block + 156] = (byte) "01234567xgLKSDMNV\0".charAt(random.nextInt(18));
        case 3 -> text(tar, block, NAMES[random.nextInt(NAMES.length)]);
        case 4 -> text(tar, block + 157, NAMES[random.nextInt(NAMES.length)]);
        case 5 ->
            number(
                tar,
                block + new int[] {100, 108, 116, 124, 136, 329, 483}[random.nextInt(7)],
                random);
        case 6 -> {
          int from = random.nextInt(tar.length / 512) * 512;
          System.arraycopy(tar, from, tar, block, 512);
        }
        case 7 -> tar = Arrays.copyOf(tar, random.nextInt(tar.length));
        default -> Arrays.fill(tar, block, block + 512, (byte) 0);
      }
      if (block + 512 <= tar.length && random.nextInt(10) > 0 && tar[block + 257] == 'u') {
        TarMaker.withChecksum(tar, block);
      }
    }
    return tar;
  }

  private static void text(byte[] tar, int offset, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    int n = Math.min(99, bytes.length);
    System.arraycopy(bytes, 0, tar, offset, n);
    tar[offset + n] = 0;
  }

  private static void number(byte[] tar, int offset, Random random) {
    for (int i = 0; i < 7; i++) {
      tar[offset + i] =
          (byte) (random.nextBoolean() ? random.nextInt(256) : '0' + random.nextInt(8));
    }
  }

  /** Whether a round found nothing wrong; what is not told as damage fails with its seed. */
  private static boolean expectSoundOrTold(long seed, Round round) {
    try {
      round.run();
      return true;
    } catch (UnixException e) {
      fail("seed " + seed, e);
    } catch (Problem | IOException e) {
      assertThat(e.getMessage()).isNotBlank();
    } catch (Throwable e) {
      fail("seed " + seed, e);
    }
    return false;
  }

  @FunctionalInterface
  private interface Round {
    void run() throws Exception;
  }

  private static Content limited(long size, java.io.InputStream in) throws IOException {
    byte[] buffer = new byte[64 * 1024];
    for (long left = CONTENT_LIMIT; in.read(buffer) >= 0; left -= buffer.length) {
      if (left < 0) {
        throw new IOException("enough");
      }
    }
    return Content.of(new byte[(int) Math.min(size, 10)]);
  }

  @Test
  @Tag("slow")
  void damagedArchivesAreTold() throws Exception {
    readDamaged(ROUNDS);
  }

  @Test
  @Tag("soak")
  void manyDamagedArchivesAreTold() throws Exception {
    readDamaged(100 * ROUNDS);
  }

  private void readDamaged(int rounds) throws Exception {
    List<byte[]> archives = sound();
    long first = System.nanoTime();
    long begin = System.nanoTime();
    for (long seed = first; seed < first + rounds; seed++) {
      Random random = new Random(seed);
      byte[] tar = mutate(archives.get(random.nextInt(archives.size())), random);
      expectSoundOrTold(
          seed,
          () -> {
            Layer layer =
                LayerReader.read(
                    new ByteArrayInputStream(tar), (path, m, size, in) -> limited(size, in));
            FileTree tree = Layers.merge(List.of(layer));
            TarWriter.write(java.io.OutputStream.nullOutputStream(), tree, TarOptions.EXACT);
          });
    }
    Duration each = Duration.ofNanos((System.nanoTime() - begin) / rounds);
    assertThat(each).isLessThan(Duration.ofMillis(100));
  }

  @Test
  @Tag("slow")
  void damagedArchivesAreUnpackedInsideTheTargetOnly() throws Exception {
    unpackDamaged(UNPACKED);
  }

  @Test
  @Tag("soak")
  void manyDamagedArchivesAreUnpackedInsideTheTargetOnly() throws Exception {
    unpackDamaged(50 * UNPACKED);
  }

  private void unpackDamaged(int rounds) throws Exception {
    List<byte[]> archives = sound();
    Files.createDirectories(path("outside"));
    Files.writeString(path("outside/x"), "untouched");
    Posix.lutimens(dir.resolve("outside"), 1, 1);
    FileTree before = DirectoryReader.read(path("outside"));
    int unpacked = 0;
    for (long seed = System.nanoTime(); unpacked < rounds; seed++) {
      Random random = new Random(seed);
      byte[] tar = mutate(archives.get(random.nextInt(archives.size())), random);
      if (claimsMuch(tar)) {
        continue;
      }
      boolean sound =
          expectSoundOrTold(
              seed,
              () -> {
                Layer layer = LayerUnpacker.unpack(new ByteArrayInputStream(tar), path("target"));
                FileTree there =
                    Layers.merge(List.of(DirectoryReader.readOverlayUpper(path("target"))));
                assertThat(FileTrees.diff(withoutWhiteoutDevices(layer), there)).isEmpty();
              });
      unpacked += sound ? 1 : 0;
      Posix.removeTree(dir.resolve("target"));
      assertThat(FileTrees.diff(before, DirectoryReader.read(path("outside"))))
          .as("seed %d", seed)
          .isEmpty();
    }
  }

  /** A device 0:0 of the layer's own cannot be told from a whiteout when it is unpacked. */
  private static FileTree withoutWhiteoutDevices(Layer layer) throws IOException {
    TreeBuilder tree = new TreeBuilder(Layers.merge(List.of(layer)));
    layer.walk(
        (path, node) -> {
          if (node instanceof Node.Special s
              && s.metadata().type() == Stat.S_IFCHR
              && s.rdev() == 0) {
            tree.remove(path);
          }
        });
    return tree.build();
  }

  private static boolean claimsMuch(byte[] tar) throws IOException {
    try {
      LayerReader.read(
          new ByteArrayInputStream(tar),
          (path, m, size, in) -> {
            if (size > CONTENT_LIMIT) {
              throw new IllegalStateException("much");
            }
            return Content.EMPTY;
          });
      return false;
    } catch (IllegalStateException e) {
      return true;
    } catch (Problem e) {
      return false;
    }
  }
}
