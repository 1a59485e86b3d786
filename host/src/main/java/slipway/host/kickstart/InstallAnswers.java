package slipway.host.kickstart;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.disk.config.BootLoader;
import slipway.disk.config.DiskConfig;
import slipway.disk.config.RootFileSystem;

/**
 * What a kickstart file says of an installation, checked.
 *
 * @param image what is installed, and what the machine follows
 * @param bootLoader null for what the medium or the image says
 * @param rootfs likewise
 * @param rootSize bytes of the root's partition; 0 for all that is left
 * @param disk which disk is meant
 * @param asksNothing whether it says that nobody is there
 * @param config what the machine gets beside the image
 * @param ending what becomes of this machine at the end
 * @param warnings what is in the file and is not done
 */
public record InstallAnswers(
    Image image,
    @Nullable BootLoader bootLoader,
    @Nullable RootFileSystem rootfs,
    long rootSize,
    Disk disk,
    boolean asksNothing,
    DiskConfig config,
    Ending ending,
    List<String> warnings) {
  public InstallAnswers {
    warnings = List.copyOf(warnings);
  }

  /**
   * What is installed.
   *
   * @param source with its transport; null for the medium's own
   * @param target what the machine follows; null for what the medium says
   * @param stateroot null for what the image says
   */
  public record Image(
      @Nullable String source, @Nullable String target, @Nullable String stateroot) {
    /** What the medium has. */
    static final Image OF_MEDIUM = new Image(null, null, null);
  }

  /**
   * Which disk is meant.
   *
   * @param only names in /dev; empty for any
   * @param not names in /dev that are left alone
   * @param erased whether what is on it may go
   * @param divided whether the file says how it is divided
   */
  public record Disk(List<String> only, List<String> not, boolean erased, boolean divided) {
    public Disk {
      only = List.copyOf(only);
      not = List.copyOf(not);
    }

    /** Whether this may be it. */
    public boolean admits(String name) {
      return (only.isEmpty() || only.contains(name)) && !not.contains(name);
    }
  }

  /**
   * The end.
   *
   * @param how reboot, poweroff or halt; none when nothing is said of it
   * @param eject whether the medium is put out
   */
  public record Ending(Optional<String> how, boolean eject) {}

  /** A sentence about a place of the file. */
  static Problem wrong(Object at, String reason) {
    return Problem.input(at + ": " + reason);
  }
}
