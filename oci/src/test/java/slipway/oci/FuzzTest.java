package slipway.oci;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.oci.layout.LayoutIndex;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;

/** Whatever comes in: a value, or a Problem of the promised kind; nothing else. */
public class FuzzTest {
  private static final int ROUNDS = 8000;
  private static final Random RANDOM = Seeds.random("FuzzTest");
  private static final String[] TOKENS = {
    "null", "true", "{}", "[]", "\"\"", "-1", "1e999", "99999999999999999999", "\"sha256:\"", "{",
    "]", ",", ":", "\"", "\\u0000", "\"mediaType\"", "[[[[[[[[[[", "0.5", "\"\\ud800\"", "\u0000",
    "\"config\":7,", "\"layers\":{\"a\":1},", "\"schemaVersion\":1,"
  };

  public interface Subject {
    void run(byte[] input) throws Exception;
  }

  /** Some bytes of a text changed, cut, doubled, or a value of JSON replaced. */
  public static byte[] mutate(byte[] seed) {
    StringBuilder text = new StringBuilder(new String(seed, StandardCharsets.ISO_8859_1));
    for (int n = 1 + RANDOM.nextInt(4); n > 0 && text.length() > 0; n--) {
      int at = RANDOM.nextInt(text.length());
      switch (RANDOM.nextInt(5)) {
        case 0 -> text.setCharAt(at, (char) RANDOM.nextInt(256));
        case 1 -> text.delete(at, Math.min(text.length(), at + RANDOM.nextInt(40)));
        case 2 -> text.insert(at, TOKENS[RANDOM.nextInt(TOKENS.length)]);
        case 3 -> text.insert(at, text.substring(at, Math.min(text.length(), at + 60)));
        default -> {
          // Replaces a whole value, so that the document often stays valid.
          int colon = text.indexOf(":", at);
          int end = colon < 0 ? -1 : text.indexOf(",", colon);
          if (end > 0) {
            text.replace(colon + 1, end, TOKENS[RANDOM.nextInt(TOKENS.length)]);
          }
        }
      }
    }
    return text.toString().getBytes(StandardCharsets.ISO_8859_1);
  }

  private static void fuzz(byte[] seed, Set<Problem.Kind> allowed, Subject subject) {
    fuzz(ROUNDS, seed, allowed, subject);
  }

  public static void fuzz(int rounds, byte[] seed, Set<Problem.Kind> allowed, Subject subject) {
    int good = 0;
    for (int i = 0; i < rounds; i++) {
      byte[] input = i == 0 ? seed : mutate(seed);
      try {
        subject.run(input);
        good++;
      } catch (Problem e) {
        assertThat(allowed).as("%s", e.getMessage()).contains(e.kind());
      } catch (Exception e) {
        throw new AssertionError(new String(input, StandardCharsets.ISO_8859_1), e);
      }
    }
    assertThat(good).as("some inputs stay valid").isBetween(1, rounds - 1);
  }

  private static final Set<Problem.Kind> CORRUPT = EnumSet.of(Problem.Kind.CORRUPT);
  private static final Set<Problem.Kind> INPUT = EnumSet.of(Problem.Kind.INPUT);

  private static Descriptor descriptor(String text) {
    return Descriptor.of(MediaTypes.OCI_LAYER, text.getBytes(StandardCharsets.UTF_8))
        .withAnnotations(Map.of("a", "b"));
  }

  @Test
  @Tag("slow")
  void manifests() {
    byte[] image =
        Manifest.Image.of(
                descriptor("c"), List.of(descriptor("1"), descriptor("2")), Map.of("x", "y"))
            .bytes();
    fuzz(image, CORRUPT, b -> roundTrip(Manifest.parse(b, null)));
    Descriptor child =
        new Descriptor(
            MediaTypes.OCI_MANIFEST,
            Digest.sha256(image),
            7,
            Map.of(),
            Platform.parse("linux/arm64/v8"),
            "x/y");
    byte[] index = Manifest.Index.of(List.of(child, child), Map.of()).bytes();
    fuzz(index, CORRUPT, b -> roundTrip(Manifest.parse(b, null)));
    fuzz(index, CORRUPT, b -> LayoutIndex.parse(b, "index").entries());
  }

  private static void roundTrip(Manifest manifest) {
    Manifest again =
        switch (manifest) {
          case Manifest.Image i -> Manifest.Image.of(i.config(), i.layers(), i.annotations());
          case Manifest.Index i -> Manifest.Index.of(i.manifests(), i.annotations());
        };
    assertThat(again.annotations()).isEqualTo(manifest.annotations());
  }

  @Test
  void configs() {
    byte[] config =
        """
        {"created":"2026-01-01T00:00:00Z","architecture":"amd64","os":"linux","config":{"Env":
        ["A=b","C=d"],"Cmd":["x"],"Entrypoint":null,"Labels":{"l":"m"},"ExposedPorts":{"80/tcp":{}},
        "Volumes":{"/v":{}},"Healthcheck":{"Test":["NONE"]},"User":"u","OnBuild":["RUN x"]},
        "rootfs":{"type":"layers","diff_ids":["sha256:%s"]},"history":[{"created_by":"x",
        "empty_layer":true},{"comment":"y"}]}"""
            .formatted("a".repeat(64))
            .getBytes(StandardCharsets.UTF_8);
    fuzz(
        config,
        CORRUPT,
        b -> {
          ImageConfig parsed = ImageConfig.parse(b);
          assertThat(ImageConfig.parse(parsed.toJson()).toJson()).isEqualTo(parsed.toJson());
        });
  }

  @Test
  void references() {
    String seed = "registry.example.com:5000/a/b_c/d-e.f:v1.0@sha256:" + "0".repeat(64);
    fuzz(
        seed.getBytes(StandardCharsets.ISO_8859_1),
        INPUT,
        b -> {
          Reference r = Reference.parse(new String(b, StandardCharsets.ISO_8859_1));
          assertThat(Reference.parse(r.toString())).isEqualTo(r);
          assertThat(r.name()).doesNotContain("..", "//", " ");
          // A tag may have dots anywhere but at its beginning.
          assertThat(r.toString()).doesNotContain("//", ":.", "/.", " ");
        });
  }
}
