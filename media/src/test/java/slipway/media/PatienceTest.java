package slipway.media;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import slipway.linux.process.Command;

/** Waiting for guests that get on, slowly, and for those that do not. */
class PatienceTest {
  private static final Duration LIMIT = Duration.ofSeconds(480);

  private long now;
  private long talk;
  private long starved;

  private Patience patience() {
    return new Patience(LIMIT, () -> now, () -> talk, () -> starved);
  }

  private void pass(long seconds) {
    now += TimeUnit.SECONDS.toNanos(seconds);
  }

  @Test
  void aSilentGuestHasItsLimit() {
    Patience patience = patience();
    pass(480);
    assertThat(patience.isOver()).isFalse();
    pass(1);
    assertThat(patience.isOver()).isTrue();
  }

  @Test
  void everyWordBeginsTheLimitAnew() {
    Patience patience = patience();
    for (int i = 0; i < 3; i++) {
      pass(400);
      talk++;
      assertThat(patience.isOver()).isFalse();
    }
    pass(481);
    assertThat(patience.isOver()).isTrue();
  }

  /** A machine with a load of 6 on 2 processors: the guest runs a third of the time. */
  @Test
  void timeInWhichTheGuestGetsNoProcessorDoesNotCount() {
    Patience patience = patience();
    for (int i = 0; i < 14; i++) {
      pass(90);
      starved += TimeUnit.SECONDS.toNanos(60);
      assertThat(patience.isOver()).describedAs("after %d s", 90 * (i + 1)).isFalse();
    }
    pass(90);
    assertThat(patience.isOver()).isTrue();
  }

  @Test
  void aGuestThatRestartsForEverIsGivenUp() {
    Patience patience = patience();
    boolean over = false;
    int seconds = 0;
    while (!over && seconds < 10_000) {
      pass(10);
      seconds += 10;
      talk++;
      over = patience.isOver();
    }
    assertThat(seconds).isEqualTo(Patience.TALK * 480 + 10);
  }

  /** Two loops on one processor: the one that is waited for runs a quarter of the time. */
  @Test
  @Tag("slow")
  void starvationIsSeenInTheKernelsTimes() throws Exception {
    Console console = new Console(OutputStream.nullOutputStream());
    console.pump(new ByteArrayInputStream(new byte[3]), OutputStream.nullOutputStream());
    assertThat(console.received()).isEqualTo(3);
    String loop = "while :; do :; done";
    Process rival = Command.of("taskset", "-c", "0", "sh", "-c", loop).start();
    Process guest = Command.of("taskset", "-c", "0", "nice", "-n", "5", "sh", "-c", loop).start();
    try {
      long begin = System.nanoTime();
      Patience patience = Patience.with(guest, console, Duration.ofSeconds(1));
      while (!patience.isOver()) {
        guest.waitFor(50, TimeUnit.MILLISECONDS);
      }
      assertThat(System.nanoTime() - begin)
          .describedAs("one second of the guest's time")
          .isGreaterThan(TimeUnit.MILLISECONDS.toNanos(2000));
    } finally {
      Command.kill(rival);
      Command.kill(guest);
    }
  }
}
