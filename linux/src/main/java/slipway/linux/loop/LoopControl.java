package slipway.linux.loop;

import slipway.linux.posix.Native;
import slipway.linux.posix.Native.Scratch;
import slipway.linux.posix.UnixException;

/** ioctl(2) on loop devices (linux/loop.h). */
final class LoopControl {
  private static final long LOOP_CTL_GET_FREE = 0x4c82;
  private static final long LOOP_CONFIGURE = 0x4c0a;
  private static final int LOOP_OFFSET = 32;
  private static final int LOOP_SIZE_LIMIT = 40;
  private static final int LOOP_FLAGS = 60;
  private static final int LO_FLAGS_AUTOCLEAR = 4;

  private static final Native.Function IOCTL = new Native.Function("ioctl");

  private LoopControl() {}

  /**
   * ioctl(LOOP_CTL_GET_FREE) on /dev/loop-control (linux/loop.h): the number of a loop device that
   * nothing is attached to, made when there is none. Somebody else may be faster to attach it.
   */
  static int freeLoopDevice(int control) throws UnixException {
    Scratch s = Native.scratch();
    int r = IOCTL.call(s, control, LOOP_CTL_GET_FREE, 0);
    if (r < 0) {
      throw Native.error("LOOP_CTL_GET_FREE", "/dev/loop-control", s.errno());
    }
    return r;
  }

  /**
   * ioctl(LOOP_CONFIGURE) with LO_FLAGS_AUTOCLEAR (linux/loop.h, Linux 5.8): attaches a file to a
   * loop device until the last descriptor and mount of the device is gone.
   *
   * @param size bytes from {@code offset} on; 0 to the end of the file
   * @return false when something else is attached to the device
   */
  static boolean configureLoopDevice(int device, int backing, long offset, long size)
      throws UnixException {
    Scratch s = Native.scratch();
    // struct loop_config: the file, the block size (0 is the default), struct loop_info64 from 8
    // on.
    s.struct.put(0, new byte[s.struct.capacity()]);
    s.struct.putInt(0, backing);
    s.struct.putLong(LOOP_OFFSET, offset);
    s.struct.putLong(LOOP_SIZE_LIMIT, size);
    s.struct.putInt(LOOP_FLAGS, LO_FLAGS_AUTOCLEAR);
    int r = IOCTL.call(s, device, LOOP_CONFIGURE, s.structAddress);
    if (r < 0 && s.errno() != UnixException.EBUSY) {
      throw Native.error("LOOP_CONFIGURE", "fd " + backing, s.errno());
    }
    return r >= 0;
  }
}
