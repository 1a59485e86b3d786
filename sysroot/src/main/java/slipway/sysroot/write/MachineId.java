package slipway.sysroot.write;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.regex.Pattern;
import slipway.base.RawText;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.TreeCopy;

/**
 * What tells one machine from another, {@code /etc/machine-id} (machine-id(5)). Images hold one all
 * the same, when a package made it in a container build: with it all machines of an image would be
 * the same one, and another one after each update.
 */
public final class MachineId {
  private static final Pattern ID = Pattern.compile("[0-9a-f]{32}\\s*");
  private static final String FILE = "machine-id";

  private MachineId() {}

  /** Empties that of an image, so that the first start gives the machine its own. */
  static void forget(Path etc) throws IOException {
    Path file = etc.resolve(FILE);
    if (isGiven(file)) {
      Files.write(
          file, new byte[0], StandardOpenOption.TRUNCATE_EXISTING, LinkOption.NOFOLLOW_LINKS);
    }
  }

  /** Removes an image's copy of it for D-Bus, which systemd would take up. */
  static void forgetCopy(Path var) throws IOException {
    Path file = var.resolve("lib/dbus").resolve(FILE);
    if (Files.isDirectory(var.resolve("lib"), LinkOption.NOFOLLOW_LINKS)
        && Files.isDirectory(var.resolve("lib/dbus"), LinkOption.NOFOLLOW_LINKS)
        && isGiven(file)) {
      Files.delete(file);
    }
  }

  /** Gives a new /etc what the machine has, if it has one. */
  static void keep(Path live, Path fresh) throws IOException {
    Path own = live.resolve(FILE);
    Path file = fresh.resolve(FILE);
    boolean isOther =
        Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
            ? isGiven(own) && Files.mismatch(own, file) >= 0
            : isGiven(own) && !Files.exists(file, LinkOption.NOFOLLOW_LINKS);
    if (isOther) {
      Files.deleteIfExists(file);
      TreeCopy.copy(OsPath.of(own), OsPath.of(file), TreeCopy.FAITHFUL, dropped -> {});
    }
  }

  private static boolean isGiven(Path file) throws IOException {
    return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
        && Files.size(file) < 100
        && isGiven(Files.readAllBytes(file));
  }

  /** Whether a file holds one: before the first start it is empty, or says uninitialized. */
  public static boolean isGiven(byte[] file) {
    return ID.matcher(RawText.decode(file)).matches();
  }
}
