package slipway.media;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.linux.process.Command;

/**
 * A machine's TPM 2.0, which swtpm(8) plays. It is started before QEMU, which connects to it, and
 * ends by itself when QEMU does, however that ends. What it remembers makes it the TPM that it is,
 * and lies beside the machine's other files.
 *
 * <pre>
 *  STATE
 *    tpm/         what it remembers
 *    tpm.socket   where QEMU connects
 *    tpm.pid      its process, while it runs
 *    tpm.log      what swtpm says
 * </pre>
 */
final class SoftwareTpm {
  private static final String MEMORY = "tpm";
  private static final String SOCKET = "tpm.socket";
  private static final String PROCESS = "tpm.pid";
  private static final String LOG = "tpm.log";

  private static final Duration POLL = Duration.ofMillis(20);
  private static final Duration LIMIT = Duration.ofSeconds(30);

  private SoftwareTpm() {}

  /**
   * Starts the TPM of a machine that is off; returns when QEMU can connect.
   *
   * @param state folder of the machine's own files
   * @throws Problem of kind ENVIRONMENT when there is no swtpm, or it refuses
   */
  static void start(Path state) throws IOException {
    end(state);
    if (absolute(state, MEMORY).contains(",")) {
      throw Problem.environment(
          "swtpm, which plays the TPM, takes no folder with a comma in its name, as "
              + Printable.text(state.toString())
              + " has");
    }
    Files.createDirectories(state.resolve(MEMORY));
    Command.of("swtpm", "socket", "--tpm2", "--tpmstate", memory(state))
        // Without a folder, for that is where it is started: a socket's path has room for 107
        // bytes.
        .with("--ctrl", "type=unixio,mode=0600,path=" + SOCKET)
        .with("--pid", "file=" + absolute(state, PROCESS), "--log", "file=" + absolute(state, LOG))
        .with("--terminate", "--daemon")
        .directory(state)
        .run();
    boolean started = false;
    try {
      awaitProcess(state);
      started = true;
    } finally {
      if (!started) {
        end(state);
      }
    }
  }

  /** What was started ends before the process that goes on has written its number. */
  private static void awaitProcess(Path state) throws IOException {
    long end = System.nanoTime() + LIMIT.toNanos();
    while (process(state).isEmpty()) {
      if (System.nanoTime() > end) {
        throw Problem.environment(
            "swtpm, which plays the TPM, does not start; what it says is in "
                + Printable.text(absolute(state, LOG)));
      }
      try {
        Thread.sleep(POLL);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw Problem.environment("interrupted while swtpm started");
      }
    }
  }

  /** Which is also what its process is known by. */
  private static String memory(Path state) {
    return "mode=0600,dir=" + absolute(state, MEMORY);
  }

  /** It leaves the folder that it is started in. */
  private static String absolute(Path state, String name) {
    return state.toAbsolutePath().normalize().resolve(name).toString();
  }

  /**
   * Ends the TPM of a machine that is off, if it has not ended yet. It changes no file any more
   * then: the last that it does with one is to remove that of its process.
   */
  static void end(Path state) throws IOException {
    Optional<ProcessHandle> process = process(state);
    if (process.isEmpty()) {
      return;
    }
    process.get().destroy();
    try {
      process.get().onExit().get(LIMIT.toSeconds(), TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      throw Problem.environment("swtpm, process " + process.get().pid() + ", does not end");
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw Problem.environment("interrupted while swtpm ended");
    }
  }

  /** The file outlives a power cut of this computer, after which another has the number. */
  private static Optional<ProcessHandle> process(Path state) throws IOException {
    String pid = "";
    try {
      pid = Files.readString(state.resolve(PROCESS), StandardCharsets.US_ASCII).strip();
    } catch (NoSuchFileException e) {
      // It has ended, or never started.
    }
    return pid.matches("[0-9]{1,10}")
        ? ProcessHandle.of(Long.parseLong(pid)).filter(p -> isOf(p, state))
        : Optional.empty();
  }

  private static boolean isOf(ProcessHandle process, Path state) {
    return process
        .info()
        .arguments()
        .filter(all -> Arrays.asList(all).contains(memory(state)))
        .isPresent();
  }

  /**
   * What QEMU needs to know for it.
   *
   * @param folder of the machine's own files, as QEMU finds it, escaped and with a slash behind it;
   *     or nothing, when that is where QEMU is started
   */
  static List<String> arguments(Architecture architecture, String folder) {
    return List.of(
        "-chardev",
        "socket,id=tpm0,path=" + folder + SOCKET,
        "-tpmdev",
        "emulator,id=tpm0,chardev=tpm0",
        "-device",
        architecture.tpm() + ",tpmdev=tpm0");
  }
}
