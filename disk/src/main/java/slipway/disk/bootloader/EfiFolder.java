package slipway.disk.bootloader;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import slipway.base.AtomicFile;
import slipway.base.FileReason;
import slipway.base.Printable;
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
   * Removes the folders of loaders of systems that were erased: firmware that remembers them goes
   * on to the next. Of a folder that all systems share only their files go, and the folder itself
   * when it is empty then.
   *
   * @param notes is told of what cannot be looked at or removed, and stays: the new loader does not
   *     depend on it
   * @return the names of folders, and files in the shared one, below {@code EFI}
   */
  public List<String> removeLoadersOf(ErasedSystems erased, Consumer<String> notes)
      throws IOException {
    if (erased.isNone() || !Files.isDirectory(efi(), LinkOption.NOFOLLOW_LINKS)) {
      return List.of();
    }
    List<Path> found;
    try (Stream<Path> all = Files.list(efi())) {
      found = all.filter(f -> Files.isDirectory(f, LinkOption.NOFOLLOW_LINKS)).toList();
    }
    List<String> removed = new ArrayList<>();
    for (Path vendor : found) {
      try {
        remove(vendor, erased, removed);
      } catch (IOException | RuntimeException e) {
        notes.accept(stays(String.valueOf(vendor.getFileName()), e));
      }
    }
    return removed;
  }

  private static void remove(Path vendor, ErasedSystems erased, List<String> removed)
      throws IOException {
    String name = String.valueOf(vendor.getFileName());
    List<Path> theirs = isFallback(name) ? List.of() : filesOf(vendor, erased);
    if (theirs.isEmpty()) {
      return;
    }
    if (!isShared(name)) {
      Removal.tree(OsPath.of(vendor));
      removed.add(name);
      return;
    }
    for (Path file : theirs) {
      Files.delete(file);
      removed.add(name + "/" + file.getFileName());
    }
    boolean isEmpty;
    try (Stream<Path> left = Files.list(vendor)) {
      isEmpty = left.findAny().isEmpty();
    }
    if (isEmpty) {
      Files.delete(vendor);
    }
  }

  /**
   * What to tell of a loader that stays, and what to do.
   *
   * @param vendor its folder below {@code EFI}
   */
  public static String stays(String vendor, Exception failure) {
    return "the loader EFI/"
        + Printable.text(vendor)
        + " on the EFI system partition could not be looked at or removed and stays: "
        + Printable.text(FileReason.why(failure))
        + "; where firmware starts it first, choose the new one in its boot menu (efibootmgr)";
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

  /** The files in a folder below {@code EFI}, or in a copy of one, that are of those systems. */
  public static List<Path> filesOf(Path vendor, ErasedSystems erased) throws IOException {
    List<Path> found = new ArrayList<>();
    try (Stream<Path> files = Files.list(vendor)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        if (Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
            && erased.isTheirs(String.valueOf(vendor.getFileName()), text(file))) {
          found.add(file);
        }
      }
    }
    return found;
  }

  private static String text(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return new String(in.readNBytes(LARGEST), StandardCharsets.ISO_8859_1);
    }
  }
}
