package slipway.host.install;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
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
import slipway.host.kickstart.InstallAnswers;
import slipway.host.kickstart.Kickstart;
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

  /** As Anaconda has it. */
  private static final String KICKSTART = "inst.ks";

  private static final String CHECK = "rd.live.check";

  /** The kickstart file of the config that the medium was made with. */
  private static final String OWN_KICKSTART = "slipway/kickstart.ks";

  private static final InstallAnswers.Disk ANY =
      new InstallAnswers.Disk(List.of(), List.of(), true, true);
  private static final InstallAnswers.Ending NOTHING_SAID =
      new InstallAnswers.Ending(Optional.empty(), false);
  private static final List<String> NO_DISKS =
      List.of("loop", "ram", "zram", "sr", "fd", "dm-", "md", "nbd");

  private final HostEnvironment host;
  private final CurrentStep step;
  private final Supplier<@Nullable String> answers;

  /**
   * @param answers the next line that somebody types; null when nobody will
   */
  public MediumInstall(HostEnvironment host, Supplier<@Nullable String> answers) {
    this.step = new CurrentStep(host.progress());
    this.host =
        new HostEnvironment(
            host.root(),
            host.run(),
            host.variables(),
            host.out(),
            step,
            host.images(),
            host.system(),
            host.clock());
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
    InstallAnswers.Ending ending;
    try {
      ending = installed();
    } catch (IOException | RuntimeException e) {
      String what = step.what();
      host.out().accept("Install failed" + (what.isEmpty() ? "." : " while " + what + "."));
      throw e;
    }
    String how = ending.how().orElse("reboot");
    host.out()
        .accept(
            "Install finished. The machine "
                + (how.equals("reboot") ? "restarts; take out the medium." : "stops."));
    if (ending.eject()) {
      eject();
    }
    host.system().end(how);
  }

  private InstallAnswers.Ending installed() throws IOException {
    KernelArguments arguments =
        KernelArguments.parse(
            RawText.decode(Files.readAllBytes(host.root().resolve("proc/cmdline"))));
    mode(arguments);
    if (arguments.list().contains(CHECK)) {
      check();
    }
    Optional<Kickstart> kickstart = kickstart(arguments);
    try {
      install(arguments, kickstart);
    } catch (IOException | RuntimeException e) {
      if (kickstart.isPresent()) {
        onError(kickstart.get(), e);
      }
      throw e;
    }
    return kickstart.map(k -> k.answers().ending()).orElse(NOTHING_SAID);
  }

  private void check() throws IOException {
    String name = drive();
    // The sum is of the whole drive, of which a partition may be what is mounted.
    Path block = host.root().resolve("sys/class/block").resolve(name);
    String whole =
        Files.exists(block.resolve("partition"))
            ? String.valueOf(block.toRealPath().resolveSibling("").getFileName())
            : name;
    host.out().accept("Checking the medium. This takes some minutes.");
    new MediumCheck(host.root().resolve("dev").resolve(whole)).run();
    host.out().accept("The medium is whole.");
  }

  /** The file that answers, if there is one. */
  private Optional<Kickstart> kickstart(KernelArguments arguments) throws IOException {
    Path medium = host.run().resolve(MEDIUM);
    Optional<String> where = value(arguments, KICKSTART);
    boolean isBare = arguments.list().contains(KICKSTART);
    if (where.isEmpty() && !isBare && !Files.isRegularFile(medium.resolve(OWN_KICKSTART))) {
      return Optional.empty();
    }
    String found = where.orElse(isBare ? "" : "cdrom:/" + OWN_KICKSTART);
    return Optional.of(Kickstart.read(host, medium, drive(), found));
  }

  /** The answers of the medium, and those of a kickstart file in their place. */
  private void install(KernelArguments arguments, Optional<Kickstart> kickstart)
      throws IOException {
    Wishes wishes = wishes();
    Mode mode = mode(arguments);
    Installer.Options options = options(wishes, wishes.config());
    DiskConfig config = wishes.config();
    RootFileSystem rootfs = wishes.rootfs();
    InstallAnswers answers = kickstart.map(Kickstart::answers).orElse(null);
    if (answers != null) {
      config =
          answers
              .config()
              .withKernelArguments(wishes.config().kernelArguments().toArray(String[]::new));
      options = options(wishes, config, answers);
      mode = mode(mode, answers);
      rootfs = answers.rootfs() == null ? rootfs : answers.rootfs();
    }
    Candidate disk = disk(mode, arguments, options, answers);
    Installer.Finish finish = kickstart.isEmpty() ? Installer.Finish.NONE : kickstart.get()::post;
    if (String.valueOf(options.source()).startsWith("docker://")) {
      step.at("waiting for the network");
      host.system().online();
    }
    host.out().accept("Installing. This takes some minutes.");
    step.at("looking into the image");
    new Installer(host)
        .toDisk(
            options,
            new Installer.Disk(
                host.root().resolve("dev").resolve(disk.name()),
                false,
                answers == null || answers.disk().erased() || !answers.disk().divided(),
                rootfs,
                answers == null ? 0 : answers.rootSize(),
                null),
            config,
            finish);
  }

  /** Who is there is asked; a file that does not say how the disk is divided says too little. */
  private static Mode mode(Mode said, InstallAnswers answers) {
    if (answers.asksNothing() && answers.disk().divided()) {
      return Mode.UNATTENDED;
    }
    return said == Mode.UNATTENDED && !answers.disk().divided() ? Mode.CONFIRM : said;
  }

  private Installer.Options options(Wishes wishes, DiskConfig config) {
    return new Installer.Options(
        ofMedium(),
        wishes.target(),
        null,
        wishes.bootLoader(),
        config.kernelArguments(),
        List.of(),
        null,
        false,
        Installer.Bound.SKIP,
        companions());
  }

  private Installer.Options options(Wishes wishes, DiskConfig config, InstallAnswers answers) {
    InstallAnswers.Image image = answers.image();
    return new Installer.Options(
        image.source() == null ? ofMedium() : image.source(),
        image.target() == null ? wishes.target() : Reference.parse(image.target()).orLatest(),
        image.stateroot(),
        answers.bootLoader() == null ? wishes.bootLoader() : answers.bootLoader(),
        config.kernelArguments(),
        List.of(),
        null,
        false,
        Installer.Bound.SKIP,
        companions());
  }

  /** What lies beside the image, if anything does. */
  private @Nullable Path companions() {
    Path folder = host.run().resolve(MEDIUM + "/companions");
    return Files.isDirectory(folder) ? folder : null;
  }

  private String ofMedium() {
    return "oci:" + host.run().resolve(MEDIUM + "/container");
  }

  private Candidate disk(
      Mode mode,
      KernelArguments arguments,
      Installer.Options options,
      @Nullable InstallAnswers answers)
      throws IOException {
    Optional<Candidate> disk = choose(mode, arguments, answers == null ? ANY : answers.disk());
    if (disk.isEmpty() || !confirmed(mode, disk.get(), options)) {
      throw Problem.environment("nothing was installed, and no disk was changed");
    }
    boolean isKept = answers != null && answers.disk().divided() && !answers.disk().erased();
    if (isKept && hasPartitions(disk.get())) {
      throw Problem.environment(
          "/dev/%s has partitions, and the kickstart file does not say that they may go; add clearpart --all to it"
              .formatted(disk.get().name()));
    }
    return disk.get();
  }

  private boolean hasPartitions(Candidate disk) throws IOException {
    try (var all = Files.list(host.root().resolve("sys/block").resolve(disk.name()))) {
      return all.anyMatch(each -> Files.exists(each.resolve("partition")));
    }
  }

  private void onError(Kickstart kickstart, Exception failure) {
    try {
      kickstart.failed();
    } catch (IOException | RuntimeException e) {
      failure.addSuppressed(e);
    }
  }

  /** When all else has ended, for the live system reads from the medium until then. */
  private void eject() throws IOException {
    Path folder = host.root().resolve("usr/lib/systemd/system-shutdown");
    if (!Files.isExecutable(host.root().resolve("usr/bin/eject"))) {
      host.out().accept("warning: the image has no eject; take the medium out by hand");
      return;
    }
    Path script = Files.createDirectories(folder).resolve("slipway-eject");
    Files.writeString(script, "#!/bin/sh\nexec /usr/bin/eject --force /dev/" + drive() + "\n");
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
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
  Optional<Candidate> choose(Mode mode, KernelArguments arguments, InstallAnswers.Disk wanted)
      throws IOException {
    List<Candidate> there = candidates();
    List<Candidate> all = there.stream().filter(d -> wanted.admits(d.name())).toList();
    if (all.isEmpty() && !there.isEmpty()) {
      throw Problem.input(
          "the kickstart file leaves no disk to install to: it says %s; %s"
              .formatted(
                  wanted.only().isEmpty()
                      ? "not " + Printable.text(String.join(", ", wanted.not()))
                      : Printable.text(String.join(", ", wanted.only())),
                  told(there)));
    }
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

  private boolean confirmed(Mode mode, Candidate disk, Installer.Options options) {
    host.out().accept("Image:  " + Printable.text(String.valueOf(options.target())));
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
    String medium = drive();
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

  /** The medium's name in /dev. */
  private String drive() throws IOException {
    return file(DEVICE)
        .map(String::strip)
        .filter(name -> !name.isEmpty())
        .orElseThrow(
            () ->
                Problem.environment(
                    "/run/"
                        + DEVICE
                        + " does not say which drive is the installer medium, which must not"
                        + " be erased"));
  }

  private static String attribute(Path block, String name, String otherwise) throws IOException {
    Path file = block.resolve(name);
    return Files.exists(file) ? RawText.decode(Files.readAllBytes(file)).strip() : otherwise;
  }
}
