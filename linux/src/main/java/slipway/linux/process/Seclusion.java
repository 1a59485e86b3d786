package slipway.linux.process;

import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.linux.posix.Native;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.UnixException;

/**
 * Shuts tools in without any privilege: what is started here can read a few folders, write to one,
 * has no network and no other way to talk to what runs on this machine, cannot signal it, and gets
 * no more rights by any program. By Landlock (landlock(7)), which the kernel has since 5.13, and a
 * filter of system calls (seccomp(2)). Both hold for a thread and all that it starts, for good; so
 * the work has a thread of its own, which reads this program's classes, too.
 */
public final class Seclusion {
  private static final Native.Function SYSCALL = new Native.Function("syscall");
  private static final Native.Function PRCTL = new Native.Function("prctl");

  private static final int CREATE_RULESET = 444;
  private static final int ADD_RULE = 445;
  private static final int RESTRICT_SELF = 446;
  private static final int CREATE_RULESET_VERSION = 1;
  private static final int RULE_PATH_BENEATH = 1;

  /** Rights on files, linux/landlock.h: bits 0 to 12, and those that came later. */
  private static final long EXECUTE = 1;

  private static final long READ_FILE = 1 << 2;
  private static final long READ_FOLDER = 1 << 3;
  private static final long FIRST_RIGHTS = (1 << 13) - 1;
  private static final long REFER = 1 << 13;
  private static final long TRUNCATE = 1 << 14;
  private static final long DEVICE_CONTROL = 1 << 15;

  /** TCP: to bind and to connect. */
  private static final long NETWORK = 3;

  /** Abstract sockets and signals. */
  private static final long SCOPED = 3;

  private static final int PR_SET_NO_NEW_PRIVS = 38;
  private static final int PR_SET_SECCOMP = 22;
  private static final int SECCOMP_MODE_FILTER = 2;
  private static final int IO_URING_SETUP = 425;

  private Seclusion() {}

  /**
   * Runs work in a new platform thread that is shut in, and waits for its end.
   *
   * @param readable folders and files; those that do not exist do not count
   * @param writable an existing folder
   * @throws Problem of kind ENVIRONMENT where the kernel cannot do it
   */
  public static <T> T call(List<Path> readable, Path writable, Callable<T> work)
      throws IOException {
    FutureTask<T> task =
        new FutureTask<>(
            () -> {
              enter(readable, writable);
              return work.call();
            });
    Thread thread = Thread.ofPlatform().name("shut in").start(task);
    try {
      return task.get();
    } catch (InterruptedException e) {
      thread.interrupt();
      Thread.currentThread().interrupt();
      throw new Problem(Problem.Kind.ENVIRONMENT, "the work was interrupted", e);
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case IOException io -> throw io;
        case RuntimeException r -> throw r;
        case Error error -> throw error;
        case null, default -> throw new IllegalStateException(e);
      }
    }
  }

  private static void enter(List<Path> readable, Path writable) throws IOException {
    ByteBuffer filter = filter(System.getProperty("os.arch", ""));
    Native.Scratch s = Native.scratch();
    int version = SYSCALL.call(s, CREATE_RULESET, 0, 0, CREATE_RULESET_VERSION);
    if (version < 1 || filter == null) {
      throw Problem.environment(
          "this kernel cannot shut in a program that reads files of strangers (Landlock is off, or"
              + " older than Linux 5.13); run it with sudo");
    }
    long rights = rights(version);
    int rules = ruleset(version, rights);
    try {
      for (Path each : readable(readable)) {
        allow(rules, each, EXECUTE | READ_FILE | (Files.isDirectory(each) ? READ_FOLDER : 0));
      }
      allow(rules, writable, rights & ~(EXECUTE | DEVICE_CONTROL));
      s.check("prctl", 0, PRCTL.call(s, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
      s.check("landlock_restrict_self", rules, SYSCALL.call(s, RESTRICT_SELF, rules, 0));
    } finally {
      Posix.close(rules);
    }
    seccomp(filter);
  }

  private static long rights(int version) {
    return FIRST_RIGHTS
        | (version >= 2 ? REFER : 0)
        | (version >= 3 ? TRUNCATE : 0)
        | (version >= 5 ? DEVICE_CONTROL : 0);
  }

  private static int ruleset(int version, long rights) throws UnixException {
    Native.Scratch s = Native.scratch();
    s.struct.putLong(0, rights).putLong(8, NETWORK).putLong(16, SCOPED);
    int size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
    int made = SYSCALL.call(s, CREATE_RULESET, s.structAddress, size, 0);
    return s.check("landlock_create_ruleset", 0, made);
  }

  /** And what this thread itself may have to read yet. */
  private static Set<Path> readable(List<Path> wanted) {
    Set<Path> all = new LinkedHashSet<>(wanted);
    all.add(Path.of(System.getProperty("java.home")));
    for (String property : List.of("java.class.path", "jdk.module.path")) {
      Stream.of(System.getProperty(property, "").split(File.pathSeparator))
          .filter(entry -> !entry.isEmpty())
          .forEach(entry -> all.add(Path.of(entry).toAbsolutePath()));
    }
    all.removeIf(path -> !Files.exists(path));
    return all;
  }

  private static void allow(int rules, Path path, long rights) throws IOException {
    int fd = Posix.open(OsPath.of(path), Posix.O_PATH, 0);
    try {
      Native.Scratch s = Native.scratch();
      s.struct.putLong(0, rights).putInt(8, fd);
      int done = SYSCALL.call(s, ADD_RULE, rules, RULE_PATH_BENEATH, s.structAddress, 0);
      s.check("landlock_add_rule", OsPath.of(path), done);
    } finally {
      Posix.close(fd);
    }
  }

  private static void seccomp(ByteBuffer filter) throws UnixException {
    Native.Scratch s = Native.scratch();
    // struct sock_fprog, and behind it the program.
    s.struct.putShort(0, (short) (filter.remaining() / 8)).putLong(8, s.structAddress + 16);
    s.struct.put(16, filter, 0, filter.remaining());
    int done = PRCTL.call(s, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, s.structAddress);
    s.check("seccomp", 0, done);
  }

  /**
   * The system calls that make a socket fail, which reaches other users' and the user's own
   * services; so do those of another architecture, by which they had other numbers.
   *
   * @return null where they are not known
   */
  private static @Nullable ByteBuffer filter(String architecture) {
    return switch (architecture) {
      case "amd64" -> filter(0xc000003e, 41);
      case "aarch64" -> filter(0xc00000b7, 198);
      case "riscv64" -> filter(0xc00000f3, 198);
      default -> null;
    };
  }

  private static ByteBuffer filter(int audit, int socket) {
    int load = 0x20;
    int jumpIfEqual = 0x15;
    int jumpIfGreaterOrEqual = 0x35;
    int give = 0x06;
    int x32 = 0x40000000;
    ByteBuffer b = ByteBuffer.allocate(8 * 8).order(ByteOrder.nativeOrder());
    add(b, load, 0, 0, 4);
    add(b, jumpIfEqual, 0, 5, audit);
    add(b, load, 0, 0, 0);
    add(b, jumpIfGreaterOrEqual, 3, 0, x32);
    add(b, jumpIfEqual, 2, 0, socket);
    add(b, jumpIfEqual, 1, 0, IO_URING_SETUP);
    add(b, give, 0, 0, 0x7fff0000);
    add(b, give, 0, 0, 0x00050000 | UnixException.EPERM);
    return b.flip();
  }

  private static void add(ByteBuffer b, int code, int ifTrue, int ifFalse, int value) {
    b.putShort((short) code).put((byte) ifTrue).put((byte) ifFalse).putInt(value);
  }
}
