package slipway.system.selinux;

import slipway.system.selinux.LabelPattern.Alternatives;
import slipway.system.selinux.LabelPattern.Looks;
import slipway.system.selinux.LabelPattern.Part;
import slipway.system.selinux.LabelPattern.Reads;
import slipway.system.selinux.LabelPattern.Repetition;
import slipway.system.selinux.LabelPattern.Sequence;

/**
 * How much a matcher that backtracks may do between two readings of the text, for a pattern of a
 * stranger: {@code (){1000000}} and {@code (|)(|)(|)…} read nothing, so that counting what is read
 * would not end them. What the parts of a pattern do is summed from its end: a character takes one
 * step and hides what stands behind it; alternatives add up; what may be empty adds what follows.
 */
final class SilentWork {
  /** Honest patterns have some ten. */
  private static final int MOST = 1_000;

  /** Steps of the calculation itself; an honest pattern has some hundred parts. */
  private static final int MOST_VISITS = 20_000;

  private int visits;
  private long worst = 1;

  private SilentWork() {}

  /**
   * What a pattern takes.
   *
   * @param work steps that it may take between two readings, at least one
   * @param visits steps that finding this out took
   */
  record Judged(int work, int visits) {}

  /**
   * Judges a pattern.
   *
   * @throws IllegalArgumentException for one that takes too much
   */
  static Judged of(LabelPattern pattern) {
    SilentWork work = new SilentWork();
    long first = work.of(pattern.whole(), 1);
    return new Judged((int) Math.max(first, work.worst), work.visits);
  }

  /**
   * The work of a part until the text is read.
   *
   * @param rest that of what follows it
   */
  private long of(Part part, long rest) {
    if (++visits > MOST_VISITS) {
      throw new IllegalArgumentException("too many parts");
    }
    return switch (part) {
      case Reads r -> {
        worst = Math.max(worst, rest);
        yield 1;
      }
      case Looks l -> bounded(rest + 1);
      case Sequence s -> {
        long work = rest;
        for (Part each : s.parts().reversed()) {
          work = of(each, work);
        }
        yield bounded(work + 1);
      }
      case Alternatives a -> {
        long work = 0;
        for (Part each : a.parts()) {
          work = bounded(work + of(each, rest));
        }
        yield work;
      }
      case Repetition r -> repetition(r, rest);
    };
  }

  private long repetition(Repetition repetition, long rest) {
    long work = rest;
    if (repetition.more()) {
      // One that read nothing is not tried again.
      work = bounded(rest + of(repetition.part(), rest));
      of(repetition.part(), work);
    }
    for (int i = 0; i < repetition.least(); i++) {
      long before = work;
      work = bounded(of(repetition.part(), work) + 1);
      if (work == before) {
        break; // It reads in any case: what follows does not count.
      }
    }
    return work;
  }

  private static long bounded(long work) {
    if (work > MOST) {
      throw new IllegalArgumentException("too much that reads nothing");
    }
    return work;
  }
}
