package slipway.host.health;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.host.health.HealthCheck.Kind;
import slipway.host.health.HealthCheck.Result;
import slipway.host.system.HostEnvironment;
import slipway.host.system.PrivateMounts;
import slipway.linux.process.Command;

/**
 * The scripts that tell whether a system is well, and those that are run when that is known. They
 * are of the image and of the administrator, and run as root with the mounts that everybody sees.
 *
 * <pre>
 *  {usr/lib,etc}/bootc/health.d/*                 programs that must pass; one in /etc replaces its
 *                                                 namesake, and hides it when it is empty or a link
 *                                                 to /dev/null
 *  {usr/lib,etc}/greenboot/check/required.d/*.sh  scripts for bash that must pass
 *  {usr/lib,etc}/greenboot/check/wanted.d/*.sh    those whose failure is a warning
 *  {usr/lib,etc}/greenboot/green.d/*.sh           run when the system is well
 *  {usr/lib,etc}/greenboot/red.d/*.sh             run when it is not
 * </pre>
 */
final class CheckScripts {
  private static final List<String> PLACES = List.of("usr/lib", "etc");

  /** A check that hangs is one that fails. */
  private static final Duration LIMIT = Duration.ofMinutes(5);

  /** Less than the half hour after which boot-complete.target is given up: all are told before. */
  private static final Duration ALL_LIMIT = Duration.ofMinutes(20);

  private final HostEnvironment host;
  private final Duration limit;
  private final Duration allLimit;

  CheckScripts(HostEnvironment host) {
    this(host, LIMIT, ALL_LIMIT);
  }

  /**
   * @param limit for each script
   * @param allLimit for the scripts of one call together; what is not run for it has failed
   */
  CheckScripts(HostEnvironment host, Duration limit, Duration allLimit) {
    this.host = host;
    this.limit = limit;
    this.allLimit = allLimit;
  }

  /** When the scripts of a folder are run that greenboot has besides checks. */
  enum Hook {
    GREEN,
    RED
  }

  private record Script(Path file, String name, List<String> command, Kind kind) {}

  /** Runs all checks, one after the other, and tells each line that they print. */
  List<HealthCheck> check() throws IOException {
    long begin = System.nanoTime();
    List<HealthCheck> results = new ArrayList<>();
    for (Path program : programs()) {
      String name = name(program);
      if (Files.isExecutable(program) || isAstray(program)) {
        List<String> command = List.of(program.toString());
        results.add(run(new Script(program, name, command, Kind.REQUIRED), begin));
      } else {
        say(name, "is not executable and was not run");
        results.add(
            new HealthCheck(name, Kind.REQUIRED, Result.SKIPPED, 0, "it is not executable"));
      }
    }
    for (Script script : scripts("greenboot/check/required.d", Kind.REQUIRED)) {
      results.add(run(script, begin));
    }
    for (Script script : scripts("greenboot/check/wanted.d", Kind.WANTED)) {
      results.add(run(script, begin));
    }
    return results;
  }

  /** Runs what is to be run when it is known how the system is; failures are told. */
  void run(Hook hook) throws IOException {
    long begin = System.nanoTime();
    for (Script script : scripts("greenboot/" + HealthCheck.word(hook) + ".d", Kind.WANTED)) {
      run(script, begin);
    }
  }

  /** Our own folder, by name. */
  private List<Path> programs() throws IOException {
    TreeMap<String, Path> byName = new TreeMap<>();
    for (String place : PLACES) {
      for (Path file : files(place + "/bootc/health.d")) {
        byName.put(file.getFileName().toString(), file);
      }
    }
    List<Path> found = new ArrayList<>();
    for (Path file : byName.values()) {
      if (isAstray(file) || (Files.isRegularFile(file) && Files.size(file) > 0)) {
        found.add(file);
      }
    }
    return found;
  }

  private List<Script> scripts(String folder, Kind kind) throws IOException {
    List<Script> found = new ArrayList<>();
    for (String place : PLACES) {
      for (Path file : files(place + "/" + folder)) {
        if (file.toString().endsWith(".sh") && (Files.isRegularFile(file) || isAstray(file))) {
          found.add(new Script(file, name(file), List.of("bash", file.toString()), kind));
        }
      }
    }
    return found;
  }

  /**
   * Whether it is meant for a script that is not there: nobody may take that for one that passes.
   */
  private static boolean isAstray(Path file) {
    return Files.isSymbolicLink(file) && !Files.exists(file);
  }

  /** What of a folder may be a script, by name: not what editors and package managers leave. */
  private List<Path> files(String folder) throws IOException {
    Path path = host.root().resolve(folder);
    List<Path> found = new ArrayList<>();
    if (Files.isDirectory(path)) {
      try (DirectoryStream<Path> children = Files.newDirectoryStream(path)) {
        for (Path child : children) {
          String name = child.getFileName().toString();
          if (name.matches("[A-Za-z0-9_][A-Za-z0-9_.@:+-]*") && !name.matches(".*\\.dpkg-\\w+")) {
            found.add(child);
          }
        }
      }
    }
    found.sort(null);
    return found;
  }

  private String name(Path file) {
    return "/" + host.root().relativize(file);
  }

  /**
   * @param begin of all scripts; not by the clock, which may be set while a system starts
   */
  private HealthCheck run(Script script, long begin) {
    if (isAstray(script.file())) {
      String astray = "it is a link that leads to no file";
      say(script.name(), astray);
      return new HealthCheck(script.name(), script.kind(), Result.FAILED, 0, astray);
    }
    Duration left = allLimit.minusNanos(System.nanoTime() - begin);
    if (!left.isPositive()) {
      String late =
          "not run: the scripts before it took all the time, " + allLimit.toMinutes() + " minutes";
      say(script.name(), late);
      return new HealthCheck(script.name(), script.kind(), Result.FAILED, 0, late);
    }
    Duration most = left.compareTo(limit) < 0 ? left : limit;
    long start = System.nanoTime();
    // What a script leaves behind may go on printing.
    StringBuffer last = new StringBuffer();
    String failure;
    try {
      int status =
          outside(script.command()).timeout(most).stream(
              line -> {
                say(script.name(), line);
                if (!line.isBlank()) {
                  last.setLength(0);
                  last.append(line.strip());
                }
              });
      failure = status == 0 ? "" : "ended with status " + status;
    } catch (Problem e) {
      failure = e.sentence();
    }
    double seconds = (System.nanoTime() - start) / 1_000_000 / 1000.0;
    if (failure.isEmpty()) {
      say(script.name(), "passed");
      return new HealthCheck(
          script.name(), script.kind(), Result.PASSED, seconds, Printable.text(last.toString()));
    }
    String message = last.isEmpty() ? failure : failure + ": " + last;
    say(script.name(), "failed: " + failure);
    return new HealthCheck(
        script.name(), script.kind(), Result.FAILED, seconds, Printable.text(message));
  }

  /** With the mounts of process 1: ours are private, see {@link PrivateMounts}. */
  private Command outside(List<String> command) {
    if (!host.variables().containsKey(PrivateMounts.MARK)) {
      return Command.of(command);
    }
    List<String> argv = new ArrayList<>(List.of("nsenter", "--target", "1", "--mount", "--"));
    argv.addAll(command);
    return Command.of(argv)
        .environment(PrivateMounts.MARK, null)
        .environment(PrivateMounts.STARTER, null);
  }

  private void say(String name, String line) {
    host.out().accept(Printable.text(name + ": " + line));
  }
}
