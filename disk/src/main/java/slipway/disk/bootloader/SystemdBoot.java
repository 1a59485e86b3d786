package slipway.disk.bootloader;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import slipway.base.Limit;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.linux.posix.FdInput;
import slipway.linux.posix.OpenDirectory;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.RootedFile;
import slipway.tree.FileTree;

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
   * Refuses, before anything is made of it, an image that does not have it.
   *
   * @throws Problem of kind INPUT
   */
  public void require(FileTree image) {
    if (places().stream().noneMatch(place -> image.find(place).isPresent())) {
      throw missing();
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
          if (!GrubMkimage.isExecutable(image)) {
            throw Problem.input(where + " is damaged: firmware cannot start it");
          }
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
            if (key.toString().endsWith(".auth") && isPlain(set) && isPlain(key)) {
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

  /** Whether FAT takes a name. */
  private static boolean isPlain(OsPath name) {
    return name.toString().matches("[A-Za-z0-9_-][A-Za-z0-9._-]*");
  }
}
