package slipway.media;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.linux.lock.Flock;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.process.Command;

/**
 * Machines that have names, and that go on when the command which started them has ended. Each is a
 * folder, see {@link NamedMachine}; it exists from the moment on when its {@code machine.json}
 * does.
 */
public final class Machines {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,63}");

  private final Path folder;

  /**
   * @param folder of all machines; made with the first
   */
  public Machines(Path folder) {
    this.folder = folder;
  }

  /** All machines, by name. */
  public List<NamedMachine> list() throws IOException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> all = Files.list(folder)) {
      return all.filter(Machines::isMachine).sorted().map(NamedMachine::new).toList();
    }
  }

  /**
   * The machine of a name.
   *
   * @throws Problem of kind NOT_FOUND when there is none
   */
  public NamedMachine require(String name) {
    Path place = folder.resolve(checked(name));
    if (!isMachine(place)) {
      throw Problem.notFound("there is no machine " + name + "; slipway vm list shows them");
    }
    return new NamedMachine(place);
  }

  /**
   * A name that no machine has.
   *
   * @param wish what it shall look like, such as {@code web}
   */
  public String freeName(String wish) {
    String plain = wish.replaceAll("[^A-Za-z0-9_.-]", "-").replaceAll("^[^A-Za-z0-9]+", "");
    String name = plain.isEmpty() ? "machine" : plain.substring(0, Math.min(plain.length(), 56));
    String free = name;
    for (int i = 2; Files.exists(folder.resolve(free)); i++) {
      free = name + "-" + i;
    }
    return free;
  }

  /**
   * Makes a machine, which is off then, with a key of its own to log in with.
   *
   * @throws Problem of kind USAGE when another has the name
   */
  public NamedMachine create(String name, MachineRecord record) throws IOException {
    Path place = Files.createDirectories(folder).resolve(checked(name));
    try (Flock lock = claim(name, place)) {
      boolean made = false;
      try {
        fill(place, name, record);
        made = true;
        return new NamedMachine(place);
      } finally {
        if (!made) {
          Posix.removeTree(OsPath.of(place));
        }
      }
    }
  }

  /** Makes the folder of a machine, or takes one that a killed command left without a machine. */
  private static Flock claim(String name, Path place) throws IOException {
    try {
      Files.createDirectory(
          place,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    } catch (FileAlreadyExistsException e) {
      // Told below, unless it is left over.
    }
    Flock lock = Flock.tryDirectory(place);
    if (lock == null || isMachine(place)) {
      if (lock != null) {
        lock.close();
      }
      throw Problem.usage(
          "there is a machine "
              + name
              + " already; choose another --name, or remove it with slipway vm rm "
              + name);
    }
    return lock;
  }

  private static void fill(Path place, String name, MachineRecord record) throws IOException {
    for (String old : List.of(NamedMachine.KEY, NamedMachine.KEY + ".pub", NamedMachine.OVERLAY)) {
      Files.deleteIfExists(place.resolve(old));
    }
    String key = place.resolve(NamedMachine.KEY).toString();
    Command.of("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "slipway-" + name, "-f", key)
        .run();
    if (record.overlay()) {
      record.format().check(record.disk());
      Command.of("qemu-img", "create", "-q", "-f", "qcow2", "-F", record.format().label(), "-b")
          .with(record.disk().toString(), place.resolve(NamedMachine.OVERLAY).toString())
          .run();
    }
    Path own = place.resolve(NamedMachine.OVERLAY);
    MachineRecord whole = record;
    if (record.ownDisk() > 0) {
      Command.of("qemu-img", "create", "-q", "-f", "qcow2", own.toString())
          .with(Long.toString(record.ownDisk()))
          .run();
      whole = record.with(r -> r.disk(own.toAbsolutePath()).format(DiskFormat.QCOW2));
    }
    whole.write(place.resolve(NamedMachine.RECORD));
  }

  private static boolean isMachine(Path place) {
    return Files.isRegularFile(place.resolve(NamedMachine.RECORD));
  }

  private static String checked(String name) {
    if (!NAME.matcher(name).matches()) {
      throw Problem.usage(
          "\""
              + Printable.text(name)
              + "\" is no name of a machine; it takes letters, digits, _ . and -, at most 64");
    }
    return name;
  }
}
