package slipway.disk.customize;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.RawText;
import slipway.base.Spelling;
import slipway.disk.config.DiskConfig;
import slipway.linux.posix.InRoot;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.RootedFile;

/**
 * Which units start by themselves, as systemctl(1) has it for enable, disable and mask: links in
 * /etc/systemd/system by the units' {@code [Install]}. A preset says the same, for the first start
 * of a machine without an id applies the presets.
 *
 * @param etc the machine's /etc
 */
record EnabledUnits(Path etc) {
  private static final String FOLDER = "systemd/system";

  /** Before all presets that images bring, of which the first that fits counts. */
  private static final String PRESET = "systemd/system-preset/00-slipway.preset";

  private static final List<String> PLACES =
      List.of("etc/" + FOLDER, "usr/local/lib/" + FOLDER, "usr/lib/" + FOLDER);

  private static final Pattern NAME =
      Pattern.compile("(?!\\.)[A-Za-z0-9:_.@\\\\-]{1,250}\\.[a-z]+");

  private static final Path NOTHING = Path.of("/dev/null");

  /** A link to a link to a unit; more lead nowhere. */
  private static final int MOST_LINKS = 8;

  /**
   * A unit's file, and what it says of its installation.
   *
   * @param name with the instance of a template
   * @param path in the machine, such as {@code /usr/lib/systemd/system/ssh.service}
   * @param text of the file
   */
  private record Unit(String name, String path, String text) {
    /** The words of a key of {@code [Install]}, whose names are those of units. */
    private List<String> install(String key) {
      List<String> words = new ArrayList<>();
      boolean inside = false;
      for (String line : RawText.lines(text.replace("\\\n", " "))) {
        String stripped = line.strip();
        if (stripped.startsWith("[")) {
          inside = stripped.equals("[Install]");
        } else if (inside && stripped.matches(key + "\\s*=.*")) {
          String value = stripped.substring(stripped.indexOf('=') + 1).strip();
          if (value.isEmpty()) {
            words.clear();
          } else {
            words.addAll(List.of(expanded(value).split("\\s+")));
          }
        }
      }
      return words.stream().filter(word -> NAME.matcher(word).matches()).toList();
    }

    /** With the specifiers that names of units need (systemd.unit(5)). */
    private String expanded(String value) {
      int at = name.indexOf('@');
      String plain = name.substring(0, name.lastIndexOf('.'));
      String prefix = at < 0 ? plain : name.substring(0, at);
      String instance = at < 0 ? "" : plain.substring(at + 1);
      return value
          .replace("%i", instance)
          .replace("%I", instance)
          .replace("%p", prefix)
          .replace("%N", plain)
          .replace("%n", name);
    }
  }

  void apply(DiskConfig.Services services) throws IOException {
    if (services.equals(DiskConfig.Services.NONE)) {
      return;
    }
    OwnedFiles.parents(etc, etc.resolve(FOLDER).resolve("x"));
    StringBuilder preset = new StringBuilder();
    for (String name : services.disabled()) {
      Unit unit = require(name);
      disable(unit, new HashSet<>());
      preset.append("disable ").append(unit.name).append('\n');
    }
    for (String name : services.enabled()) {
      Unit unit = require(name);
      enable(unit, new HashSet<>());
      preset.append("enable ").append(unit.name).append('\n');
    }
    for (String name : services.masked()) {
      link(name, NOTHING.toString());
    }
    if (!preset.isEmpty()) {
      OwnedFiles.write(etc, PRESET, preset.toString());
    }
  }

  private Unit require(String name) throws IOException {
    return find(name)
        .orElseThrow(
            () ->
                Problem.input(
                    "the image has no unit \""
                        + name
                        + "\" that is not masked"
                        + Spelling.hint(name, all(), "")));
  }

  /** The unit behind a name, which may be a link to another one. */
  private Optional<Unit> find(String name) throws IOException {
    String at = name;
    for (int i = 0; i < MOST_LINKS; i++) {
      String file = at.replaceFirst("@.+\\.", "@.");
      String place = null;
      String text = null;
      for (String folder : PLACES) {
        if (text == null) {
          place = folder + "/" + file;
          if (targetOf(place).filter(NOTHING::equals).isPresent()) {
            return Optional.empty();
          }
          text = OwnedFiles.text(etc, place, RootedFile.Links.IN_ROOT).orElse(null);
        }
      }
      if (place == null || text == null || text.isEmpty()) {
        return Optional.empty();
      }
      String target = targetOf(place).map(to -> String.valueOf(to.getFileName())).orElse(file);
      if (target.equals(file) || !NAME.matcher(target).matches()) {
        return Optional.of(new Unit(at, "/" + place, text));
      }
      at = target;
    }
    return Optional.empty();
  }

  /** What a unit's file leads to, when it is a link. */
  private Optional<Path> targetOf(String place) throws IOException {
    int slash = place.lastIndexOf('/');
    Optional<Path> folder = folder(place.substring(0, slash));
    if (folder.isEmpty()) {
      return Optional.empty();
    }
    Path link = folder.get().resolve(place.substring(slash + 1));
    return Files.isSymbolicLink(link)
        ? Optional.of(Files.readSymbolicLink(link))
        : Optional.empty();
  }

  /** Where a folder of the image really is; a link in it leads nowhere else. */
  private Optional<Path> folder(String inside) throws IOException {
    return InRoot.resolve(OsPath.of(etc.resolve("..")), inside)
        .map(real -> Path.of(real.toString()))
        .filter(OwnedFiles::isDirectory);
  }

  /** The names of all units, for a guess which was meant. */
  private Set<String> all() {
    Set<String> names = new TreeSet<>();
    for (String place : PLACES) {
      try {
        Optional<Path> folder = folder(place);
        if (folder.isPresent()) {
          try (DirectoryStream<Path> files = Files.newDirectoryStream(folder.get(), "*.*")) {
            files.forEach(file -> names.add(Printable.text(String.valueOf(file.getFileName()))));
          }
        }
      } catch (IOException | DirectoryIteratorException e) {
        // Then there is no guess.
      }
    }
    return names;
  }

  private void enable(Unit unit, Set<String> done) throws IOException {
    if (!done.add(unit.name)) {
      return;
    }
    int links = 0;
    for (String[] kind :
        new String[][] {
          {"WantedBy", "wants"}, {"RequiredBy", "requires"}, {"UpheldBy", "upholds"}
        }) {
      for (String other : unit.install(kind[0])) {
        link(other + "." + kind[1] + "/" + unit.name, unit.path);
        links++;
      }
    }
    for (String alias : unit.install("Alias")) {
      link(alias, unit.path);
      links++;
    }
    List<String> also = unit.install("Also");
    for (String other : also) {
      Optional<Unit> found = find(other);
      if (found.isPresent()) {
        enable(found.get(), done);
      }
    }
    if (links == 0 && also.isEmpty()) {
      throw Problem.input(
          "the image's unit "
              + unit.name
              + " cannot be enabled: it has no [Install] that says when it starts; other units"
              + " start it, or none");
    }
  }

  private void disable(Unit unit, Set<String> done) throws IOException {
    if (!done.add(unit.name)) {
      return;
    }
    Path folder = etc.resolve(FOLDER);
    unlink(folder, unit);
    try (DirectoryStream<Path> below =
        Files.newDirectoryStream(folder, "*.{wants,requires,upholds}")) {
      for (Path each : below) {
        if (OwnedFiles.isDirectory(each)) {
          unlink(each, unit);
        }
      }
    }
    for (String other : unit.install("Also")) {
      Optional<Unit> found = find(other);
      if (found.isPresent()) {
        disable(found.get(), done);
      }
    }
  }

  /** Removes the links to a unit from a folder. */
  private static void unlink(Path folder, Unit unit) throws IOException {
    List<Path> links = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      files.forEach(links::add);
    }
    for (Path link : links) {
      if (Files.isSymbolicLink(link)) {
        String target = String.valueOf(Files.readSymbolicLink(link).getFileName());
        boolean named = link.endsWith(unit.name) && !target.equals("null");
        if (named || target.equals(unit.name)) {
          Files.delete(link);
        }
      }
    }
  }

  /** Makes a link below /etc/systemd/system, in the place of one that is there. */
  private void link(String path, String target) throws IOException {
    Path link = etc.resolve(FOLDER).resolve(path);
    OwnedFiles.parents(etc, link);
    if (OwnedFiles.exists(link) && !Files.isSymbolicLink(link)) {
      throw Problem.input(
          "the image has a file /etc/" + FOLDER + "/" + path + " where a link to a unit belongs");
    }
    Files.deleteIfExists(link);
    Posix.symlink(OsPath.of(target), OsPath.of(link));
  }
}
