package slipway.host.health;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import slipway.base.AtomicFile;
import slipway.base.KeyFile;
import slipway.base.Printable;
import slipway.base.RawText;
import slipway.host.health.HealthReport.State;
import slipway.host.system.FailedUnit;

/**
 * What is known of the start that this is: the key file {@code /run/slipway/health}. A value.
 *
 * <pre>
 *  [boot]       verdict=healthy, unhealthy   reason=…
 *               failed-required=UNIT UNIT    failed-wanted=UNIT
 *  [/PATH]      kind=required, wanted   result=passed, failed, skipped   seconds=1.250   message=…
 * </pre>
 *
 * @param file the key file
 */
record RunHealth(KeyFile file) {
  /** That runs the checks. */
  static final String UNIT = "slipway-health.service";

  private static final String BOOT = "boot";
  private static final String VERDICT = "verdict";
  private static final String REASON = "reason";
  private static final String FAILED_REQUIRED = "failed-required";
  private static final String FAILED_WANTED = "failed-wanted";
  private static final String KIND = "kind";
  private static final String RESULT = "result";
  private static final String SECONDS = "seconds";
  private static final String MESSAGE = "message";

  private static Path path(Path run) {
    return run.resolve("slipway/health");
  }

  /** Of checks, with no verdict yet. */
  static RunHealth of(List<HealthCheck> checks) {
    KeyFile file = KeyFile.empty();
    for (HealthCheck check : checks) {
      file =
          file.with(check.name(), KIND, HealthCheck.word(check.kind()))
              .with(check.name(), RESULT, HealthCheck.word(check.result()))
              .with(check.name(), SECONDS, String.format(Locale.ROOT, "%.3f", check.seconds()))
              .with(check.name(), MESSAGE, check.message());
    }
    return new RunHealth(file);
  }

  /** Reads it; nothing is known where there is no file, or one that cannot be read. */
  static RunHealth read(Path run) {
    return new RunHealth(KeyFile.readable(path(run)));
  }

  void write(Path run) throws IOException {
    AtomicFile.write(path(run), RawText.encode(file.toString()));
  }

  RunHealth withVerdict(State state, String reason, List<FailedUnit> failed) {
    return new RunHealth(
        file.with(BOOT, VERDICT, HealthCheck.word(state))
            .with(BOOT, REASON, Printable.text(reason))
            .with(BOOT, FAILED_REQUIRED, names(failed, true))
            .with(BOOT, FAILED_WANTED, names(failed, false)));
  }

  private static String names(List<FailedUnit> failed, boolean required) {
    return Printable.text(
        String.join(
            " ",
            failed.stream().filter(u -> u.required() == required).map(FailedUnit::name).toList()));
  }

  Optional<State> verdict() {
    return file.get(BOOT, VERDICT).flatMap(word -> constant(State.values(), word));
  }

  String reason() {
    return file.get(BOOT, REASON).orElse("");
  }

  List<FailedUnit> units() {
    List<FailedUnit> units = new ArrayList<>();
    for (String key : List.of(FAILED_REQUIRED, FAILED_WANTED)) {
      for (String name : file.get(BOOT, key).orElse("").split(" ")) {
        if (!name.isEmpty()) {
          units.add(new FailedUnit(name, key.equals(FAILED_REQUIRED)));
        }
      }
    }
    return units;
  }

  /** The checks that were made, in their order. */
  List<HealthCheck> checks() {
    List<HealthCheck> checks = new ArrayList<>();
    for (String name : file.groups()) {
      Optional<HealthCheck.Kind> kind =
          file.get(name, KIND).flatMap(word -> constant(HealthCheck.Kind.values(), word));
      Optional<HealthCheck.Result> result =
          file.get(name, RESULT).flatMap(word -> constant(HealthCheck.Result.values(), word));
      if (kind.isPresent() && result.isPresent()) {
        checks.add(
            new HealthCheck(
                name,
                kind.get(),
                result.get(),
                seconds(file.get(name, SECONDS).orElse("")),
                file.get(name, MESSAGE).orElse("")));
      }
    }
    return checks;
  }

  private static double seconds(String text) {
    return text.matches("[0-9]{1,9}\\.[0-9]{3}") ? Double.parseDouble(text) : 0;
  }

  private static <E extends Enum<E>> Optional<E> constant(E[] all, String word) {
    for (E each : all) {
      if (HealthCheck.word(each).equals(word)) {
        return Optional.of(each);
      }
    }
    return Optional.empty();
  }
}
