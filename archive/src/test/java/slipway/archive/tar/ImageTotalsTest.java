package slipway.archive.tar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import slipway.base.Limit;
import slipway.base.Problem;

class ImageTotalsTest {
  @AfterEach
  void reset() {
    Limit.set("tree-bytes=" + Limit.TREE_BYTES.preset(), "test");
    Limit.set("image-bytes=" + Limit.IMAGE_BYTES.preset(), "test");
  }

  private static int fill(ImageTotals totals) {
    for (int i = 0; ; i++) {
      try {
        totals.inode(0);
      } catch (Problem e) {
        return i;
      }
    }
  }

  /** The inode that was refused is counted here and there, or nowhere. */
  @Test
  void anAttemptThatIsGivenUpTakesBackWhatItCounted() {
    Limit.set("tree-bytes=1m", "test");
    int all = fill(new ImageTotals("all"));
    ImageTotals image = new ImageTotals("the image's layers");
    ImageTotals attempt = image.attempt();
    assertThat(fill(attempt)).isEqualTo(all);
    attempt.giveUp(0);
    assertThat(fill(image)).isEqualTo(all);
  }

  @Test
  void whatIsKeptOfAnAttemptGoesOnCounting() {
    Limit.set("tree-bytes=1m", "test");
    ImageTotals image = new ImageTotals("the image's layers");
    ImageTotals attempt = image.attempt();
    attempt.inode(600_000);
    attempt.giveUp(500_000);
    image.inode(500_000);
    assertThatThrownBy(() -> image.inode(100_000)).isInstanceOf(Problem.class);
  }

  /** What comes again lies on the disk once; what does not is bounded, too. */
  @Test
  void whatAttemptsWroteCountsAmongThemselves() {
    Limit.set("image-bytes=100k", "test");
    ImageTotals image = new ImageTotals("the image's layers");
    ImageTotals attempt = image.attempt();
    attempt.content(60_000);
    attempt.giveUp(0);
    image.content(60_000);
    ImageTotals next = image.attempt();
    assertThatThrownBy(() -> next.content(60_000)).isInstanceOf(Problem.class);
    next.giveUp(0);
    image.content(30_000);
    assertThatThrownBy(() -> image.attempt().content(20_000)).isInstanceOf(Problem.class);
  }
}
