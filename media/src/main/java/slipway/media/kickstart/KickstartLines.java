package slipway.media.kickstart;

import java.util.List;

/** The lines of one file, one after the other. */
final class KickstartLines {
  private final KickstartSource.Text source;
  private final List<String> lines;
  private final int depth;
  private int next;

  KickstartLines(KickstartSource.Text source, int depth) {
    this.source = source;
    this.lines = PythonText.lines(source.text());
    this.depth = depth;
  }

  int count() {
    return lines.size();
  }

  boolean hasNext() {
    return next < lines.size();
  }

  String take() {
    return lines.get(next++);
  }

  /** Lets the last line be taken again. */
  void back() {
    next--;
  }

  /** The number of the last line that was taken, from 1. */
  int number() {
    return Math.max(1, next);
  }

  /** How many files include this one, each the next. */
  int depth() {
    return depth;
  }

  /** Its path beneath the folder of the first file. */
  String path() {
    return source.path();
  }

  /** The place of a character of the last line. */
  KickstartPlace place(int index) {
    String line = next == 0 || lines.isEmpty() ? "" : lines.get(next - 1);
    int at = index < 0 ? PythonText.start(line) : Math.min(index, line.length());
    if (at == line.length()) {
      at = index < 0 ? 0 : at;
    }
    return new KickstartPlace(source.name(), number(), line.codePointCount(0, at) + 1);
  }
}
