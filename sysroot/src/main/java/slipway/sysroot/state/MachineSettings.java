package slipway.sysroot.state;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import slipway.base.AtomicFile;
import slipway.base.KeyFile;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.RawText;

/**
 * What an administrator wants of a machine whichever deployment runs: the key file {@code
 * ostree/slipway.conf}. It stands outside of {@code /etc}, so that no rollback brings back what was
 * wanted before. A value; keys that we do not know are kept.
 *
 * @param file the key file
 */
public record MachineSettings(KeyFile file) {
  private static final String DEPLOYMENTS = "deployments";
  private static final String KEEP = "keep";
  private static final String HEALTH = "health";
  private static final String TRIES = "tries";
  private static final int USUAL_TRIES = 3;
  private static final String UPDATES = "updates";
  private static final String HELD = "held";
  private static final int MOST_KEPT = 99;

  /** Of a machine on which nobody set anything. */
  public static final MachineSettings NONE = new MachineSettings(KeyFile.empty());

  /** Where the file of a sysroot stands. */
  public static Path path(Path root) {
    return root.resolve("ostree/slipway.conf");
  }

  /**
   * Reads those of a sysroot.
   *
   * @throws Problem of kind INPUT for a file that is damaged, with its line
   */
  public static MachineSettings read(Path root) throws IOException {
    try {
      MachineSettings settings = new MachineSettings(KeyFile.read(path(root)));
      settings.keep();
      settings.tries();
      return settings;
    } catch (NoSuchFileException e) {
      return NONE;
    }
  }

  /** Puts them in force, under the lock of the sysroot: the rename does. */
  public void write(Path root) throws IOException {
    // What a kill left of an earlier attempt; nobody else writes now.
    AtomicFile.sweepOf(path(root));
    AtomicFile.write(path(root), RawText.encode(file.toString()));
  }

  /**
   * How many deployments stay beside the one that runs when another is made, that one counted.
   * Pinned ones stay besides.
   */
  public int keep() {
    String text = file.get(DEPLOYMENTS, KEEP).orElse("1");
    if (!text.matches("[1-9][0-9]?")) {
      throw Problem.input(
          "ostree/slipway.conf: keep is \"" + Printable.text(text) + "\", not 1 to " + MOST_KEPT);
    }
    return Integer.parseInt(text);
  }

  /** With another number of deployments to keep, 1 to 99. */
  public MachineSettings withKeep(int number) {
    if (number < 1 || number > MOST_KEPT) {
      throw Problem.usage(
          "a machine keeps 1 to " + MOST_KEPT + " deployments beside the booted one");
    }
    return new MachineSettings(file.with(DEPLOYMENTS, KEEP, Integer.toString(number)));
  }

  /**
   * How many starts a new deployment has to show that it is healthy; 0 when nobody counts and
   * nothing is rolled back by itself.
   */
  public int tries() {
    String text = file.get(HEALTH, TRIES).orElse(Integer.toString(USUAL_TRIES));
    if (!text.matches("[0-" + BootTrial.MOST_TRIES + "]")) {
      throw Problem.input(
          "ostree/slipway.conf: tries is \""
              + Printable.text(text)
              + "\", not 0 to "
              + BootTrial.MOST_TRIES);
    }
    return Integer.parseInt(text);
  }

  /**
   * With so many tries.
   *
   * @throws Problem of kind USAGE for a number that nobody can count
   */
  public MachineSettings withTries(int number) {
    if (number < 0 || number > BootTrial.MOST_TRIES) {
      throw Problem.usage(
          "a deployment can have 0 to " + BootTrial.MOST_TRIES + " tries, not " + number);
    }
    return new MachineSettings(file.with(HEALTH, TRIES, Integer.toString(number)));
  }

  /** Digests of images that were rolled back from, which no update brings by itself again. */
  public List<String> held() {
    String text = file.get(UPDATES, HELD).orElse("");
    return Arrays.stream(text.split(";")).filter(digest -> !digest.isBlank()).toList();
  }

  /** With exactly these digests held back. */
  public MachineSettings withHeld(List<String> digests) {
    return new MachineSettings(
        digests.isEmpty()
            ? file.without(UPDATES, HELD)
            : file.with(UPDATES, HELD, String.join(";", digests)));
  }
}
