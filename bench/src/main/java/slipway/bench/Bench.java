package slipway.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import slipway.base.Problem;

/**
 * Runs benchmarks side by side with peers and prints a table: {@code Bench [--json] [--rounds N]
 * [--state DIR] [--image NAME] [SCENARIO...]}. In each round every contender takes part once, one
 * after the other, so that what else the machine does hits all alike.
 */
final class Bench {
  private static final String USAGE =
      "usage: tools/bench [--json] [--rounds N] [--state DIR] [--image NAME] [--scratch DIR]"
          + " [SCENARIO...]";

  private Bench() {}

  /** Runs; exits with 1 when something could not be measured, 2 for a wrong command line. */
  public static void main(String[] arguments) throws IOException {
    try {
      Options options = Options.parse(arguments);
      Machine machine = Machine.here(Clock.systemUTC());
      if (options.json) {
        System.out.print(Report.json(machine, run(options, result -> {})));
      } else {
        System.out.print(Report.markdown(machine));
        run(options, result -> System.out.print(Report.markdown(result)));
      }
    } catch (Problem e) {
      System.err.println(e.getMessage());
      System.exit(e.kind().exitCode());
    }
  }

  static Map<String, Scenario> scenarios() {
    Map<String, Scenario> all = new LinkedHashMap<>();
    for (Scenario scenario :
        List.of(
            new ImportScenario(),
            new DiskScenario(),
            new UpgradeScenario(),
            new BuildScenario(),
            new StartScenario(),
            new RegistryScenario())) {
      all.put(scenario.name(), scenario);
    }
    return all;
  }

  /** Runs scenarios one after the other, telling of each as it ends. */
  static List<Result> run(Options options, Consumer<Result> done) throws IOException {
    List<Result> results = new ArrayList<>();
    try (Inputs inputs =
        new Inputs(options.checkout, options.state, options.image, options.scratch)) {
      for (Scenario scenario : options.scenarios) {
        System.err.println(scenario.title() + " ...");
        Result result = run(scenario, inputs, options.rounds);
        done.accept(result);
        results.add(result);
      }
    }
    return results;
  }

  private static Result run(Scenario scenario, Inputs inputs, int rounds) throws IOException {
    List<Scenario.Contender> contenders = scenario.contenders(inputs);
    Samples samples = new Samples();
    double before = Machine.load();
    for (int round = 0; round < rounds; round++) {
      for (Scenario.Contender contender : contenders) {
        Path dir = inputs.folder(scenario.name());
        try {
          contender.run(dir, samples);
        } finally {
          Inputs.remove(dir);
        }
      }
      System.err.println("round " + (round + 1) + " of " + rounds + ", load " + Machine.load());
    }
    return new Result(
        scenario.name(),
        scenario.title(),
        samples,
        scenario.ratios(samples),
        scenario.notes(),
        before,
        Machine.load());
  }

  /** The command line, parsed. */
  static final class Options {
    boolean json;
    int rounds = 3;
    Path checkout = findCheckout();
    Path state = Path.of("/var/lib/slipway");
    Path scratch = Path.of("/var/tmp");
    String image = "localhost/debian-bootc:trixie";
    List<Scenario> scenarios = new ArrayList<>();

    static Options parse(String... arguments) {
      Options options = new Options();
      List<String> rest = new ArrayList<>(List.of(arguments));
      while (!rest.isEmpty()) {
        options.take(rest);
      }
      if (options.scenarios.isEmpty()) {
        options.scenarios.addAll(scenarios().values());
      }
      return options;
    }

    private void take(List<String> rest) {
      String word = rest.removeFirst();
      switch (word) {
        case "--json" -> json = true;
        case "--rounds" -> rounds = count(value(word, rest));
        case "--state" -> state = Path.of(value(word, rest)).toAbsolutePath();
        case "--scratch" -> scratch = Path.of(value(word, rest)).toAbsolutePath();
        case "--image" -> image = value(word, rest);
        default -> {
          Scenario scenario = scenarios().get(word);
          if (scenario == null) {
            throw Problem.usage(
                "there is no scenario " + word + ", only " + scenarios().keySet() + "; " + USAGE);
          }
          scenarios.add(scenario);
        }
      }
    }

    private static String value(String option, List<String> rest) {
      if (rest.isEmpty()) {
        throw Problem.usage(option + " needs a value; " + USAGE);
      }
      return rest.removeFirst();
    }

    private static int count(String text) {
      if (!text.matches("[1-9][0-9]{0,3}")) {
        throw Problem.usage("--rounds " + text + " is not a number from 1 to 9999");
      }
      return Integer.parseInt(text);
    }

    private static Path findCheckout() {
      for (Path p = Path.of("").toAbsolutePath(); p != null; p = p.getParent()) {
        if (Files.isExecutable(p.resolve("slipway"))) {
          return p;
        }
      }
      throw Problem.usage("run this below a checkout; there is no ./slipway here or above");
    }
  }
}
