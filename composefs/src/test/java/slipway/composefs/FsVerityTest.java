package slipway.composefs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.linux.process.Command;

class FsVerityTest {
  private static final byte[] HELLO = "hello\n".getBytes(StandardCharsets.UTF_8);

  @Test
  void knownDigests() throws IOException {
    assertThat(sha256(new byte[0]))
        .isEqualTo("3d248ca542a24fc62d1c43b916eae5016878e2533c88238480b26128a1f1af95");
    assertThat(sha256(HELLO))
        .isEqualTo("9c76eecc7b76fcb46199cb27b90cf59a660e10575bb0412128905129d5b1c2aa");
    assertThat(sha256(new byte[4096]))
        .isEqualTo("babc284ee4ffe7f449377fbf6692715b43aec7bc39c094a95878904d34bac97e");
    assertThat(sha256(new byte[4097]))
        .isEqualTo("093756e4ea9683329106d4a16982682ed182c14bf076463a9e7f97305cbac743");
    byte[] mebibyte = new byte[1 << 20];
    Arrays.fill(mebibyte, (byte) 'a');
    assertThat(sha256(mebibyte))
        .isEqualTo("3e982f1619f4442c645e71b6bb2e77ca8526b98744453e8ce2e7b2a436848e2d");
  }

  @Test
  void knownSha512Digest() {
    FsVerity verity = new FsVerity(FsVerity.Algorithm.SHA512);
    verity.update(HELLO, 0, HELLO.length);
    assertThat(HexFormat.of().formatHex(verity.digest()))
        .isEqualTo(
            "21fe275216d7dafb8afa8f8257ae96215b74c1dad980238e6fdbbd0c41a44adb"
                + "8d3e1f95c7e3dad3e25037369d1c87dd107ceb7eb9c9c868eb2b18b57ddd4125");
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 4095, 8192, 524_287, 524_288, 524_289, 3_000_000})
  void agreesWithFsverityTool(int size, @TempDir Path dir) throws IOException {
    byte[] bytes = new byte[size];
    new Random(size).nextBytes(bytes);
    // Blocks of zeros, as holes have them.
    Arrays.fill(bytes, size / 3, size - size / 7, (byte) 0);
    Path file = Files.write(dir.resolve("f"), bytes);
    for (FsVerity.Algorithm algorithm : FsVerity.Algorithm.values()) {
      FsVerity verity = new FsVerity(algorithm);
      Random cuts = new Random(size);
      for (int at = 0; at < size; ) {
        int n = Math.min(size - at, 1 + cuts.nextInt(20_000));
        verity.update(bytes, at, n);
        at += n;
      }
      String expected =
          Command.of(
                  "fsverity",
                  "digest",
                  "--compact",
                  "--hash-alg=" + (algorithm == FsVerity.Algorithm.SHA256 ? "sha256" : "sha512"),
                  file.toString())
              .output();
      assertThat(HexFormat.of().formatHex(verity.digest())).isEqualTo(expected);
    }
  }

  private static String sha256(byte[] bytes) throws IOException {
    return HexFormat.of().formatHex(FsVerity.sha256(new ByteArrayInputStream(bytes)));
  }
}
