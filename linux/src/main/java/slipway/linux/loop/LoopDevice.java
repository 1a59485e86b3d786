package slipway.linux.loop;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.linux.posix.UnixException;

/**
 * A loop device over a part of a file: one for each partition, because not every kernel reads
 * partition tables. It detaches itself when it is closed and nothing made from it is mounted any
 * more; the end of this process closes it, whatever ends that.
 */
public final class LoopDevice implements AutoCloseable {
  private static final int TRIES = 64;

  private final Path device;
  private final int descriptor;
  private boolean open = true;

  private LoopDevice(Path device, int descriptor) {
    this.device = device;
    this.descriptor = descriptor;
  }

  /**
   * Attaches {@code file} from {@code offset} on, for reading and writing.
   *
   * @param offset bytes
   * @param size bytes; 0 means to the end
   * @throws Problem of kind ENVIRONMENT when this machine gives no loop device
   */
  public static LoopDevice attach(Path file, long offset, long size) throws UnixException {
    int flags = Posix.O_RDWR | Posix.O_CLOEXEC;
    int backing = Posix.open(OsPath.of(file), flags, 0);
    try {
      int control = control(flags);
      try {
        for (int i = 0; i < TRIES; i++) {
          Path device = free(control);
          int descriptor = Posix.open(OsPath.of(device), flags, 0);
          if (configured(descriptor, backing, offset, size)) {
            return new LoopDevice(device, descriptor);
          }
        }
      } finally {
        Posix.close(control);
      }
    } finally {
      Posix.close(backing);
    }
    throw Problem.environment("every loop device of this machine is taken by others; try again");
  }

  /**
   * Finds out whether {@link #attach} will be possible, and attaches nothing.
   *
   * @throws Problem of kind ENVIRONMENT when this machine gives no loop device
   */
  public static void require() throws UnixException {
    int flags = Posix.O_RDWR | Posix.O_CLOEXEC;
    int control = control(flags);
    try {
      Path device = free(control);
      try {
        Posix.close(Posix.open(OsPath.of(device), flags, 0));
      } catch (UnixException e) {
        throw new Problem(
            Problem.Kind.ENVIRONMENT,
            "the loop device " + device + " cannot be opened; run a container privileged",
            e);
      }
    } finally {
      Posix.close(control);
    }
  }

  /**
   * A device that nothing is attached to. A container's /dev has those that were there when it
   * started; what the kernel makes later gets its node here.
   */
  private static Path free(int control) throws UnixException {
    String name = "loop" + LoopControl.freeLoopDevice(control);
    Path device = Path.of("/dev", name);
    if (Files.exists(device, LinkOption.NOFOLLOW_LINKS)) {
      return device;
    }
    try {
      String[] number =
          Files.readString(Path.of("/sys/class/block", name, "dev")).strip().split(":");
      long rdev = Posix.makedev(Integer.parseInt(number[0]), Integer.parseInt(number[1]));
      Posix.mknod(OsPath.of(device), Stat.S_IFBLK | 0600, rdev);
    } catch (UnixException e) {
      if (e.errno() != UnixException.EEXIST) {
        throw new Problem(
            Problem.Kind.ENVIRONMENT,
            "the loop device " + device + " cannot be made; run a container privileged",
            e);
      }
    } catch (IOException | NumberFormatException e) {
      throw new Problem(
          Problem.Kind.ENVIRONMENT,
          "the loop device " + device + " is missing, and /sys does not tell its number",
          e);
    }
    return device;
  }

  private static int control(int flags) {
    try {
      return Posix.open(OsPath.of("/dev/loop-control"), flags, 0);
    } catch (UnixException e) {
      throw new Problem(
          Problem.Kind.ENVIRONMENT,
          "there are no loop devices (/dev/loop-control); load the module loop, and in a container"
              + " run it privileged",
          e);
    }
  }

  private static boolean configured(int descriptor, int backing, long offset, long size)
      throws UnixException {
    boolean done = false;
    try {
      done = LoopControl.configureLoopDevice(descriptor, backing, offset, size);
      return done;
    } finally {
      if (!done) {
        Posix.close(descriptor);
      }
    }
  }

  /** The device node, such as {@code /dev/loop3}. */
  public Path device() {
    return device;
  }

  @Override
  public void close() throws UnixException {
    if (open) {
      open = false;
      Posix.close(descriptor);
    }
  }
}
