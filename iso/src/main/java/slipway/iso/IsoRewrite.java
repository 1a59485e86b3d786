package slipway.iso;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Pattern;
import slipway.base.AtomicFile;
import slipway.base.Cleanup;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.lock.ScratchFolder;
import slipway.linux.process.Command;
import slipway.system.kargs.KernelArguments;

/**
 * Makes an installer ISO anew, as lorax' {@code mkksiso} does, and starts as the old one does: from
 * a CD or a USB disk, by BIOS or UEFI.
 */
public final class IsoRewrite {
  /** UEFI specification, 5.3.3: an EFI system partition. */
  private static final String ESP = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";

  private static final Pattern PLAIN_NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._+-]{0,127}+");

  /** What a boot menu takes for its own. */
  private static final Pattern OF_MENUS = Pattern.compile("[;&|<>{}$'`\\\\#]");

  private final IsoContents contents;
  private final IsoChanges changes;
  private final OptionalLong epoch;
  private final Progress progress;

  private IsoRewrite(
      IsoContents contents, IsoChanges changes, OptionalLong epoch, Progress progress) {
    this.contents = contents;
    this.changes = changes;
    this.epoch = epoch;
    this.progress = progress;
  }

  /**
   * Makes an ISO.
   *
   * @param in an ISO that starts an installer
   * @param out a file that is not there yet
   * @param checked whether the sums for the media check are written
   * @param epoch the time of all files, in seconds since 1970, so that the same is made again; the
   *     clock's where it is empty
   * @throws Problem of kind INPUT when {@code in} cannot be made anew; {@code out} is whole or not
   *     there
   */
  public static void run(
      Path in, Path out, IsoChanges changes, boolean checked, OptionalLong epoch, Progress progress)
      throws IOException {
    requireSound(out, changes);
    IsoContents contents = IsoContents.of(in);
    new IsoRewrite(contents, changes, epoch, progress).write(out, checked);
  }

  private static void requireSound(Path out, IsoChanges changes) {
    if (Files.exists(out)) {
      throw Problem.input(out + " already exists; name another, or remove it");
    }
    requireForMenus(changes.arguments(), "--cmdline");
    for (Path file : files(changes)) {
      String name = String.valueOf(file.toAbsolutePath().getFileName());
      if (!Files.exists(file)) {
        throw Problem.notFound("there is no " + file);
      }
      if (!PLAIN_NAME.matcher(name).matches()) {
        throw Problem.input(
            file + ": on an ISO a name has letters, digits and . _ + - only; give it another");
      }
    }
    for (Path file :
        List.of(changes.kickstart(), changes.updates()).stream()
            .flatMap(Optional::stream)
            .toList()) {
      if (!Files.isRegularFile(file)) {
        throw Problem.input(file + " is no regular file");
      }
    }
    changes.volume().ifPresent(IsoRewrite::requireVolume);
  }

  /**
   * Refuses arguments that a boot menu does not hand on as they are.
   *
   * @param where they come from
   */
  static void requireForMenus(KernelArguments arguments, String where) {
    arguments.requireWritable(where);
    for (String argument : arguments.list()) {
      if (OF_MENUS.matcher(argument).find() || !Printable.text(argument).equals(argument)) {
        throw Problem.input(
            where
                + ": a boot menu would take a character of "
                + Printable.text(argument)
                + " for its own; leave out ; & | < > { } $ ' ` \\ #");
      }
    }
  }

  private static void requireVolume(String volume) {
    if (volume.isBlank() || !volume.matches("[ -~]{1,32}")) {
      throw Problem.usage("--volid has 1 to 32 printed characters of ASCII");
    }
  }

  private static List<Path> files(IsoChanges changes) {
    List<Path> files = new ArrayList<>(changes.added());
    changes.kickstart().ifPresent(files::add);
    changes.updates().ifPresent(files::add);
    return files;
  }

  private void write(Path out, boolean checked) throws IOException {
    Path temporary = AtomicFile.temporaryOf(out);
    AtomicFile.sweepOf(out);
    try (ScratchFolder scratch = ScratchFolder.large("slipway-iso-", progress::note);
        Cleanup made =
            Cleanup.register("the file " + temporary, () -> Files.deleteIfExists(temporary));
        Progress.Phases phases = progress.phases("iso")) {
      phases.at("editing the boot menus");
      Command command = command(temporary, scratch.path());
      Files.createFile(
          temporary,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      phases.at("copying the files");
      WritingTool.run(command, temporary);
      if (checked) {
        phases.at("writing the sums of the media check");
        Command.of("implantisomd5", "--force", temporary.toString()).run();
      }
      phases.at("writing to the disk");
      try (FileChannel whole = FileChannel.open(temporary, StandardOpenOption.READ)) {
        whole.force(true);
      }
      if (Files.exists(out)) {
        throw Problem.input(out + " was made by somebody else meanwhile");
      }
      AtomicFile.rename(temporary, out);
      made.keep();
    }
  }

  /** xorriso with all that becomes other. */
  private Command command(Path temporary, Path scratch) throws IOException {
    String volume = changes.volume().orElse(contents.volume());
    IsoChanges edits = edits();
    RenamedVolume renamed = new RenamedVolume(contents.volume(), volume);
    KernelArguments added = arguments(volume);
    Map<String, Path> mapped = new LinkedHashMap<>();
    int kernels = editMenus(added, edits, renamed, scratch, mapped);
    Command command =
        IsoContents.xorriso(contents.iso())
            .with("-outdev", "stdio:" + temporary)
            .with("-boot_image", "any", "replay")
            .with("-compliance", "iso_9660_level=3", "-volid", volume);
    Optional<Path> efi = editedEfi(added, edits, renamed, scratch);
    if (changes.changeKernels() && kernels == 0 && efi.isEmpty()) {
      throw Problem.input(
          contents.iso() + " has no boot menu that could start an installer with other arguments");
    }
    if (efi.isPresent()) {
      command = withEfi(command, contents.efi().orElseThrow(), efi.get(), mapped);
    }
    for (Path file : files(changes)) {
      mapped.put("/" + file.toAbsolutePath().getFileName(), file.toAbsolutePath());
    }
    for (Map.Entry<String, Path> each : mapped.entrySet()) {
      command = command.with("-map", each.getValue().toString(), each.getKey());
    }
    if (epoch.isPresent()) {
      String time = Long.toString(epoch.getAsLong());
      command =
          command
              .environment("SOURCE_DATE_EPOCH", time)
              .with("-alter_date_r", "b", "=" + time, "/", "--");
    }
    return command.with("-commit", "-end");
  }

  private static Command withEfi(
      Command command, IsoContents.Efi efi, Path file, Map<String, Path> mapped) {
    if (efi.path().isPresent()) {
      mapped.put(efi.path().get(), file);
      return command;
    }
    if (efi.partition() == 0) {
      throw Problem.input(
          "what UEFI starts is neither a file of the ISO nor a partition of its table, and so"
              + " cannot be replaced");
    }
    return command.with(
        "-append_partition", Integer.toString(efi.partition()), ESP, file.toString());
  }

  private int editMenus(
      KernelArguments added,
      IsoChanges edits,
      RenamedVolume renamed,
      Path scratch,
      Map<String, Path> mapped)
      throws IOException {
    List<Path> files = contents.extractMenus(Files.createDirectory(scratch.resolve("menus")));
    int kernels = 0;
    for (int i = 0; i < files.size(); i++) {
      String menu = contents.menus().get(i);
      String text = Files.readString(files.get(i), ISO_8859_1);
      BootMenu.Edited edited = BootMenu.of(menu).orElseThrow().edit(text, added, edits, renamed);
      kernels += edited.kernels();
      if (!edited.text().equals(text)) {
        Path file = scratch.resolve("menu-" + i);
        Files.writeString(file, edited.text(), ISO_8859_1);
        mapped.put(menu, file);
      }
    }
    return kernels;
  }

  private Optional<Path> editedEfi(
      KernelArguments added, IsoChanges edits, RenamedVolume renamed, Path scratch)
      throws IOException {
    if (contents.efi().isEmpty()) {
      return Optional.empty();
    }
    Path image = contents.extractEfi(scratch);
    Files.setPosixFilePermissions(image, PosixFilePermissions.fromString("rw-------"));
    boolean edited = new EfiImage(image, epoch).edit(added, edits, renamed, scratch);
    return edited ? Optional.of(image) : Optional.empty();
  }

  /** With the arguments gone that are given anew. */
  private IsoChanges edits() {
    List<String> removed = new ArrayList<>(changes.removed());
    changes.kickstart().ifPresent(file -> removed.add("inst.ks"));
    changes.updates().ifPresent(file -> removed.add("inst.updates"));
    return new IsoChanges(
        changes.kickstart(),
        changes.updates(),
        changes.added(),
        changes.arguments(),
        removed,
        changes.replaced(),
        changes.volume());
  }

  private KernelArguments arguments(String volume) {
    List<String> more = new ArrayList<>();
    changes.kickstart().ifPresent(file -> more.add("inst.ks=" + onIso(volume, file)));
    changes.updates().ifPresent(file -> more.add("inst.updates=" + onIso(volume, file)));
    return changes.arguments().append(more);
  }

  private static String onIso(String volume, Path file) {
    if (volume.isEmpty()) {
      throw Problem.input("the ISO's volume has no name to find it by; give one by --volid");
    }
    return "hd:LABEL=" + RenamedVolume.escaped(volume) + ":/" + file.toAbsolutePath().getFileName();
  }
}
