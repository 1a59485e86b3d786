package slipway.disk;

import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;
import slipway.base.Problem;
import slipway.system.boot.PrepareRootConfig;
import slipway.system.files.ImageFiles;
import slipway.tree.FileTree;

/**
 * What a machine mounts beside its root, such as /boot. It stands in fstab; where the image has a
 * transient /etc, which forgets at each start what was written to it, on the kernel's command line
 * (systemd-fstab-generator(8), from systemd 254 on).
 *
 * @param entries what is mounted
 * @param forgotten whether /etc is transient
 */
record MachineMounts(List<Entry> entries, boolean forgotten) {
  /**
   * Where fstab names neither /boot nor /efi, systemd mounts the EFI system partition at /efi,
   * which a root that cannot be written to may lack: its unit fails then
   * (systemd-gpt-auto-generator(8)).
   */
  private static final String NO_GUESSES = "systemd.gpt_auto=0";

  MachineMounts {
    entries = List.copyOf(entries);
  }

  private static final String SWAP = "swap";

  /** Room for swapping, which is mounted nowhere. */
  static Entry swap(String source) {
    return new Entry(source, "none", SWAP, "defaults", 0);
  }

  /**
   * One of them, by the fields of fstab(5).
   *
   * @param source such as {@code UUID=…}
   * @param place where it is mounted
   * @param type of the file system
   * @param options with commas between them
   * @param pass when it is checked at a start; 0 for never
   */
  record Entry(String source, String place, String type, String options, int pass) {
    /** The line of fstab. */
    private String line() {
      return escaped(source)
          + " "
          + String.join(" ", escaped(place), escaped(type), escaped(options), "0 " + pass);
    }

    private static String escaped(String field) {
      return field.replace("\\", "\\134").replace("\t", "\\011").replace(" ", "\\040");
    }

    /** The kernel argument. No mount that fails there keeps the root away. */
    private String argument() {
      if (type.equals(SWAP)) {
        return "systemd.swap-extra=" + source;
      }
      String lasting = options.contains("nofail") ? options : options + ",nofail";
      for (String field : List.of(source, place, type, lasting)) {
        if (!field.matches("[!-~&&[^:\"]]+")) {
          throw Problem.input(
              "the image's prepare-root.conf has [etc] transient=true, so "
                  + place
                  + " is mounted by a kernel argument, and \""
                  + field
                  + "\" cannot stand in one: name it by UUID=… or LABEL=…, in one word without"
                  + " colons");
        }
      }
      return "systemd.mount-extra=" + String.join(":", source, place, type, lasting);
    }
  }

  static MachineMounts of(List<Entry> entries, FileTree image) throws IOException {
    return new MachineMounts(entries, PrepareRootConfig.read(new ImageFiles(image)).transientEtc());
  }

  /** The lines that go to fstab. */
  List<String> fstab() {
    return forgotten ? List.of() : entries.stream().map(Entry::line).toList();
  }

  /**
   * What goes to the kernel's command line.
   *
   * @throws Problem of kind INPUT for what cannot stand there
   */
  List<String> arguments() {
    if (!forgotten || entries.isEmpty()) {
      return List.of();
    }
    return Stream.concat(Stream.of(NO_GUESSES), entries.stream().map(Entry::argument)).toList();
  }
}
