package slipway.disk;

import java.io.IOException;
import slipway.base.Cleanup;
import slipway.base.FileReason;
import slipway.base.Problem;

/**
 * The time in which something is erased and nothing is installed in its place yet. Who ends it
 * meanwhile, or meets a failure, is told what is lost.
 */
final class Erased implements AutoCloseable {
  private final String sentence;
  private final Cleanup.Remark remark;

  /**
   * @param sentence what is lost and what to do, without a full stop
   */
  Erased(String sentence) {
    this.sentence = sentence;
    this.remark = Cleanup.remark(sentence);
  }

  /**
   * Says of a failure what it has left.
   *
   * @return what to throw; defects of ours as they are
   */
  Exception failed(Exception failure) {
    return switch (failure) {
      case Problem p ->
          new Problem(p.kind(), p.sentence() + "; " + sentence, p).withDetails(p.details());
      case IOException e ->
          new Problem(Problem.Kind.ENVIRONMENT, FileReason.of(e) + "; " + sentence, e);
      default -> failure;
    };
  }

  @Override
  public void close() {
    remark.close();
  }
}
