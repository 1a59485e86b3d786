package slipway.cli.machine;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import slipway.base.CommandValue;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.cli.command.ExitCodes;
import slipway.cli.output.JsonText;
import slipway.cli.output.Terminal;
import slipway.cli.output.TerminalProgress;
import slipway.host.changes.Changes;
import slipway.host.changes.WhatChanged;
import slipway.host.system.HostEnvironment;
import slipway.host.update.FsckOutcome;
import slipway.host.update.Host;
import slipway.host.update.ProgressStream;
import slipway.oci.model.Digest;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

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

  /** Something that is done to the machine. */
  public interface Change {
    /** Does it. */
    void run(Host host) throws IOException;
  }

  /** Work on a machine. */
  public interface MachineChange {
    /** Does it. */
    void run(HostEnvironment host) throws IOException;
  }

  /** As {@link #change}, with the machine itself. */
  public static int changeBy(CommandSpec spec, boolean quiet, MachineChange change)
      throws Exception {
    return change(spec, quiet, text -> printTo(spec).println(Printable.lines(text)), change);
  }

  private static int change(
      CommandSpec spec, boolean quiet, Consumer<String> out, MachineChange change)
      throws Exception {
    return privately(
        spec,
        quiet,
        out,
        host -> {
          change.run(host);
          return 0;
        });
  }

  /** As {@link #changeBy}, ending as the work says. */
  static int statusBy(CommandSpec spec, Coded work) throws Exception {
    return privately(spec, false, text -> printTo(spec).println(Printable.lines(text)), work);
  }

  /** Something that ends with an exit code. */
  interface Coded {
    int run(HostEnvironment host) throws IOException;
  }

  private static int privately(CommandSpec spec, boolean quiet, Consumer<String> out, Coded work)
      throws Exception {
    Progress progress = TerminalProgress.forStderr(System.err, quiet);
    try {
      HostEnvironment host =
          HostEnvironment.thisMachine(System.getenv(), out, quiet ? Progress.NONE : progress);
      return Host.of(host)
          .privately(
              () -> {
                int status = work.run(host);
                printTo(spec).flush();
                return status;
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
    return work(spec, false, json, work);
  }

  /** As {@link #work(CommandSpec, boolean, Work)}, without progress when {@code quiet}. */
  static int work(CommandSpec spec, boolean quiet, boolean json, Work work) throws Exception {
    if (!json) {
      return changeBy(spec, quiet, work::run);
    }
    return change(
        spec, quiet, text -> {}, host -> printTo(spec).println(JsonText.pretty(work.run(host))));
  }

  private static int attempt(CommandSpec spec, boolean quiet, ForPrograms programs, Attempt attempt)
      throws Exception {
    try (ProgressStream stream = programs.stream()) {
      return privately(
          spec,
          quiet,
          text -> printTo(spec).println(Printable.lines(text)),
          host -> attempt.run(Host.of(host, stream)) || !programs.codes ? 0 : ExitCodes.NOTHING);
    }
  }

  /** Something that is done where it is needed. */
  interface Attempt {
    /** Does it and returns whether it was needed. */
    boolean run(Host host) throws IOException;
  }

  /**
   * The format that two options ask for; null for neither.
   *
   * @param ofJson what {@code --json} means
   * @throws Problem of kind USAGE when they disagree
   */
  static <F extends Enum<F>> @Nullable F format(boolean json, @Nullable F format, F ofJson) {
    if (json && format != null && format != ofJson) {
      throw Problem.usage(
          "--json and --format "
              + format.name().toLowerCase(Locale.ROOT)
              + " ask for two formats; give one of them");
    }
    return json ? ofJson : format;
  }

  /** What must be, or nothing is changed. */
  static final class DemandOptions {
    @Mixin SoftRebootOption soft = new SoftRebootOption();

    @Option(
        names = "--require-digest",
        paramLabel = "DIGEST|named",
        description =
            "refuse any other image than this one, of its manifest or index; named: refuse images,"
                + " and images bound to them, whose names hold no digest")
    @Nullable String digest;

    Host.Demands demands() {
      String text = digest;
      return text == null || text.equals("named")
          ? new Host.Demands(soft.mode, null, text != null)
          : new Host.Demands(
              soft.mode, CommandValue.of("--require-digest", () -> Digest.parse(text)), false);
    }
  }

  /** How the next deployment starts. */
  static final class SoftRebootOption {
    @Option(
        names = "--soft-reboot",
        paramLabel = "required|auto",
        description = "let the running kernel go on with it; auto: a full reboot where it cannot")
    Host.@Nullable SoftReboot mode;
  }

  /** For programs and scripts that call a verb. */
  static final class ForPrograms {
    @Option(
        names = "--exit-code",
        description = "end with 77: nothing to do, 75: try again later, 78: refused")
    boolean codes;

    @Option(
        names = "--progress-fd",
        paramLabel = "N",
        description = "tell programs how far it is, as JSON lines to this descriptor")
    @Nullable Integer descriptor;

    int exitCode(Problem problem) {
      Problem.Kind kind = problem.kind();
      return !codes || problem.isAfterChange()
          ? kind.exitCode()
          : switch (kind) {
            case USAGE, CORRUPT -> kind.exitCode();
            case UNAVAILABLE -> ExitCodes.LATER;
            case INPUT, NOT_FOUND, DENIED, FULL, ENVIRONMENT -> ExitCodes.REFUSED;
          };
    }

    ProgressStream stream() {
      return descriptor == null
          ? ProgressStream.NONE
          : ProgressStream.open(descriptor, System.getenv(), System.err::println);
    }
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
      Host.Format asked = format(json, format, Host.Format.JSON);
      Host.Format chosen =
          asked != null
              ? asked
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
  public static final class Upgrade implements Callable<Integer>, ExitCodes {
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

    @Option(
        names = "--from",
        paramLabel = "TRANSPORT:PLACE",
        description = "fetch it there this time, such as oci:/media/os; what is followed stays")
    @Nullable String from;

    @Mixin DemandOptions demands = new DemandOptions();

    @Mixin ForPrograms programs = new ForPrograms();

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws Exception {
      Host.UpgradeOptions options =
          new Host.UpgradeOptions(
              check, apply, downloadOnly, fromDownloaded, tag, from, demands.demands());
      return attempt(spec, quiet, programs, host -> host.upgrade(options));
    }

    @Override
    public int exitCode(Problem problem) {
      return programs.exitCode(problem);
    }
  }

  /** {@code bootc switch}. */
  @Command(
      name = "switch",
      mixinStandardHelpOptions = true,
      description = "Follow another image; /etc and /var stay.",
      footer = {
        "bootc switch registry.example/web:stable",
        "bootc switch --once --transport oci /media/stick/os"
      })
  public static final class Switch implements Callable<Integer>, ExitCodes {
    @Option(names = "--quiet", description = "no progress")
    boolean quiet;

    @Option(names = "--apply", description = "reboot when something is queued")
    boolean apply;

    @Option(
        names = "--transport",
        paramLabel = "NAME",
        defaultValue = "registry",
        description =
            "where TARGET lies: registry, oci, oci-archive, docker-archive, dir or"
                + " containers-storage (default: ${DEFAULT-VALUE})")
    String transport = "registry";

    @Option(
        names = "--no-signature-verification",
        hidden = true,
        description = "as the reference asks for; it is so in any case")
    boolean usual;

    @Option(names = "--retain", description = "keep the image that is followed so far")
    boolean retain;

    @Option(
        names = "--once",
        description = "take it this one time; updates follow what they follow so far")
    boolean once;

    @Option(
        names = "--enforce-container-sigpolicy",
        description =
            "only when it is signed as /etc/containers/policy.json demands; updates must be, too")
    boolean signed;

    @Option(
        names = "--mutate-in-place",
        description = "fetch nothing: make what is installed follow it, for installers")
    boolean mutateInPlace;

    @Mixin DemandOptions demands = new DemandOptions();

    @Mixin ForPrograms programs = new ForPrograms();

    @Parameters(paramLabel = "TARGET", description = "the image")
    String target = "";

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws Exception {
      String lower = transport.toLowerCase(Locale.ROOT);
      if (mutateInPlace) {
        return changeInPlace(lower);
      }
      Host.SwitchOptions options =
          new Host.SwitchOptions(target, lower, apply, retain, once, signed, demands.demands());
      return attempt(spec, quiet, programs, host -> host.switchTo(options));
    }

    /** In a system that is not booted nothing is read-only and no namespace is needed. */
    private int changeInPlace(String transport) throws Exception {
      if (apply || retain || once || !demands.demands().equals(Host.Demands.NONE)) {
        throw Problem.usage(
            "--mutate-in-place goes with --transport and --enforce-container-sigpolicy");
      }
      HostEnvironment environment = environment(spec, true, Progress.NONE);
      Host host = Host.of(environment);
      Callable<Integer> work =
          () -> {
            host.switchInPlace(Host.SwitchOptions.to(target, transport).signed(signed));
            return 0;
          };
      return environment.runState().booted() ? host.privately(work) : work.call();
    }

    @Override
    public int exitCode(Problem problem) {
      return programs.exitCode(problem);
    }
  }

  /** {@code bootc what-changed}. */
  @Command(
      name = "what-changed",
      mixinStandardHelpOptions = true,
      description = "Show packages, kernel arguments, units and files that two versions differ in.",
      footer = {"bootc what-changed", "bootc what-changed rollback booted --json"})
  public static final class What implements Callable<Integer> {
    @Option(names = "--json", description = "as JSON, with all files")
    boolean json;

    @Parameters(
        index = "0",
        arity = "0..1",
        paramLabel = "FROM",
        description = "booted, staged, rollback, or the beginning of a commit or digest")
    @Nullable String from;

    @Parameters(
        index = "1",
        arity = "0..1",
        paramLabel = "TO",
        description = "likewise; default: booted, or what is staged when FROM is left out too")
    @Nullable String to;

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws IOException {
      Changes changes = WhatChanged.between(environment(spec, true, Progress.NONE), from, to);
      var out = spec.commandLine().getOut();
      if (json) {
        out.println(Printable.json(changes.json()));
      } else {
        out.print(Printable.lines(changes.text()));
      }
      out.flush();
      return 0;
    }
  }

  /** {@code bootc fsck}. */
  @Command(
      name = "fsck",
      mixinStandardHelpOptions = true,
      description = "Check every file of the deployed versions against its digest.",
      footer = {"bootc fsck --json", "bootc fsck --repair"})
  public static final class Fsck implements Callable<Integer> {
    @Option(names = "--repair", description = "fetch again what is damaged or missing")
    boolean repair;

    @Option(names = "--quiet", description = "no progress")
    boolean quiet;

    @Option(names = "--json", description = "tell as JSON what was found and done")
    boolean json;

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws Exception {
      if (!json) {
        return change(spec, quiet, host -> host.fsck(repair));
      }
      return Bootc.change(
          spec,
          quiet,
          text -> {},
          host -> {
            FsckOutcome outcome = Host.of(host).examine(repair);
            printTo(spec).println(JsonText.pretty(document(outcome)));
            printTo(spec).flush();
            outcome.requireSound();
          });
    }

    private static ObjectNode document(FsckOutcome outcome) {
      ObjectNode document = JsonNodeFactory.instance.objectNode();
      document.put("commits", outcome.left().commits()).put("objects", outcome.left().objects());
      outcome.left().errors().forEach(document.putArray("errors")::add);
      document
          .putObject("mended")
          .put("objects", outcome.mended())
          .put("files", outcome.relinked())
          .put("kernels", outcome.kernels())
          .put("images", outcome.images());
      return document;
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

    @Option(names = "--json", description = "tell as JSON what was done")
    boolean json;

    @Mixin SoftRebootOption soft = new SoftRebootOption();

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws Exception {
      Host.RollbackOptions options =
          new Host.RollbackOptions(to, apply, keepStaged, noHold, soft.mode);
      return work(spec, json, host -> json(Host.of(host).rollback(options)));
    }

    static JsonNode json(Host.RolledBack done) {
      ObjectNode node =
          JsonNodeFactory.instance
              .objectNode()
              .put("stateroot", done.stateroot())
              .put("checksum", done.checksum())
              .put("deploySerial", done.serial())
              .put("imageDigest", done.image())
              .put("reverted", done.reverted())
              .put("droppedStaged", done.dropped());
      done.held().forEach(node.putArray("held")::add);
      return node;
    }
  }
}
