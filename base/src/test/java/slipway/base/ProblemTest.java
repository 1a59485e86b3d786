package slipway.base;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ProblemTest {
  @Test
  void aSentenceThatQuotesMuchIsCutInItsMiddle() {
    String path = "/" + "p".repeat(4094);
    assertThat(Problem.input(path + " is no folder; make it"))
        .hasMessage(path + " is no folder; make it");
    for (int length : new int[] {4_476, 4_477, 100_000}) {
      String name = "\ud83d\ude00".repeat(length);
      Problem problem = Problem.corrupt("there is no image " + name + "!; name another one");
      assertThat(problem.getMessage())
          .startsWith("there is no image \ud83d\ude00")
          .contains(" … ")
          .endsWith("; name another one")
          .hasSizeLessThan(5_010);
      assertThat(Printable.text(problem.getMessage()))
          .as("no half of a pair")
          .doesNotContain("\\ud8");
    }
  }
}
