package slipway.archive.compress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.util.Native;
import com.github.luben.zstd.util.ZstdVersion;
import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PushbackInputStream;
import java.io.SequenceInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import slipway.base.ChildJvm;
import slipway.base.Problem;
import slipway.linux.process.Command;

class CompressionTest {
  private static final long SEED = System.nanoTime();
  private static final Random RANDOM = new Random(SEED);

  static {
    System.out.println("CompressionTest seed " + SEED);
  }

  /** Uses zstd and is killed. */
  static final class Child {
    private Child() {}

    public static void main(String[] args) throws IOException {
      compress(Compression.ZSTD, new byte[100], 100);
      System.out.println("ready");
      while (System.in.read() >= 0) {
        // The parent kills before it says anything.
      }
    }
  }

  @Test
  void aKilledProcessLeavesNoLibrary(@TempDir Path temporary) throws Exception {
    // As of one that was killed while it unpacked.
    Files.createFile(Files.createDirectory(temporary.resolve("slipway-zstd-1")).resolve("lib.so"));
    Process process =
        Command.of(ChildJvm.line(Child.class)).environment("TMPDIR", temporary.toString()).start();
    try {
      assertThat(process.inputReader().lines().anyMatch("ready"::equals)).isTrue();
    } finally {
      process.destroyForcibly().waitFor();
    }
    assertThat(temporary).isEmptyDirectory();
  }

  /** Where nothing may be executed, nothing can be loaded either. */
  @Test
  void temporaryFilesMayLieWhereNothingIsExecuted(@TempDir Path folder) throws Exception {
    String name = "/linux/" + System.getProperty("os.arch") + "/libzstd-jni-";
    Path library = folder.resolve("zstd.so");
    try (InputStream in = Native.class.getResourceAsStream(name + ZstdVersion.VERSION + ".so")) {
      Files.copy(in, library);
    }
    Path temporary = Files.createDirectory(folder.resolve("temporary"));
    assertThat(withoutExecution(temporary, "-DZstdNativePath=" + library).text())
        .endsWith("ready\n");
    assertThat(withoutExecution(temporary).stderr())
        .contains("Problem: zstd's library cannot be loaded from " + temporary + ", whose file");
  }

  private static Command.Result withoutExecution(Path temporary, String... options) {
    String script = "mount -t tmpfs -o noexec tmpfs \"$TMPDIR\"; exec \"$@\" </dev/null";
    return Command.of("unshare", "--mount", "--", "sh", "-ec", script, "sh")
        .with(ChildJvm.line(Child.class, List.of(options)).toArray(String[]::new))
        .environment("TMPDIR", temporary.toString())
        .tryRun();
  }

  /** Partly compressible, longer than several blocks. */
  private static byte[] sample(int size) {
    byte[] bytes = new byte[size];
    RANDOM.nextBytes(bytes);
    for (int i = 0; i + 64 < size; i += 128) {
      Arrays.fill(bytes, i, i + 64, (byte) (i >> 9));
    }
    return bytes;
  }

  private static byte[] compress(Compression c, byte[] bytes, int chunk) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (OutputStream compressor = c.compress(out, Compression.DEFAULT_LEVEL)) {
      for (int i = 0; i < bytes.length; i += chunk) {
        compressor.write(bytes, i, Math.min(chunk, bytes.length - i));
      }
    }
    return out.toByteArray();
  }

  @ParameterizedTest
  @EnumSource
  void roundTripsAndDetects(Compression c) throws IOException {
    for (int size : new int[] {0, 1, 100, 262_143, 262_144, 262_145, 1_500_000}) {
      byte[] bytes = sample(size);
      byte[] packed = compress(c, bytes, 70_000);
      if (c != Compression.NONE) {
        assertThat(Compression.of(packed)).isEqualTo(c);
      }
      try (InputStream in = Compression.decompressAny(new ByteArrayInputStream(packed))) {
        assertThat(in.readAllBytes()).isEqualTo(bytes);
      }
    }
  }

  @ParameterizedTest
  @Tag("slow")
  @EnumSource
  void isTheSameHoweverItIsCut(Compression c) throws IOException {
    byte[] bytes = sample(9_000_000);
    byte[] whole = compress(c, bytes, bytes.length);
    assertThat(compress(c, bytes, 4096)).isEqualTo(whole);
    assertThat(compress(c, bytes, 999_983)).isEqualTo(whole);
  }

  @Test
  void othersReadOurGzipAndZstd() throws IOException {
    byte[] bytes = sample(3_000_000);
    byte[] gzip = compress(Compression.GZIP, bytes, 65536);
    assertThat(new GZIPInputStream(new ByteArrayInputStream(gzip)).readAllBytes()).isEqualTo(bytes);
    assertThat(Command.of("gzip", "-dc").stdin(gzip).run().stdout()).isEqualTo(bytes);
    byte[] zstd = compress(Compression.ZSTD, bytes, 65536);
    assertThat(Command.of("zstd", "-dc").stdin(zstd).run().stdout()).isEqualTo(bytes);
    assertThat(Arrays.copyOf(gzip, 10)).containsExactly(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff);
  }

  @Test
  void readsAllMembersEvenWhenTheSourceSeemsIdle() throws IOException {
    byte[] one = sample(1000);
    ByteArrayOutputStream gz = new ByteArrayOutputStream();
    try (OutputStream o = new GZIPOutputStream(gz)) {
      o.write(one);
    }
    byte[] member = gz.toByteArray();
    InputStream idle =
        new SequenceInputStream(
            new ByteArrayInputStream(member),
            new SequenceInputStream(
                new ByteArrayInputStream(member), new ByteArrayInputStream(new byte[100])));
    byte[] twice = Compression.GZIP.decompress(idle).readAllBytes();
    assertThat(twice).hasSize(2000).startsWith(one).endsWith(one);
  }

  @ParameterizedTest
  @EnumSource(names = {"GZIP", "ZSTD"})
  void aPartIsAProblem(Compression c) throws IOException {
    byte[] packed = compress(c, sample(300_000), 65536);
    for (int i = 0; i < 100; i++) {
      byte[] part = Arrays.copyOf(packed, 1 + RANDOM.nextInt(packed.length - 1));
      assertThatThrownBy(() -> decompress(c, part))
          .isInstanceOfSatisfying(Problem.class, CompressionTest::isCorrupt);
    }
  }

  /** One bit in some 30,000 of zstd means nothing; then what comes out is what went in. */
  @ParameterizedTest
  @EnumSource(names = {"GZIP", "ZSTD"})
  void damageIsAProblem(Compression c) throws IOException {
    byte[] bytes = sample(300_000);
    byte[] packed = compress(c, bytes, 65536);
    int told = 0;
    for (int i = 0; i < 100; i++) {
      byte[] bad = packed.clone();
      bad[10 + RANDOM.nextInt(bad.length - 10)] ^= (byte) (1 << RANDOM.nextInt(8));
      try {
        assertThat(decompress(c, bad)).isEqualTo(bytes);
      } catch (Problem e) {
        isCorrupt(e);
        told++;
      }
    }
    assertThat(told).isGreaterThanOrEqualTo(98);
  }

  private static byte[] decompress(Compression c, byte[] packed) throws IOException {
    return c.decompress(new ByteArrayInputStream(packed)).readAllBytes();
  }

  private static void isCorrupt(Problem problem) {
    assertThat(problem.kind()).isEqualTo(Problem.Kind.CORRUPT);
  }

  @Test
  void detectsThroughPushbackAndMark() throws IOException {
    byte[] packed = compress(Compression.ZSTD, sample(10), 10);
    PushbackInputStream back = new PushbackInputStream(new ByteArrayInputStream(packed), 4);
    assertThat(Compression.detect(back)).isEqualTo(Compression.ZSTD);
    assertThat(back.readAllBytes()).isEqualTo(packed);
    InputStream mark = new BufferedInputStream(new ByteArrayInputStream(new byte[] {31}));
    assertThat(Compression.detect(mark)).isEqualTo(Compression.NONE);
    assertThat(mark.readAllBytes()).hasSize(1);
    assertThat(Compression.of(new byte[] {0x5e, 0x2a, 0x4d, 0x18})).isEqualTo(Compression.ZSTD);
  }

  /**
   * The same bytes everywhere: these digests change only when the deflater is changed on purpose.
   */
  @ParameterizedTest
  @CsvSource({
    "1, 2f5b807f460a6aeebd9f822c3f9ef7d53fcd02e17dc45b301fc0e1485c5db546",
    "6, e7a9fb91590cd459a221d6fe1f5237c315432b57ea188deea52bfc28e2425e36"
  })
  void gzipDigestsDoNotDependOnTheMachine(int level, String hex) throws Exception {
    byte[] plain = new byte[1_000_000];
    for (int i = 0; i < plain.length; i++) {
      plain[i] = (byte) (i * i / 7 + (i >> 9));
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (OutputStream gzip = Compression.GZIP.compress(bytes, level)) {
      gzip.write(plain);
    }
    byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes.toByteArray());
    assertThat(HexFormat.of().formatHex(digest)).isEqualTo(hex);
    assertThat(decompress(Compression.GZIP, bytes.toByteArray())).isEqualTo(plain);
  }
}
