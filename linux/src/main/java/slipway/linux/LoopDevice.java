package slipway.linux;

import java.nio.file.Path;

/**
 * A loop device over a part of a file: one for each partition, because not every kernel reads
 * partition tables. {@link #close()} detaches it.
 */
public final class LoopDevice implements AutoCloseable {
  private final Path device;
  private boolean attached = true;

  private LoopDevice(Path device) {
    this.device = device;
  }

  /**
   * Attaches {@code file} from {@code offset} on.
   *
   * @param offset bytes
   * @param size bytes; 0 means to the end
   */
  public static LoopDevice attach(Path file, long offset, long size) {
    Command command = Command.of("losetup", "--find", "--show", "--offset", Long.toString(offset));
    if (size > 0) {
      command = command.with("--sizelimit", Long.toString(size));
    }
    return new LoopDevice(Path.of(command.with(file.toString()).output()));
  }

  /** The device node, such as {@code /dev/loop3}. */
  public Path device() {
    return device;
  }

  @Override
  public void close() {
    if (attached) {
      attached = false;
      Command.of("losetup", "--detach", device.toString()).run();
    }
  }
}
