package slipway.bench;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** What each row of a scenario took, in the order of the rounds. */
final class Samples {
  private final Map<String, List<Measured>> rows = new LinkedHashMap<>();

  void add(String row, Measured measured) {
    rows.computeIfAbsent(row, r -> new ArrayList<>()).add(measured);
  }

  Map<String, List<Measured>> rows() {
    return Collections.unmodifiableMap(rows);
  }

  double median(String row, ToDoubleFunction<Measured> value) {
    return median(row(row).stream().mapToDouble(value).boxed().toList());
  }

  double min(String row, ToDoubleFunction<Measured> value) {
    return row(row).stream().mapToDouble(value).min().orElseThrow();
  }

  double max(String row, ToDoubleFunction<Measured> value) {
    return row(row).stream().mapToDouble(value).max().orElseThrow();
  }

  /** The median over the rounds of (sum of {@code ours}) / (sum of {@code peers}). */
  Ratio ratio(String what, List<String> ours, List<String> peers, @Nullable Double goal) {
    return new Ratio(
        what, "", ratio(ours, peers, Measured::cpu), ratio(ours, peers, Measured::wall), goal);
  }

  /** How many times as many requests a second, the median over the rounds; at least the goal. */
  Ratio rate(String what, String ours, String peer, @Nullable Double goal) {
    double times = ratio(List.of(peer), List.of(ours), Measured::wall);
    return new Ratio(what, "× the rate", times, null, goal, true);
  }

  private double ratio(List<String> ours, List<String> peers, ToDoubleFunction<Measured> value) {
    int rounds = row(ours.getFirst()).size();
    return median(
        IntStream.range(0, rounds)
            .mapToObj(i -> sum(ours, i, value) / sum(peers, i, value))
            .toList());
  }

  private double sum(List<String> names, int round, ToDoubleFunction<Measured> value) {
    return names.stream().mapToDouble(n -> value.applyAsDouble(row(n).get(round))).sum();
  }

  private List<Measured> row(String name) {
    List<Measured> found = rows.get(name);
    if (found == null) {
      throw new IllegalArgumentException("no row " + name + " among " + rows.keySet());
    }
    return found;
  }

  private static double median(List<Double> values) {
    List<Double> sorted = values.stream().sorted().toList();
    int n = sorted.size();
    return (sorted.get((n - 1) / 2) + sorted.get(n / 2)) / 2;
  }
}
