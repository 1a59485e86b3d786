package slipway.disk.bootloader;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import slipway.base.AtomicFile;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Removal;

/**
 * An EFI system partition that is mounted. Firmware starts what its own memory names, else {@code
 * EFI/BOOT}; so the loaders of a system that was erased go, those of all others stay.
 *
 * @param folder where it is mounted
 */
public record EfiFolder(Path folder) {
  private static final String FALLBACK = "BOOT";

  /** Where all systems of a machine have their unified kernels. */
  private static final String SHARED = "Linux";

  /** Where systemd-boot is, whoever installs it. */
  public static final String SYSTEMD = "systemd";

  /** Larger files are no loaders of Linux. */
  private static final int LARGEST = 16 << 20;

  /**
   * Puts loaders and what they read there.
   *
   * @param files a folder, as the partition is to look
   */
  public void write(Path files) throws IOException {
    try (Stream<Path> all = Files.walk(files)) {
      for (Path file : (Iterable<Path>) all.filter(Files::isRegularFile).sorted()::iterator) {
        try (AtomicFile copy =
            AtomicFile.create(folder.resolve(files.relativize(file)), "rw-------")) {
          Files.copy(file, copy.out());
          copy.commit();
        }
      }
    }
  }

  /**
   * Removes the folders of loaders that look for one of these file systems, whose {@code /boot} is
   * not theirs any more: firmware that remembers them goes on to the next. Of a folder that all
   * systems share only the files go that look for one.
   *
   * @param ids of the file systems
   * @return the names of folders, and files in the shared one, below {@code EFI}
   */
  public List<String> removeLoadersOf(Collection<String> ids) throws IOException {
    if (!Files.isDirectory(efi(), LinkOption.NOFOLLOW_LINKS)) {
      return List.of();
    }
    List<Path> found;
    try (Stream<Path> all = Files.list(efi())) {
      found = all.filter(f -> Files.isDirectory(f, LinkOption.NOFOLLOW_LINKS)).toList();
    }
    List<String> removed = new ArrayList<>();
    for (Path vendor : found) {
      String name = String.valueOf(vendor.getFileName());
      if (isShared(name)) {
        for (Path file : holding(vendor, ids)) {
          Files.delete(file);
          removed.add(name + "/" + file.getFileName());
        }
      } else if (!isFallback(name) && !holding(vendor, ids).isEmpty()) {
        Removal.tree(OsPath.of(vendor));
        removed.add(name);
      }
    }
    return removed;
  }

  /** Whether several systems have files in a folder below {@code EFI}. */
  public static boolean isShared(String name) {
    return name.equalsIgnoreCase(SHARED);
  }

  /** Whether a folder below {@code EFI} has the loader that firmware starts unasked. */
  public static boolean isFallback(String name) {
    return name.equalsIgnoreCase(FALLBACK);
  }

  /** Whether somebody's systemd-boot is there. */
  public boolean hasSystemdBoot() {
    return Files.isDirectory(efi().resolve(SYSTEMD));
  }

  private Path efi() {
    return folder.resolve("EFI");
  }

  /** The files in a folder that hold one of these. */
  private static List<Path> holding(Path vendor, Collection<String> ids) throws IOException {
    List<Path> found = new ArrayList<>();
    try (Stream<Path> files = Files.list(vendor)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        if (Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) && holds(file, ids)) {
          found.add(file);
        }
      }
    }
    return found;
  }

  private static boolean holds(Path file, Collection<String> ids) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      String text =
          new String(in.readNBytes(LARGEST), StandardCharsets.ISO_8859_1).toLowerCase(Locale.ROOT);
      return ids.stream().anyMatch(id -> text.contains(id.toLowerCase(Locale.ROOT)));
    }
  }
}
