package slipway.host.system;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.linux.process.Command;

/** What a command asks of the running system's services. */
public interface SystemActions {
  /**
   * Makes sure that a staged deployment is finalized when the system shuts down. Commands that find
   * one call this too: a finalizer that was killed, or stopped by hand, does not run again
   * otherwise.
   */
  void startFinalizer();

  /** Writes an entry to the journal; never fails the command it is about. */
  void journal(Map<String, String> fields);

  /** Begins to reboot; the caller is stopped before long. */
  void reboot();

  /**
   * Begins to end this machine's run; the caller is stopped before long.
   *
   * @param how reboot, poweroff or halt
   */
  void end(String how);

  /** Waits until the network is up, as the system has it (systemd.special(7)). */
  void online();

  /** Whether the ostree command here can do {@link #prepareSoftReboot}; needs no privilege. */
  boolean preparesSoftReboots();

  /**
   * Mounts a deployment where systemd takes the next root from when the kernel stays.
   *
   * @param index of the deployment in the order of {@code ostree admin status}
   * @throws Problem when it could not be mounted; nothing is left of it
   */
  void prepareSoftReboot(int index) throws IOException;

  /** Takes back what {@link #prepareSoftReboot} did; needs no lock of the deployments. */
  void resetSoftReboot() throws IOException;

  /** Begins to start the prepared root; the caller is stopped before long. */
  void softReboot();

  /** Whether the start has come to its end, with all that it waits for. */
  boolean isBootComplete();

  /** The units that failed and that the end of the start waits for. */
  List<FailedUnit> failedBootUnits();

  /** By systemd's own tools. */
  static SystemActions systemd() {
    return systemd(Path.of("/run"));
  }

  /**
   * By systemd's own tools.
   *
   * @param run usually {@code /run}
   */
  static SystemActions systemd(Path run) {
    return new SystemActions() {
      private static final Duration LIMIT = Duration.ofMinutes(2);

      /** Longer than systemd waits for it itself, which is two minutes. */
      private static final Duration NETWORK = Duration.ofMinutes(5);

      private static final String FINALIZER = "slipway-finalize-staged.service";

      /** What the end of a start is to systemd (systemd.special(7)). */
      private static final String BOOT_COMPLETE = "boot-complete.target";

      private final NextRoot nextRoot = NextRoot.ofMachine();

      @Override
      public void startFinalizer() {
        require("would make a staged version the one that boots");
        told(
            "the shutdown would not make a staged version the one that boots",
            Command.of("systemctl", "start", "--quiet", FINALIZER));
      }

      /** As sd_booted(3) finds out. */
      private void require(String purpose) {
        if (!Files.isDirectory(run.resolve("systemd/system"))) {
          throw Problem.environment("systemd does not run here, which " + purpose);
        }
      }

      /** Runs a tool of systemd's, of whose words for a failure one sentence is made. */
      private static void told(String consequence, Command command) {
        Command.Result result = command.timeout(LIMIT).tryRun();
        if (result.status() != 0) {
          throw Problem.environment(
              consequence
                  + ": "
                  + result
                      .stderr()
                      .lines()
                      .filter(line -> !line.isBlank())
                      .findFirst()
                      .map(line -> Printable.text(line.strip()))
                      .orElse("systemctl ended with status " + result.status()));
        }
      }

      @Override
      public void journal(Map<String, String> fields) {
        StringBuilder entry = new StringBuilder();
        fields.forEach(
            (name, value) ->
                entry.append(name).append('=').append(value.replace('\n', ' ')).append('\n'));
        try {
          Command.of("logger", "--journald").stdin(entry.toString()).timeout(LIMIT).tryRun();
        } catch (Problem e) {
          // The journal is a courtesy: a system without logger(1) is updated all the same.
          System.getLogger(SystemActions.class.getName())
              .log(System.Logger.Level.DEBUG, "no journal entry", e);
        }
      }

      @Override
      public void reboot() {
        systemctl("reboot", "--message=Initiated by bootc");
      }

      @Override
      public void end(String how) {
        if (how.equals("reboot")) {
          reboot();
        } else {
          systemctl(how, "--message=Initiated by bootc");
        }
      }

      @Override
      public void online() {
        require("would bring up the network");
        // What a device that is not connected waits for in vain is no reason not to try.
        Command.of("systemctl", "start", "--quiet", "network-online.target")
            .timeout(NETWORK)
            .tryRun();
      }

      @Override
      public boolean preparesSoftReboots() {
        return NextRoot.isKnownToOstree();
      }

      @Override
      public void prepareSoftReboot(int index) throws IOException {
        nextRoot.prepare(index);
      }

      @Override
      public void resetSoftReboot() throws IOException {
        nextRoot.reset();
      }

      @Override
      public void softReboot() {
        systemctl("soft-reboot");
      }

      @Override
      public boolean isBootComplete() {
        return Command.of("systemctl", "is-active", "--quiet", BOOT_COMPLETE)
                .timeout(LIMIT)
                .tryRun()
                .status()
            == 0;
      }

      @Override
      public List<FailedUnit> failedBootUnits() {
        List<FailedUnit> failed = new ArrayList<>();
        for (String how : List.of("Requires", "Wants")) {
          for (String unit : units(how)) {
            int status =
                Command.of("systemctl", "is-failed", "--quiet", "--", unit)
                    .timeout(LIMIT)
                    .tryRun()
                    .status();
            if (status == 0) {
              failed.add(new FailedUnit(unit, how.equals("Requires")));
            }
          }
        }
        return failed;
      }

      private static List<String> units(String how) {
        String named =
            Command.of("systemctl", "show", "--value", "--property=" + how, "--", BOOT_COMPLETE)
                .timeout(LIMIT)
                .output();
        return named.isEmpty() ? List.of() : List.of(named.split("\\s+"));
      }

      /** By a service, because ours may be of a session that the reboot ends. */
      private void systemctl(String... words) {
        require("would reboot: reboot it yourself");
        told(
            "the machine does not reboot",
            Command.of("systemd-run", "--quiet", "--", "systemctl").with(words));
      }
    };
  }
}
