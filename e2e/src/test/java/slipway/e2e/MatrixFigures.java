package slipway.e2e;

import java.util.Locale;
import java.util.Map;

/** A row of the table that {@link PowerCutMatrixTest} prints: what a verb went through. */
final class MatrixFigures {
  int moments;
  int cached;
  int lost;
  int old;
  int fresh;
  int unsettled;
  int again;
  int kills;
  int hit;

  void add(MatrixFigures other) {
    moments += other.moments;
    cached = Math.max(cached, other.cached);
    lost = Math.max(lost, other.lost);
    old += other.old;
    fresh += other.fresh;
    unsettled += other.unsettled;
    again += other.again;
    kills += other.kills;
    hit += other.hit;
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "| %7d | %6d | %6d | %4d | %4d | %9d | %8d | %5d | %4d |",
        moments,
        cached,
        lost,
        old,
        fresh,
        unsettled,
        again,
        kills,
        hit);
  }

  /** Prints all rows, by their first two cells, and their sum. */
  static void print(Map<String, MatrixFigures> rows) {
    System.out.println(
        "| root  | verb         | moments | cached |   lost |  old |  new | unsettled |    again |"
            + " kills |  hit |");
    System.out.println(
        "|-------|--------------|--------:|-------:|-------:|-----:|-----:|----------:|---------:|"
            + "------:|-----:|");
    MatrixFigures sum = new MatrixFigures();
    rows.forEach(
        (name, row) -> {
          System.out.println(name + row);
          sum.add(row);
        });
    System.out.println("| all   |              " + sum);
  }
}
