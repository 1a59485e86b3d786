package slipway.builder.language;

import java.util.List;
import slipway.base.Position;

/**
 * A logical line: continuations joined, comments gone, the documents that follow it attached.
 *
 * @param at where it begins
 * @param text without surrounding white space
 * @param heredocs in the order in which the line names them
 */
public record Line(Position at, String text, List<Heredoc> heredocs) {
  public Line {
    heredocs = List.copyOf(heredocs);
  }

  /** The line with its documents written out again, so that it can be parsed anew. */
  String source() {
    StringBuilder all = new StringBuilder(text);
    for (Heredoc h : heredocs) {
      all.append('\n').append(h.content()).append(h.name());
    }
    return all.toString();
  }
}
