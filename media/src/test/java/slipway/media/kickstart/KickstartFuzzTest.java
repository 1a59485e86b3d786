package slipway.media.kickstart;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import slipway.base.Printable;

/** Whatever a file holds, it is read to its end, in time, and what is said of it can be printed. */
class KickstartFuzzTest {
  private static final int TEXTS = 4000;
  private static final String[] PIECES = {
    "-",
    "--",
    "=",
    " ",
    "\"",
    "'",
    "\\",
    "\n",
    "\r",
    "%",
    "#",
    ",",
    "\u2013",
    "\u00a0",
    "\u201c",
    "\u2028",
    "\u0000",
    "\ud800",
    "%end\n",
    "%include x\n",
    "%packages\n",
    "%post\n",
    "--no",
    "9",
    "/",
    "\u001b[2J",
    "@",
    "-@"
  };

  @Test
  void mutatedFilesAreReadOrRefused() throws IOException {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    List<Verdict> verdicts = Verdict.all();
    long start = System.nanoTime();
    for (int i = 0; i < TEXTS; i++) {
      StringBuilder text = new StringBuilder();
      for (int parts = random.nextInt(4); parts >= 0; parts--) {
        text.append(verdicts.get(random.nextInt(verdicts.size())).text());
      }
      for (int changes = random.nextInt(8); changes > 0; changes--) {
        change(text, random);
      }
      KickstartVersion version = List.of(KickstartVersion.values()).get(random.nextInt(3));
      check(text.toString(), version, "seed " + seed + ", text " + i);
    }
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(60));
  }

  private static void change(StringBuilder text, Random random) {
    int at = random.nextInt(text.length() + 1);
    int end = Math.min(text.length(), at + random.nextInt(5));
    text.replace(at, end, PIECES[random.nextInt(PIECES.length)]);
  }

  private static void check(String text, KickstartVersion version, String where) {
    KickstartFile file;
    try {
      file = Verdict.read(text, version);
    } catch (RuntimeException e) {
      throw new AssertionError(where + ": " + Printable.text(text), e);
    }
    long lines = PythonText.lines(text).size();
    for (KickstartFinding finding : file.findings()) {
      assertThat(finding.message()).as(where).isNotEmpty();
      assertThat((long) finding.at().line()).as(where).isBetween(1L, Math.max(1, lines));
      assertThat(finding.at().column()).as(where).isPositive();
    }
  }

  /** What would take a time quadratic in its length, if anything did. */
  @ParameterizedTest
  @EnumSource
  void longFilesTakeTimeInProportion(KickstartVersion version) {
    String[] hostile = {
      "firewall " + "--ssh ".repeat(10_000) + "\n",
      "volgroup vg " + "pv.01 --pesize=4 ".repeat(3_500) + "\n",
      "keyboard " + "a ".repeat(30_000) + "\n",
      "text " + "--non-interactiv ".repeat(3_500) + "\n",
      "network --teamslaves=" + "a'{}',".repeat(10_000) + "\n",
      "part / --size=" + "9".repeat(60_000) + "\n",
      "user --name=a\n".repeat(50_000),
      "part\n".repeat(50_000),
      "%packages\n" + "@a --optional\n".repeat(50_000) + "%end\n",
      "%post\n" + "x".repeat(2_000_000) + "\n%end\n",
      "'".repeat(65_000) + "\n",
      "\\".repeat(65_000) + "\n",
      "\u2013".repeat(65_000) + "\n",
      "%post\n%end\n".repeat(50_000),
      "%include /x\n".repeat(50_000),
      "a".repeat(65_000) + "\n",
    };
    for (String text : hostile) {
      long start = System.nanoTime();
      KickstartFile file = Verdict.read(text, version);
      assertThat(file.findings()).hasSizeLessThan(1100);
      assertThat(Duration.ofNanos(System.nanoTime() - start))
          .as(text.substring(0, 20))
          .isLessThan(Duration.ofSeconds(20));
    }
  }

  @Test
  void linesAndFindingsHaveBounds() {
    assertThat(Verdict.message(Verdict.read("text\n".repeat(200_001), KickstartVersion.F45)))
        .endsWith("the file has more than 200000 lines");
    assertThat(Verdict.message(Verdict.read("text " + "a".repeat(1 << 16), KickstartVersion.F45)))
        .endsWith("the line has more than 65536 characters");
    List<KickstartFinding> many =
        Verdict.read("bogus\n".repeat(5000), KickstartVersion.F45).findings();
    assertThat(many).hasSize(1001);
    assertThat(many.getLast().message()).isEqualTo("there is more; what follows is not told");
  }
}
