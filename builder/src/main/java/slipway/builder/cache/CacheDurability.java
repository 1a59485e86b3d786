package slipway.builder.cache;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import slipway.base.AtomicFile;
import slipway.linux.lock.Flock;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;

/**
 * Knows which files of the build directory a power cut can no longer harm, so that steps need not
 * wait for the disk one by one. What was written since the machine started is right anyway; what
 * was written before that is right if a sync came after it.
 */
public final class CacheDurability {
  private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");
  private static final Pattern STAMP = Pattern.compile("([0-9a-f-]{36}) ([0-9]{1,19})\n");

  private final Path root;
  private final String boot;

  /**
   * @param root the build directory
   * @param boot identifies the time since the machine started
   */
  CacheDurability(Path root, String boot) {
    this.root = root;
    this.boot = boot;
  }

  /** For this machine as it runs now. */
  public static CacheDurability of(Path root) throws IOException {
    return new CacheDurability(root, Files.readString(BOOT_ID).strip());
  }

  /** Says when something is written: now. */
  public String stamp() {
    return boot + " " + monotonic() + "\n";
  }

  /** The kernel's clock that never jumps; it is the same one for all processes of a boot. */
  private static long monotonic() {
    return Math.max(0, System.nanoTime());
  }

  /** Whether what was written when this stamp was taken is whole. */
  boolean holds(String stamp) throws IOException {
    Matcher m = STAMP.matcher(stamp);
    if (!m.matches()) {
      return false;
    }
    return m.group(1).equals(boot) || Long.parseLong(m.group(2)) <= synced(m.group(1));
  }

  private Path file(String ofBoot) {
    return root.resolve("synced").resolve(ofBoot);
  }

  private long synced(String ofBoot) throws IOException {
    try {
      String text = Files.readString(file(ofBoot), StandardCharsets.US_ASCII);
      Matcher m = STAMP.matcher(text);
      return m.matches() ? Long.parseLong(m.group(2)) : -1;
    } catch (NoSuchFileException e) {
      return -1;
    }
  }

  /** Syncs all that was written so far. */
  void sync() throws IOException {
    String stamp = stamp();
    Posix.syncfs(OsPath.of(root));
    try (Flock alone = Flock.file(root.resolve("synced.lock"), true)) {
      AtomicFile.sweep(root.resolve("synced"));
      AtomicFile.write(file(boot), stamp);
    }
  }

  /**
   * Forgets the syncs of boots that no snapshot is of any more. Only while no build is under way.
   */
  void forget() throws IOException {
    Set<String> needed = new HashSet<>(Set.of(boot));
    for (Path snapshot : children(root.resolve("snapshots"))) {
      needed.add(bootOf(snapshot.resolve("stamp")));
    }
    for (Path synced : children(root.resolve("synced"))) {
      if (!needed.contains(synced.getFileName().toString())) {
        Files.delete(synced);
      }
    }
  }

  private static String bootOf(Path stamp) throws IOException {
    try {
      Matcher m = STAMP.matcher(Files.readString(stamp));
      return m.matches() ? m.group(1) : "";
    } catch (NoSuchFileException e) {
      return "";
    }
  }

  private static List<Path> children(Path directory) throws IOException {
    List<Path> all = new ArrayList<>();
    if (Files.isDirectory(directory)) {
      try (DirectoryStream<Path> list = Files.newDirectoryStream(directory)) {
        list.forEach(all::add);
      }
    }
    return all;
  }
}
