package slipway.cli.machine;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.cli.output.JsonText;
import slipway.cli.output.Terminal;
import slipway.cli.output.TerminalProgress;
import slipway.host.system.HostEnvironment;
import slipway.host.update.Host;
import tools.jackson.databind.JsonNode;

/** The verbs of {@code bootc}, with its options and its output. */
public final class Bootc {
  private Bootc() {}

  static HostEnvironment environment(CommandSpec spec, boolean quiet, Progress progress) {
    return HostEnvironment.thisMachine(
        System.getenv(),
        text -> printTo(spec).println(Printable.lines(text)),
        quiet ? Progress.NONE : progress);
  }

  /** Runs work that changes the machine, showing its progress. */
  public static int change(CommandSpec spec, boolean quiet, Change change) throws Exception {
    return changeBy(spec, quiet, host -> change.run(Host.of(host)));
  }

  public interface Change {
    void run(Host host) throws IOException;
  }

  /** Work on a machine. */
  interface MachineChange {
    void run(HostEnvironment host) throws IOException;
  }

  /** As {@link #change}, with the machine itself. */
  static int changeBy(CommandSpec spec, boolean quiet, MachineChange change) throws Exception {
    return change(spec, quiet, text -> printTo(spec).println(Printable.lines(text)), change);
  }

  private static int change(
      CommandSpec spec, boolean quiet, Consumer<String> out, MachineChange change)
      throws Exception {
    Progress progress = TerminalProgress.forStderr(System.err, quiet);
    try {
      HostEnvironment host =
          HostEnvironment.thisMachine(System.getenv(), out, quiet ? Progress.NONE : progress);
      return Host.of(host)
          .privately(
              () -> {
                change.run(host);
                printTo(spec).flush();
                return 0;
              });
    } finally {
      TerminalProgress.finish(progress);
    }
  }

  private static PrintWriter printTo(CommandSpec spec) {
    return spec.commandLine().getOut();
  }

  /** Work on a machine that gives something to tell. */
  interface Work {
    /**
     * @return what {@code --json} prints
     */
    JsonNode run(HostEnvironment host) throws IOException;
  }

  /**
   * Runs work that changes the machine.
   *
   * @param json whether it is told as JSON alone
   */
  static int work(CommandSpec spec, boolean json, Work work) throws Exception {
    if (!json) {
      return changeBy(spec, false, work::run);
    }
    return change(
        spec, false, text -> {}, host -> printTo(spec).println(JsonText.pretty(work.run(host))));
  }

  /** {@code bootc status}. */
  @Command(
      name = "status",
      mixinStandardHelpOptions = true,
      description = "Show what is booted, staged, and kept for rollback.",
      footer = "bootc status --format yaml")
  public static final class Status implements Callable<Integer> {
    @Option(names = "--json", description = "as JSON")
    boolean json;

    @Option(
        names = "--format",
        paramLabel = "humanreadable|yaml|json",
        description = "default: for people on a terminal, else YAML")
    Host.@Nullable Format format;

    @Option(names = "--format-version", paramLabel = "1", description = "version of the document")
    int version = 1;

    @Option(names = "--booted", description = "only what is booted")
    boolean booted;

    @Option(
        names = {"-v", "--verbose"},
        description = "more rows")
    boolean verbose;

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws IOException {
      if (version != 0 && version != 1) {
        throw Problem.usage("unknown format version " + version + "; there is 1");
      }
      Host.Format chosen =
          json
              ? Host.Format.JSON
              : format != null
                  ? format
                  : Terminal.stdoutIsTerminal() ? Host.Format.HUMANREADABLE : Host.Format.YAML;
      var out = spec.commandLine().getOut();
      String text = Host.of(environment(spec, true, Progress.NONE)).status(chosen, verbose, booted);
      String shown =
          chosen == Host.Format.HUMANREADABLE ? Printable.lines(text) : Printable.json(text);
      out.print(shown.endsWith("\n") ? shown : shown + "\n");
      out.flush();
      return 0;
    }
  }

  /** {@code bootc upgrade}, {@code bootc update}. */
  @Command(
      name = "upgrade",
      mixinStandardHelpOptions = true,
      description = "Fetch the newest version of the booted image and stage it.",
      footer = {"bootc upgrade --check", "bootc upgrade --apply"})
  public static final class Upgrade implements Callable<Integer> {
    @Option(names = "--check", description = "only tell whether there is something newer")
    boolean check;

    @Option(names = "--apply", description = "reboot when something is queued")
    boolean apply;

    @Option(names = "--quiet", description = "no progress")
    boolean quiet;

    @Option(
        names = "--download-only",
        description = "stage it, but do not apply it at the next shutdown")
    boolean downloadOnly;

    @Option(
        names = "--from-downloaded",
        description = "apply what is downloaded, without asking the registry")
    boolean fromDownloaded;

    @Option(names = "--tag", paramLabel = "TAG", description = "follow another tag of the image")
    @Nullable String tag;

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws Exception {
      Host.UpgradeOptions options =
          new Host.UpgradeOptions(check, apply, downloadOnly, fromDownloaded, tag);
      return change(spec, quiet, host -> host.upgrade(options));
    }
  }

  /** {@code bootc switch}. */
  @Command(
      name = "switch",
      mixinStandardHelpOptions = true,
      description = "Follow another image; /etc and /var stay.",
      footer = "bootc switch registry.example/web:stable")
  public static final class Switch implements Callable<Integer> {
    @Option(names = "--quiet", description = "no progress")
    boolean quiet;

    @Option(names = "--apply", description = "reboot when something is queued")
    boolean apply;

    @Option(
        names = "--transport",
        paramLabel = "NAME",
        defaultValue = "registry",
        description = "default: ${DEFAULT-VALUE}")
    String transport = "registry";

    @Option(names = "--retain", description = "keep the image that is followed so far")
    boolean retain;

    @Parameters(paramLabel = "TARGET", description = "the image")
    String target = "";

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws Exception {
      Host.SwitchOptions options =
          new Host.SwitchOptions(target, transport.toLowerCase(Locale.ROOT), apply, retain);
      return change(spec, quiet, host -> host.switchTo(options));
    }
  }

  /** {@code bootc rollback}. */
  @Command(
      name = "rollback",
      mixinStandardHelpOptions = true,
      description = "Boot the previous version next; drops what is staged.",
      footer = {"bootc rollback --apply", "bootc rollback --to 2 --keep-staged"})
  public static final class Rollback implements Callable<Integer> {
    @Option(names = "--apply", description = "reboot at once")
    boolean apply;

    @Option(
        names = "--to",
        paramLabel = DeploymentCommand.WHICH,
        description = "another deployment than the previous one; " + DeploymentCommand.HOW)
    @Nullable String to;

    @Option(
        names = "--keep-staged",
        description = "make what is staged an entry of the boot menu instead of dropping it")
    boolean keepStaged;

    @Option(
        names = "--no-hold",
        description = "let unattended updates bring what is left before a newer image appears")
    boolean noHold;

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws Exception {
      Host.RollbackOptions options = new Host.RollbackOptions(to, apply, keepStaged, noHold);
      return change(spec, false, host -> host.rollback(options));
    }
  }
}
