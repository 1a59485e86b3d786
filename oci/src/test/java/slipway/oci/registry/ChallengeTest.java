package slipway.oci.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import slipway.oci.FuzzTest;

class ChallengeTest {
  private static List<Challenge> parse(byte[] header) {
    return Challenge.parse(List.of(new String(header, StandardCharsets.ISO_8859_1)));
  }

  @Test
  void anythingIsTakenAndWhatIsWellFormedIsUnderstood() {
    byte[] seed =
        "Bearer realm=\"https://x/t?a=b\",service=\"a \\\"b\\\"\",scope=\"r:x:pull\", Basic realm=x"
            .getBytes(StandardCharsets.ISO_8859_1);
    for (int i = 0; i < 8000; i++) {
      parse(FuzzTest.mutate(seed));
    }
    List<Challenge> all = parse(seed);
    assertThat(all).extracting(Challenge::scheme).containsExactly("bearer", "basic");
    assertThat(all.getFirst().parameter("service")).isEqualTo("a \"b\"");
  }
}
