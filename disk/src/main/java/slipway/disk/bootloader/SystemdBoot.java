package slipway.disk.bootloader;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import slipway.base.Limit;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.linux.posix.FdInput;
import slipway.linux.posix.OpenDirectory;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.RootedFile;
import slipway.tree.FileTree;
import slipway.tree.Node;

/**
 * systemd-boot as an image brings it (systemd-boot(7)): one file, taken as data and put where
 * firmware looks, as {@code bootctl install} does, but for the firmware's own memory, which is left
 * alone. Keys for Secure Boot in {@code /usr/lib/bootc/install/secureboot-keys/NAME/*.auth} go to
 * {@code loader/keys}, where it enrols them in machines that have none.
 *
 * @param name that firmware looks for in {@code EFI/BOOT}, such as {@code BOOTX64.EFI}
 * @param ownName in {@code EFI/systemd}, such as {@code systemd-bootx64.efi}
 */
public record SystemdBoot(String name, String ownName) {
  private static final String FOLDER = "usr/lib/systemd/boot/efi";
  private static final int MOST_KEYS = 100;

  /** What a file takes on FAT at most beside its bytes. */
  private static final long CLUSTER = 32 << 10;

  private static final String KEYS = "usr/lib/bootc/install/secureboot-keys";

  /**
   * That of an architecture.
   *
   * @param architecture in OCI's names
   * @throws Problem of kind INPUT for one without
   */
  public static SystemdBoot of(String architecture) {
    return switch (architecture) {
      case "amd64" -> new SystemdBoot("BOOTX64.EFI", "systemd-bootx64.efi");
      case "arm64" -> new SystemdBoot("BOOTAA64.EFI", "systemd-bootaa64.efi");
      default -> throw Problem.input("no systemd-boot is known for " + architecture);
    };
  }

  /** Where it may be in an image, one that is signed first. */
  private List<String> places() {
    return List.of(FOLDER + "/" + ownName + ".signed", FOLDER + "/" + ownName);
  }

  /**
   * Refuses, before anything is made of it, an image that does not have it, or has keys that cannot
   * be read or are too many.
   *
   * @return bytes that all takes on the EFI system partition
   * @throws Problem of kind INPUT or CORRUPT
   */
  public long require(FileTree image) throws IOException {
    for (String place : places()) {
      Node found = image.find(place).orElse(null);
      if (found != null) {
        String where = "the image's /" + place;
        byte[] loader = read(found, Limit.BOOT_LOADER_BYTES, where);
        requireExecutable(loader, where);
        return 2 * (loader.length + CLUSTER) + requireKeys(image);
      }
    }
    throw missing();
  }

  private static long requireKeys(FileTree image) throws IOException {
    String all = "the image's /" + KEYS;
    long bytes = 0;
    int count = 0;
    for (Map.Entry<OsPath, Node> set : children(image.find(KEYS).orElse(null), KEYS).entrySet()) {
      String folder = KEYS + "/" + set.getKey();
      if (set.getValue() instanceof Node.File) {
        throw Problem.input(
            "the image's /"
                + Printable.text(folder)
                + " would be enrolled by nobody; keys for Secure Boot lie in folders of it, such as"
                + " auto");
      }
      for (Map.Entry<OsPath, Node> key : children(set.getValue(), folder).entrySet()) {
        if (isKey(set.getKey(), key.getKey())) {
          String where = "the image's /" + Printable.text(folder + "/" + key.getKey());
          bytes += read(key.getValue(), Limit.SMALL_FILE_BYTES, where).length;
          Limit.SMALL_FILE_BYTES.check(bytes, all + " in all");
          if (++count > MOST_KEYS) {
            throw Problem.input(all + " has more than " + MOST_KEYS + " keys; leave some out");
          }
        }
      }
    }
    return bytes + count * CLUSTER;
  }

  private static Map<OsPath, Node> children(@Nullable Node node, String path) {
    if (node instanceof Node.Symlink) {
      throw notPlain("the image's /" + Printable.text(path), "folder");
    }
    return node instanceof Node.Directory folder ? folder.children() : Map.of();
  }

  private static byte[] read(Node node, Limit limit, String where) throws IOException {
    if (!(node instanceof Node.File file)) {
      throw notPlain(where, "regular file");
    }
    limit.check(file.content().size(), where);
    try (InputStream in = file.content().open()) {
      return limit.read(in, where);
    }
  }

  private static Problem notPlain(String where, String kind) {
    return Problem.input(where + " is no " + kind + "; put the " + kind + " itself there");
  }

  private static void requireExecutable(byte[] image, String where) {
    if (!GrubMkimage.isExecutable(image)) {
      throw Problem.input(where + " is damaged: firmware cannot start it");
    }
  }

  private Problem missing() {
    return Problem.input(
        "the image has no systemd-boot: /"
            + FOLDER
            + "/"
            + ownName
            + " is missing; install systemd-boot-efi in it, or give --bootloader grub");
  }

  /**
   * Writes it, and the keys, among the files of an EFI system partition.
   *
   * @param deployment the deployed image's root
   * @param partition a folder, as the partition is to look
   */
  public void write(Path deployment, Path partition) throws IOException {
    byte[] image = image(deployment);
    for (String place : List.of("EFI/systemd/" + ownName, "EFI/BOOT/" + name)) {
      put(partition.resolve(place), image);
    }
    keys(deployment, partition.resolve("loader/keys"));
  }

  private static void put(Path file, byte[] content) throws IOException {
    Files.createDirectories(file.resolveSibling(""));
    Files.write(file, content);
  }

  private byte[] image(Path deployment) throws IOException {
    for (String place : places()) {
      String where = "the image's /" + place;
      Optional<FdInput> found =
          RootedFile.open(OsPath.of(deployment), OsPath.of(place), RootedFile.Links.BENEATH, where);
      if (found.isPresent()) {
        try (FdInput in = found.get()) {
          byte[] image = Limit.BOOT_LOADER_BYTES.read(in, where);
          requireExecutable(image, where);
          return image;
        }
      }
    }
    throw missing();
  }

  private static void keys(Path deployment, Path to) throws IOException {
    try (OpenDirectory top = OpenDirectory.of(OsPath.of(deployment));
        OpenDirectory keys = top.find(OsPath.of(KEYS)).orElse(null)) {
      if (keys == null) {
        return;
      }
      for (OsPath set : keys.names()) {
        try (OpenDirectory files = keys.find(set).orElse(null)) {
          for (OsPath key : files == null ? List.<OsPath>of() : files.names()) {
            if (isKey(set, key)) {
              OsPath path = OsPath.of(KEYS).resolve(set).resolve(key);
              byte[] content =
                  RootedFile.read(
                          OsPath.of(deployment),
                          path,
                          RootedFile.Links.BENEATH,
                          "the image's /" + Printable.text(path.toString()))
                      .orElse(new byte[0]);
              put(to.resolve(set.toString()).resolve(key.toString()), content);
            }
          }
        }
      }
    }
  }

  private static boolean isKey(OsPath set, OsPath key) {
    return key.toString().endsWith(".auth") && isPlain(set) && isPlain(key);
  }

  /** Whether FAT takes a name. */
  private static boolean isPlain(OsPath name) {
    return name.toString().matches("[A-Za-z0-9_-][A-Za-z0-9._-]*");
  }
}
