package slipway.host.install;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.RawText;
import slipway.disk.config.BootLoader;
import slipway.disk.config.DiskConfig;
import slipway.disk.config.RootFileSystem;
import slipway.host.system.HostEnvironment;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.RootedFile;
import slipway.oci.model.Reference;
import slipway.system.kargs.KernelArguments;

/**
 * What an installer medium does when the image on it was started live: chooses the disk, asks,
 * installs the image that lies on the medium, and restarts. What is wrong with the medium or the
 * choice is said before a disk is touched.
 */
public final class MediumInstall {
  /** Where the initramfs of the medium has mounted it. */
  private static final String MEDIUM = "slipway-live/medium";

  /** Which device that is, by its name in /sys/class/block. */
  private static final String DEVICE = "slipway-live/device";

  private static final String MODE = "slipway.installer";
  private static final String DISK = "slipway.disk";
  private static final List<String> NO_DISKS =
      List.of("loop", "ram", "zram", "sr", "fd", "dm-", "md", "nbd");

  private final HostEnvironment host;
  private final Supplier<@Nullable String> answers;

  /**
   * @param answers the next line that somebody types; null when nobody will
   */
  public MediumInstall(HostEnvironment host, Supplier<@Nullable String> answers) {
    this.host = host;
    this.answers = answers;
  }

  /** How much is asked. */
  enum Mode {
    /** Which disk, and whether. */
    INTERACTIVE,
    /** Whether; and which disk where there are several. */
    CONFIRM,
    /** Nothing. */
    UNATTENDED
  }

  /**
   * A disk of this machine that could be installed to.
   *
   * @param name in /dev
   * @param size bytes
   * @param model what it calls itself; empty when it does not
   */
  record Candidate(String name, long size, String model) {
    @Override
    public String toString() {
      String text = "/dev/%s  %.1f GB  %s".formatted(name, size / 1e9, model);
      return Printable.text(text.strip());
    }
  }

  /**
   * What the medium says.
   *
   * @param target the name that the machine follows
   * @param rootfs null for what the image says
   * @param bootLoader likewise
   */
  record Wishes(
      Reference target,
      @Nullable RootFileSystem rootfs,
      @Nullable BootLoader bootLoader,
      DiskConfig config) {}

  /**
   * Installs and begins to restart.
   *
   * @throws Problem when there is no such medium, no disk to choose, or the installation fails
   */
  public void run() throws IOException {
    KernelArguments arguments =
        KernelArguments.parse(
            RawText.decode(Files.readAllBytes(host.root().resolve("proc/cmdline"))));
    Mode mode = mode(arguments);
    Wishes wishes = wishes();
    Optional<Candidate> disk = choose(mode, arguments);
    if (disk.isEmpty() || !confirmed(mode, disk.get(), wishes)) {
      throw Problem.environment("nothing was installed, and no disk was changed");
    }
    host.out().accept("Installing. This takes some minutes.");
    new Installer(host)
        .toDisk(
            new Installer.Options(
                "oci:" + host.run().resolve(MEDIUM + "/container"),
                wishes.target(),
                null,
                wishes.bootLoader(),
                wishes.config().kernelArguments(),
                List.of(),
                null,
                false,
                Installer.Bound.SKIP),
            new Installer.Disk(
                Path.of("/dev/" + disk.get().name()), false, true, wishes.rootfs(), 0, null),
            wishes.config());
    host.out().accept("Install finished. The machine restarts; take out the medium.");
    host.system().reboot();
  }

  private static Mode mode(KernelArguments arguments) {
    String word = value(arguments, MODE).orElse("confirm");
    return switch (word) {
      case "interactive" -> Mode.INTERACTIVE;
      case "confirm" -> Mode.CONFIRM;
      case "unattended" -> Mode.UNATTENDED;
      default ->
          throw Problem.input(
              "the kernel argument %s=%s is none of interactive, confirm and unattended"
                  .formatted(MODE, Printable.text(word)));
    };
  }

  /** Of several the last, as the kernel has it. */
  private static Optional<String> value(KernelArguments arguments, String key) {
    return arguments.list().stream()
        .filter(a -> a.startsWith(key + "="))
        .map(a -> a.substring(key.length() + 1))
        .reduce((a, b) -> b);
  }

  Wishes wishes() throws IOException {
    String answers =
        file(MEDIUM + "/slipway/answers")
            .orElseThrow(
                () ->
                    Problem.environment(
                        "no installer medium is mounted here; a machine that was started from one"
                            + " runs this"));
    DiskConfig config = DiskConfig.EMPTY;
    Path folder = host.run().resolve(MEDIUM + "/slipway");
    for (String name : List.of("config.toml", "config.json")) {
      if (Files.isRegularFile(folder.resolve(name))) {
        // What does nothing was refused or warned of when the medium was made.
        config =
            DiskConfig.parse(folder.resolve(name), new DiskConfig.Unsupported(true, warning -> {}));
      }
    }
    return new Wishes(
        Reference.parse(line(answers, "target").orElse("")),
        line(answers, "rootfs").map(RootFileSystem::parse).orElse(null),
        line(answers, "bootloader").map(BootLoader::parse).orElse(null),
        config);
  }

  private static Optional<String> line(String text, String key) {
    return text.lines()
        .filter(l -> l.startsWith(key + "="))
        .map(l -> l.substring(key.length() + 1))
        .findFirst();
  }

  private Optional<String> file(String path) throws IOException {
    return RootedFile.read(
            OsPath.of(host.run()), OsPath.of(path), RootedFile.Links.BENEATH, "/run/" + path)
        .map(bytes -> new String(bytes, StandardCharsets.UTF_8));
  }

  /**
   * The disk; none when whoever was asked names none.
   *
   * @throws Problem when there is none, or several and nobody to ask
   */
  Optional<Candidate> choose(Mode mode, KernelArguments arguments) throws IOException {
    List<Candidate> all = candidates();
    Optional<String> said = value(arguments, DISK);
    if (said.isPresent()) {
      String name = said.get().startsWith("/dev/") ? said.get().substring(5) : said.get();
      return Optional.of(
          named(all, name)
              .orElseThrow(
                  () ->
                      Problem.input(
                          "the kernel argument %s=%s names no disk that can be installed to; %s"
                              .formatted(DISK, Printable.text(said.get()), told(all)))));
    }
    if (all.isEmpty()) {
      throw Problem.environment("this machine has no disk that can be installed to");
    }
    if (all.size() == 1 && mode != Mode.INTERACTIVE) {
      return Optional.of(all.getFirst());
    }
    if (mode == Mode.UNATTENDED) {
      throw Problem.environment(
          "which disk is meant? Say it by the kernel argument %s=NAME; %s"
              .formatted(DISK, told(all)));
    }
    host.out().accept("Disks of this machine:");
    all.forEach(d -> host.out().accept("  " + d));
    host.out()
        .accept(
            "Which one shall be erased and installed to? Type its name, such as "
                + all.getFirst().name()
                + ":");
    String typed = answers.get();
    String name = typed == null ? "" : typed.strip();
    return named(all, name.startsWith("/dev/") ? name.substring(5) : name);
  }

  private static String told(List<Candidate> all) {
    return "there are " + String.join("; ", all.stream().map(Candidate::toString).toList());
  }

  private static Optional<Candidate> named(List<Candidate> all, String name) {
    return all.stream().filter(d -> d.name().equals(name)).findFirst();
  }

  private boolean confirmed(Mode mode, Candidate disk, Wishes wishes) {
    host.out().accept("Image:  " + Printable.text(wishes.target().toString()));
    host.out().accept("Disk:   " + disk);
    if (mode == Mode.UNATTENDED) {
      return true;
    }
    host.out().accept("All that is on this disk is erased. Type yes to install:");
    String typed = answers.get();
    return typed != null && typed.strip().toLowerCase(Locale.ROOT).equals("yes");
  }

  /** Disks that can be written to, without the medium. */
  List<Candidate> candidates() throws IOException {
    String medium =
        file(DEVICE)
            .map(String::strip)
            .filter(name -> !name.isEmpty())
            .orElseThrow(
                () ->
                    Problem.environment(
                        "/run/"
                            + DEVICE
                            + " does not say which drive is the installer medium, which must not"
                            + " be erased"));
    Path blocks = host.root().resolve("sys/block");
    List<Candidate> found = new ArrayList<>();
    try (var all = Files.newDirectoryStream(blocks)) {
      for (Path each : all) {
        String name = String.valueOf(each.getFileName());
        boolean own = name.equals(medium) || Files.exists(each.resolve(medium));
        if (own || NO_DISKS.stream().anyMatch(name::startsWith)) {
          continue;
        }
        long size = 512 * Long.parseLong(attribute(each, "size", "0"));
        if (size > 0 && attribute(each, "ro", "0").equals("0")) {
          found.add(new Candidate(name, size, attribute(each, "device/model", "")));
        }
      }
    }
    found.sort(Comparator.comparing(Candidate::name));
    return found;
  }

  private static String attribute(Path block, String name, String otherwise) throws IOException {
    Path file = block.resolve(name);
    return Files.exists(file) ? RawText.decode(Files.readAllBytes(file)).strip() : otherwise;
  }
}
