package slipway.iso;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import slipway.system.kargs.KernelArguments;

/** The syntaxes of boot menus, as far as lines with arguments of a kernel go. */
enum BootMenu {
  /** doc/syslinux.txt: {@code APPEND options...}. */
  SYSLINUX("append"),
  /** GRUB manual, "linux"; Fedora's GRUB knows {@code linuxefi} too. */
  GRUB("linux", "linuxefi"),
  /** Boot Loader Specification, type 1. */
  ENTRY("options");

  /** What an installer hands on to the installed system stands behind it (Debian). */
  private static final String HANDED_ON = "---";

  private static final Pattern LINE = Pattern.compile("(\\s*+(\\S++))(?:[ \\t](.*+))?+");
  private static final Pattern PLAIN_NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._+-]*+");

  private final List<String> words;

  BootMenu(String... words) {
    this.words = List.of(words);
  }

  /** What a menu became. */
  record Edited(String text, int kernels) {}

  /**
   * The syntax of a file on an ISO.
   *
   * @param path from the root, such as {@code /EFI/BOOT/grub.cfg}
   * @return nothing for what is no boot menu
   */
  static Optional<BootMenu> of(String path) {
    List<String> names = List.of(path.substring(1).split("/", -1));
    String file = names.getLast().toLowerCase(Locale.ROOT);
    boolean plain = names.stream().allMatch(name -> PLAIN_NAME.matcher(name).matches());
    if (!plain || !(file.endsWith(".cfg") || file.endsWith(".conf"))) {
      return Optional.empty();
    }
    String folders = String.join("/", names.subList(0, names.size() - 1)).toLowerCase(Locale.ROOT);
    if (folders.matches("(boot/)?(isolinux|syslinux)|boot/[^/]+/loader")) {
      return Optional.of(SYSLINUX);
    }
    if (folders.equals("loader/entries")) {
      return Optional.of(ENTRY);
    }
    boolean grub = folders.matches("efi(/.*)?|boot|boot/grub2?(/.*)?");
    return grub ? Optional.of(GRUB) : Optional.empty();
  }

  /**
   * Edits a menu.
   *
   * @param text each character a byte, so that no encoding is lost
   */
  Edited edit(String text, KernelArguments added, IsoChanges changes, RenamedVolume renamed) {
    StringBuilder out = new StringBuilder();
    int kernels = 0;
    for (String line : text.split("(?<=\n)", -1)) {
      String end = line.endsWith("\r\n") ? "\r\n" : line.endsWith("\n") ? "\n" : "";
      String body = line.substring(0, line.length() - end.length());
      for (IsoChanges.Replaced each : changes.replaced()) {
        body = body.replace(each.from(), each.to());
      }
      body = renamed.in(body, this, isKernels(body));
      Matcher parts = LINE.matcher(body);
      if (isKernels(body) && parts.matches()) {
        kernels++;
        body = parts.group(1) + arguments(parts.group(3), added, changes.removed());
      }
      out.append(body).append(end);
    }
    return new Edited(out.toString(), kernels);
  }

  private boolean isKernels(String line) {
    Matcher parts = LINE.matcher(line);
    return parts.matches() && words.contains(parts.group(2).toLowerCase(Locale.ROOT));
  }

  private String arguments(
      @org.jspecify.annotations.Nullable String old, KernelArguments added, List<String> removed) {
    List<String> list = new ArrayList<>(KernelArguments.parse(old == null ? "" : old).list());
    list.removeIf(argument -> removed.contains(KernelArguments.keyOf(argument)));
    int at = list.indexOf(HANDED_ON);
    List<String> fresh = added.list().stream().map(this::quoted).toList();
    list.addAll(at < 0 ? list.size() : at, fresh);
    return list.isEmpty() ? "" : " " + String.join(" ", list);
  }

  /** GRUB takes a backslash away, and what stands behind it as it is. */
  private String quoted(String argument) {
    return this == GRUB ? argument.replace("\\", "\\\\") : argument;
  }
}
