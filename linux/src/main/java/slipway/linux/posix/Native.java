package slipway.linux.posix;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * The binding machinery: one errno buffer a thread, and a few buffers a thread so that a call does
 * not allocate. All of it is bound on first use.
 *
 * <p>Every function goes through one handle, because each further shape of a handle costs a short
 * command about ten milliseconds of making classes; the buffers are {@link ByteBuffer}s for the
 * same reason. The one shape takes six integers of the size of a register. In the calling
 * conventions of Linux on 64-bit machines an integer or a pointer is passed in a register of its
 * own whether the function is variadic or not, a function ignores registers that it has no
 * parameter for, and it takes an {@code int} from the lower half of one.
 */
public final class Native {
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
  private static final Linker LINKER = Linker.nativeLinker();
  private static final StructLayout ERRNO_LAYOUT = Linker.Option.captureStateLayout();
  private static final int ERRNO =
      (int) ERRNO_LAYOUT.byteOffset(MemoryLayout.PathElement.groupElement("errno"));
  private static final MethodHandle CALL =
      LINKER.downcallHandle(
          FunctionDescriptor.of(LONG, LONG, LONG, LONG, LONG, LONG, LONG),
          Linker.Option.captureCallState("errno"));

  private static final Function STRERROR = new Function("strerror");

  /** A function of libc that takes integers and pointers only and sets errno. */
  public static final class Function {
    private final String name;
    private @Nullable MemorySegment address;

    public Function(String name) {
      this.name = name;
    }

    /** Calls a function that returns an {@code int}. */
    public int call(Scratch s, long... arguments) {
      return (int) callLong(s, arguments);
    }

    /** Calls a function that returns a {@code long}, a {@code ssize_t} or an {@code off_t}. */
    long callLong(Scratch s, long... arguments) {
      MemorySegment function = address;
      if (function == null) {
        function = LINKER.defaultLookup().findOrThrow(name);
        address = function;
      }
      long[] a = arguments;
      try {
        return (long)
            CALL.invokeExact(
                function, s.state, at(a, 0), at(a, 1), at(a, 2), at(a, 3), at(a, 4), at(a, 5));
      } catch (RuntimeException | Error e) {
        throw e;
      } catch (Throwable e) {
        throw new IllegalStateException(e);
      }
    }

    private static long at(long[] arguments, int index) {
      return index < arguments.length ? arguments[index] : 0;
    }
  }

  /** Per-thread memory: errno, path buffers, a struct buffer and one for contents. */
  public static final class Scratch {
    private static final int TRANSFER = 256 * 1024;

    private final ByteBuffer saved = allocate((int) ERRNO_LAYOUT.byteSize());
    private final MemorySegment state = MemorySegment.ofBuffer(saved);
    private final ByteBuffer[] paths = new ByteBuffer[4];
    private final long[] addresses = new long[paths.length];
    private @Nullable ByteBuffer transfer;

    /** For a structure that a call reads or fills. */
    public final ByteBuffer struct = allocate(512);

    public final long structAddress = address(struct);

    private static ByteBuffer allocate(int size) {
      return ByteBuffer.allocateDirect(size).order(ByteOrder.nativeOrder());
    }

    /**
     * The address of the path as a C string in buffer {@code slot}; valid until the slot is used
     * again by this thread.
     */
    public long path(int slot, OsPath path) {
      byte[] bytes = path.bytes();
      ByteBuffer target = paths[slot];
      if (target == null || bytes.length >= target.capacity()) {
        target = allocate(Math.max(4096, bytes.length + 1));
        paths[slot] = target;
        addresses[slot] = address(target);
      }
      target.put(0, bytes);
      target.put(bytes.length, (byte) 0);
      return addresses[slot];
    }

    /** As {@link #path}; null has the address 0. */
    public long text(int slot, @Nullable String text) {
      return text == null ? 0 : path(slot, OsPath.of(text));
    }

    /** A buffer for bytes on their way between an array and a file, or a call. */
    ByteBuffer transfer() {
      return transfer(TRANSFER);
    }

    /** As {@link #transfer()}, of at least this size. */
    ByteBuffer transfer(int size) {
      ByteBuffer buffer = transfer;
      if (buffer == null || buffer.capacity() < size) {
        buffer = allocate(Math.max(TRANSFER, size));
        transfer = buffer;
      }
      return buffer;
    }

    public int errno() {
      return saved.getInt(ERRNO);
    }

    /** What a call on a path returned, unless that means that it failed. */
    public int check(String call, OsPath path, long result) throws UnixException {
      if (result < 0) {
        throw error(call, path, errno());
      }
      return (int) result;
    }

    /** What a call on a descriptor returned, unless that means that it failed. */
    public int check(String call, int fd, long result) throws UnixException {
      if (result < 0) {
        throw error(call, fd, errno());
      }
      return (int) result;
    }
  }

  private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);

  private Native() {}

  public static Scratch scratch() {
    return SCRATCH.get();
  }

  /** Where a buffer begins; whoever calls with it must keep the buffer until the call is over. */
  static long address(ByteBuffer buffer) {
    return MemorySegment.ofBuffer(buffer).address();
  }

  /** Part of a buffer, whatever its position. */
  static byte[] bytes(ByteBuffer buffer, int from, long length) {
    byte[] bytes = new byte[(int) length];
    buffer.get(from, bytes);
    return bytes;
  }

  public static UnixException error(String call, Object what, int errno) {
    return new UnixException(call, what, errno, strerror(errno));
  }

  /** Of a descriptor. A full disk is told to people, who know its files by their names. */
  static UnixException error(String call, int fd, int errno) {
    boolean full = errno == UnixException.ENOSPC || errno == UnixException.EDQUOT;
    return error(call, full ? named(fd) : "fd " + fd, errno);
  }

  /** The file of a descriptor, or its number where it is of no file. */
  private static String named(int fd) {
    try {
      String file = Posix.readlink(OsPath.of("/proc/self/fd/" + fd)).toString();
      return file.startsWith("/") ? file.replaceFirst(" \\(deleted\\)$", "") : "fd " + fd;
    } catch (UnixException e) {
      return "fd " + fd;
    }
  }

  private static String strerror(int errno) {
    long text = STRERROR.callLong(scratch(), errno);
    return MemorySegment.ofAddress(text).reinterpret(256).getString(0);
  }
}
