package slipway.linux;

import java.lang.foreign.AddressLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * The binding machinery: C types, one errno buffer a thread, and a few buffers a thread so that a
 * call does not allocate. All of it is bound on first use, because the first handle costs tens of
 * milliseconds.
 */
final class Native {
  static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
  static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
  static final AddressLayout PTR = ValueLayout.ADDRESS;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final StructLayout ERRNO_LAYOUT = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      ERRNO_LAYOUT.varHandle(MemoryLayout.PathElement.groupElement("errno"));
  private static final MethodHandle STRERROR =
      LINKER.downcallHandle(
          LINKER.defaultLookup().findOrThrow("strerror"), FunctionDescriptor.of(PTR, INT));

  /** Per-thread memory: errno, two path buffers and a struct buffer. */
  static final class Scratch {
    final MemorySegment errno;
    private final MemorySegment[] paths = new MemorySegment[3];
    final MemorySegment struct;
    private @Nullable MemorySegment transfer;

    Scratch() {
      Arena arena = Arena.ofAuto();
      errno = arena.allocate(ERRNO_LAYOUT);
      for (int i = 0; i < paths.length; i++) {
        paths[i] = arena.allocate(4096);
      }
      struct = arena.allocate(512, 8);
    }

    /**
     * The path as a C string in buffer {@code slot}; valid until the slot is used again by this
     * thread.
     */
    MemorySegment path(int slot, OsPath path) {
      byte[] bytes = path.bytes();
      MemorySegment target = paths[slot];
      if (bytes.length + 1 > target.byteSize()) {
        target = Arena.ofAuto().allocate(bytes.length + 1L);
      }
      MemorySegment.copy(bytes, 0, target, ValueLayout.JAVA_BYTE, 0, bytes.length);
      target.set(ValueLayout.JAVA_BYTE, bytes.length, (byte) 0);
      return target;
    }

    /** A buffer for bytes on their way between an array and a file. */
    MemorySegment transfer() {
      MemorySegment buffer = transfer;
      if (buffer == null) {
        buffer = Arena.ofAuto().allocate(256 * 1024);
        transfer = buffer;
      }
      return buffer;
    }

    int errno() {
      return (int) ERRNO.get(errno, 0L);
    }
  }

  private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);

  private Native() {}

  static Scratch scratch() {
    return SCRATCH.get();
  }

  /** Binds a function of libc that sets errno; the handle's first argument is the errno buffer. */
  static MethodHandle bind(String name, FunctionDescriptor type, Linker.Option... options) {
    Linker.Option[] all = new Linker.Option[options.length + 1];
    System.arraycopy(options, 0, all, 0, options.length);
    all[options.length] = Linker.Option.captureCallState("errno");
    return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), type, all);
  }

  static Linker.Option variadic(int first) {
    return Linker.Option.firstVariadicArg(first);
  }

  static UnixException error(String call, Object what, int errno) {
    return new UnixException(call, what, errno, strerror(errno));
  }

  private static String strerror(int errno) {
    try {
      MemorySegment text = (MemorySegment) STRERROR.invokeExact(errno);
      return text.reinterpret(256).getString(0);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }
}
