package slipway.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/** Results as text. */
final class Report {
  private static final double MIB = 1024 * 1024;

  private Report() {}

  /** The first line. */
  static String markdown(Machine machine) {
    StringBuilder out = new StringBuilder();
    line(
        out,
        "%s; %d cores (%s), %.0f GiB; Linux %s; JDK %s",
        machine.date(),
        machine.cores(),
        machine.processor(),
        machine.memory() / MIB / 1024,
        machine.kernel(),
        machine.jdk());
    return out.toString();
  }

  /** A scenario's two tables. */
  static String markdown(Result result) {
    StringBuilder out = new StringBuilder();
    line(out, "");
    line(out, "### %s", result.title());
    line(out, "");
    line(out, "| | CPU s, median | wall s, median | wall s, least | peak MiB | runs |");
    line(out, "|---|---:|---:|---:|---:|---:|");
    Samples s = result.samples();
    for (String row : s.rows().keySet()) {
      line(
          out,
          "| %s | %.2f | %.2f | %.2f | %.0f | %d |",
          row,
          s.median(row, Measured::cpu),
          s.median(row, Measured::wall),
          s.min(row, Measured::wall),
          s.max(row, Measured::peakRss) / MIB,
          s.rows().get(row).size());
    }
    line(out, "");
    line(out, "| compared | CPU | wall | goal | |");
    line(out, "|---|---:|---:|---:|---|");
    for (Ratio r : result.ratios()) {
      line(
          out,
          "| %s | %.2f%s | %s | %s | %s |",
          r.what(),
          r.cpu(),
          r.unit().isEmpty() ? "" : " " + r.unit(),
          r.wall() == null ? "" : String.format(Locale.ROOT, "%.2f", r.wall()),
          r.goal() == null
              ? ""
              : String.format(Locale.ROOT, r.atLeast() ? "≥ %.1f" : "≤ %.1f", r.goal()),
          r.goal() == null ? "" : r.isMissed() ? "missed" : "met");
    }
    line(out, "");
    line(
        out,
        "Load average %.1f before, %.1f after. %s",
        result.loadBefore(),
        result.loadAfter(),
        String.join(" ", result.notes()));
    return out.toString();
  }

  private static void line(StringBuilder out, String format, Object... values) {
    out.append(String.format(Locale.ROOT, format, values)).append('\n');
  }

  static String json(Machine machine, List<Result> results) {
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("date", machine.date().toString());
    root.put("cores", machine.cores());
    root.put("processor", machine.processor());
    root.put("memory", machine.memory());
    root.put("kernel", machine.kernel());
    root.put("jdk", machine.jdk());
    root.put("scenarios", results.stream().map(Report::tree).toList());
    return JsonMapper.builder().build().writerWithDefaultPrettyPrinter().writeValueAsString(root)
        + "\n";
  }

  private static Map<String, Object> tree(Result result) {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("name", result.name());
    tree.put("loadBefore", result.loadBefore());
    tree.put("loadAfter", result.loadAfter());
    tree.put("runs", result.samples().rows());
    List<Map<String, Object>> ratios = new ArrayList<>();
    for (Ratio ratio : result.ratios()) {
      Map<String, Object> one = new LinkedHashMap<>();
      one.put("what", ratio.what());
      one.put("unit", ratio.unit());
      one.put("cpu", ratio.cpu());
      one.put("wall", ratio.wall());
      one.put("goal", ratio.goal());
      one.put("atLeast", ratio.atLeast());
      one.put("missed", ratio.isMissed());
      ratios.add(one);
    }
    tree.put("ratios", ratios);
    tree.put("notes", result.notes());
    return tree;
  }
}
