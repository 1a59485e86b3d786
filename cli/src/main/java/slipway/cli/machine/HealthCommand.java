package slipway.cli.machine;

import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import slipway.base.Printable;
import slipway.base.Progress;
import slipway.cli.output.JsonText;
import slipway.host.health.BootHealth;
import slipway.host.health.HealthCheck;
import slipway.host.health.HealthReport;
import slipway.host.status.HealthRecord;
import slipway.host.system.FailedUnit;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** {@code bootc health}. */
@Command(
    name = "health",
    mixinStandardHelpOptions = true,
    description = "Show whether this system is healthy, and how new ones are tried.",
    footer = {"bootc health", "bootc health --json", "bootc health --tries 5"})
public final class HealthCommand implements Callable<Integer> {
  @Option(names = "--json", description = "as JSON")
  boolean json;

  @Option(
      names = "--tries",
      paramLabel = "N",
      description =
          "starts that a new deployment has to be healthy, 0 to 9, from the next update on"
              + " (default: 3); 0: it is never rolled back by itself")
  @Nullable Integer tries;

  @Spec CommandSpec spec;

  @Override
  public Integer call() throws Exception {
    Integer number = tries;
    if (number != null) {
      return Bootc.work(
          spec,
          json,
          host -> {
            new BootHealth(host).setTries(number);
            return JsonNodeFactory.instance.objectNode().put("tries", number);
          });
    }
    HealthReport report = new BootHealth(Bootc.environment(spec, true, Progress.NONE)).report();
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(JsonText.pretty(json(report)));
    } else {
      out.print(Printable.lines(text(report)));
    }
    out.flush();
    return 0;
  }

  // ---- for people ----

  private static String text(HealthReport report) {
    StringBuilder text = new StringBuilder();
    text.append("State: ")
        .append(
            switch (report.state()) {
              case HEALTHY -> "healthy";
              case UNHEALTHY -> "not healthy: " + report.reason();
              case PENDING -> "still starting";
            })
        .append('\n');
    for (HealthCheck check : report.checks()) {
      text.append(line(check)).append('\n');
    }
    for (FailedUnit unit : report.units()) {
      text.append("Unit: ")
          .append(unit.name())
          .append(unit.required() ? " failed" : " failed, which is a warning")
          .append('\n');
    }
    HealthReport.Trial trial = report.trial();
    text.append("Trial: ").append(trial == null ? "none" : words(trial)).append('\n');
    HealthRecord.Rollback back = report.rollback();
    if (back != null) {
      text.append(
              "Rolled back: from %s to %s at %s\n".formatted(back.from(), back.to(), back.time()))
          .append("  because ")
          .append(back.reason())
          .append('\n');
    }
    return text.append("Tries of a new deployment: ")
        .append(report.tries())
        .append('\n')
        .toString();
  }

  private static String line(HealthCheck check) {
    String line =
        String.format(
            Locale.ROOT,
            "Check: %s %s, %.1f s",
            check.name(),
            HealthCheck.word(check.result()),
            check.seconds());
    String warning =
        check.kind() == HealthCheck.Kind.WANTED && check.result() == HealthCheck.Result.FAILED
            ? ", which is a warning"
            : "";
    return line + warning + (check.message().isEmpty() ? "" : ": " + check.message());
  }

  private static String words(HealthReport.Trial trial) {
    return "%s, %d of %d tries left, counted by %s%s"
        .formatted(
            trial.booted() ? "what runs, " + trial.image() : "what boots next, " + trial.image(),
            trial.left(),
            trial.tries(),
            trial.countedByLoader() ? "the boot loader" : "the system alone",
            trial.booted() || trial.left() > 0 ? "" : "; it will not be started again");
  }

  // ---- for programs ----

  private static ObjectNode json(HealthReport report) {
    ObjectNode root =
        JsonNodeFactory.instance
            .objectNode()
            .put("state", HealthCheck.word(report.state()))
            .put("reason", report.reason().isEmpty() ? null : report.reason())
            .put("tries", report.tries());
    ArrayNode checks = root.putArray("checks");
    for (HealthCheck check : report.checks()) {
      checks
          .addObject()
          .put("name", check.name())
          .put("kind", HealthCheck.word(check.kind()))
          .put("result", HealthCheck.word(check.result()))
          .put("seconds", check.seconds())
          .put("message", check.message());
    }
    ArrayNode units = root.putArray("failedUnits");
    for (FailedUnit unit : report.units()) {
      units
          .addObject()
          .put("name", unit.name())
          .put("kind", unit.required() ? "required" : "wanted");
    }
    HealthReport.Trial trial = report.trial();
    if (trial == null) {
      root.putNull("trial");
    } else {
      root.putObject("trial")
          .put("image", trial.image())
          .put("tries", trial.tries())
          .put("left", trial.left())
          .put("booted", trial.booted())
          .put("countedBy", trial.countedByLoader() ? "boot-loader" : "system");
    }
    HealthRecord.Rollback back = report.rollback();
    if (back == null) {
      root.putNull("rollback");
    } else {
      root.putObject("rollback")
          .put("from", back.from())
          .put("to", back.to())
          .put("time", back.time())
          .put("reason", back.reason());
    }
    return root;
  }
}
