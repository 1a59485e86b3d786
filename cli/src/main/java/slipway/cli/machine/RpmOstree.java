package slipway.cli.machine;

import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.host.status.HostStatus;
import slipway.host.status.RpmOstreeStatus;
import slipway.host.update.Host;

/**
 * {@code rpm-ostree} for scripts and people who know it: its status, and which verb of bootc does
 * what they are used to.
 */
public final class RpmOstree {
  private static final String IMAGE =
      "packages are a part of the image: build one that has them (FROM this one, RUN the package"
          + " manager) and bootc switch to it, or bootc upgrade";

  /** What does instead what a verb of rpm-ostree does. */
  private static final Map<String, String> INSTEAD =
      Map.ofEntries(
          Map.entry("upgrade", "use bootc upgrade"),
          Map.entry("update", "use bootc upgrade"),
          Map.entry("rebase", "use bootc switch IMAGE"),
          Map.entry("deploy", "use bootc switch IMAGE@DIGEST, or bootc upgrade --tag VERSION"),
          Map.entry("rollback", "use bootc rollback"),
          Map.entry("kargs", "use bootc kargs"),
          Map.entry("cleanup", "use bootc delete --staged or --rollback"),
          Map.entry("reset", "nothing is layered on the image here; use bootc install reset"),
          Map.entry("usroverlay", "use bootc usr-overlay"),
          Map.entry("unlock", "use bootc usr-overlay"),
          Map.entry("db", "use bootc what-changed"),
          Map.entry("cancel", "end the process that runs; what it did until then changes nothing"),
          Map.entry("apply-live", "use bootc upgrade --soft-reboot auto --apply"),
          Map.entry("compose", "use slipway base build, and slipway build"),
          Map.entry("finalize-deployment", "use bootc upgrade --from-downloaded --apply"),
          Map.entry("initramfs", "the initramfs is a part of the image: make it there"),
          Map.entry("initramfs-etc", "the initramfs is a part of the image: make it there"),
          Map.entry("install", IMAGE),
          Map.entry("uninstall", IMAGE),
          Map.entry("override", IMAGE),
          Map.entry("refresh-md", IMAGE),
          Map.entry("search", IMAGE),
          Map.entry("reload", "nothing stays running here that would read its settings anew"));

  private RpmOstree() {}

  /** That a verb is not here, and what does it instead; empty for a word that none is. */
  public static Optional<Problem> instead(String word) {
    return Optional.ofNullable(INSTEAD.get(word))
        .map(
            sentence ->
                Problem.usage("rpm-ostree tells the status alone; for " + word + ": " + sentence));
  }

  /** {@code rpm-ostree status}. */
  @Command(
      name = "status",
      mixinStandardHelpOptions = true,
      description = "Show the deployments as rpm-ostree does; bootc status tells more.",
      footer = {"rpm-ostree status", "rpm-ostree status --json"})
  public static final class Status implements Callable<Integer> {
    @Option(names = "--json", description = "as JSON")
    boolean json;

    @Option(
        names = {"-b", "--booted"},
        description = "only what is booted")
    boolean booted;

    @Option(
        names = {"-v", "--verbose"},
        description = "more rows")
    boolean verbose;

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws IOException {
      Host host = Host.of(Bootc.environment(spec, true, Progress.NONE));
      HostStatus status = booted ? host.status().onlyBooted() : host.status();
      String text =
          json
              ? RpmOstreeStatus.json(status)
              : RpmOstreeStatus.text(status, verbose, host.unicode());
      var out = spec.commandLine().getOut();
      out.print(text.endsWith("\n") ? text : text + "\n");
      out.flush();
      return 0;
    }
  }
}
