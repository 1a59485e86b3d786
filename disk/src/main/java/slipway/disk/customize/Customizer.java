package slipway.disk.customize;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import slipway.base.Problem;
import slipway.base.RawText;
import slipway.disk.config.DiskConfig;
import slipway.linux.posix.FdInput;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.RootedFile;

/**
 * Gives a deployment that does not run yet what its config says: accounts, names, files, and the
 * mounts of its disk. Links in the image are not followed.
 *
 * @param etc the deployment's /etc
 * @param var the stateroot's /var
 */
public record Customizer(Path etc, Path var) {
  /**
   * @param mounts lines of fstab in the place of those that the image has for the same folders
   */
  public void apply(DiskConfig config, List<String> mounts, LocalDate today) throws IOException {
    // Everything below goes through these two.
    OwnedFiles.requireDirectory(etc);
    OwnedFiles.requireDirectory(var);
    if (!mounts.isEmpty()) {
      mount(mounts);
    }
    Accounts.apply(etc, var, config, today);
    if (config.hostname() != null) {
      write(etc.resolve("hostname"), config.hostname() + "\n");
    }
    if (config.locale() != null) {
      write(etc.resolve("locale.conf"), "LANG=" + config.locale() + "\n");
    }
    if (config.timezone() != null) {
      timezone(config.timezone());
    }
    if (config.keymap() != null) {
      keymap(config.keymap());
    }
    new TimeServers(etc).apply(config.timeServers());
    new EnabledUnits(etc).apply(config.services());
    new FirewallZones(etc).apply(config.firewall());
    for (DiskConfig.CustomDirectory directory : config.directories()) {
      make(directory);
    }
    for (DiskConfig.CustomFile file : config.files()) {
      put(file);
    }
  }

  /** What is mounted as it is here, instead of what the image says of it. */
  private void mount(List<String> mounts) throws IOException {
    Set<String> folders = new HashSet<>();
    mounts.forEach(line -> folders.add(folder(line)));
    StringBuilder text = new StringBuilder();
    // Debian's installers leave a comment that there is nothing.
    RawText.lines(read("etc/fstab")).stream()
        .filter(l -> !l.startsWith("# UNCONFIGURED"))
        .filter(l -> folder(l).isEmpty() || !folders.contains(folder(l)))
        .forEach(l -> text.append(l).append('\n'));
    mounts.forEach(line -> text.append(line).append('\n'));
    write(etc.resolve("fstab"), text.toString());
  }

  /** Where a line of fstab mounts something; empty for a line that does not. */
  private static String folder(String line) {
    String[] fields = line.strip().split("\\s+");
    // Swap areas are at no place, and there may be several.
    return fields.length > 1 && !fields[0].startsWith("#") && fields[1].startsWith("/")
        ? fields[1].replaceAll("/+", "/").replaceFirst("(.)/$", "$1")
        : "";
  }

  private String read(String path) throws IOException {
    return OwnedFiles.text(etc, path, RootedFile.Links.BENEATH).orElse("");
  }

  /** As localectl(1) does; Debian's console has the layout in a file of its own, if at all. */
  private void keymap(String keymap) throws IOException {
    set("vconsole.conf", "KEYMAP", keymap);
    if (OwnedFiles.exists(etc.resolve("default/keyboard"))) {
      OwnedFiles.requireDirectory(etc.resolve("default"));
      set("default/keyboard", "XKBLAYOUT", '"' + keymap.replaceFirst("[-_.].*", "") + '"');
    }
  }

  /** Sets a variable in a file of /etc, whose other lines stay. */
  private void set(String file, String name, String value) throws IOException {
    StringBuilder text = new StringBuilder();
    RawText.lines(read("etc/" + file)).stream()
        .filter(line -> !line.startsWith(name + "="))
        .forEach(line -> text.append(line).append('\n'));
    write(etc.resolve(file), text.append(name + "=" + value + "\n").toString());
  }

  private void timezone(String zone) throws IOException {
    // Without any zones the time is UTC's anyway.
    if (!zone.endsWith("UTC") && !isZone(zone)) {
      throw Problem.input(
          "the image has no time zone \""
              + zone
              + "\"; give one that is below its /usr/share/zoneinfo, such as Europe/Berlin, or"
              + " install tzdata in it");
    }
    Path link = etc.resolve("localtime");
    if (OwnedFiles.isDirectory(link)) {
      throw Problem.input("the image has a folder /etc/localtime where the time zone's link goes");
    }
    Files.deleteIfExists(link);
    Posix.symlink(OsPath.of("../usr/share/zoneinfo/" + zone), OsPath.of(link));
  }

  /** Whether the image has a file of that name that is a time zone (RFC 9636, section 3.1). */
  private boolean isZone(String zone) throws IOException {
    OsPath path = OsPath.of("usr/share/zoneinfo/" + zone);
    try (FdInput in =
        RootedFile.open(
                OsPath.of(etc.resolve("..")), path, RootedFile.Links.IN_ROOT, "the time zone")
            .orElse(null)) {
      return in != null && RawText.decode(in.readNBytes(4)).equals("TZif");
    } catch (Problem e) {
      // A folder, such as Europe, or something else that is no file.
      return false;
    }
  }

  /** Makes a folder of a stateroot's /var that something will be mounted on, if it is not there. */
  public static void makeFolder(Path var, Path folder) throws IOException {
    OwnedFiles.requireDirectory(var);
    // Its own parents are those of what would be in it.
    OwnedFiles.parents(var, folder.resolve("in"));
  }

  private void make(DiskConfig.CustomDirectory directory) throws IOException {
    Path path = inside(directory.path());
    if (directory.ensureParents()) {
      parents(path);
    }
    if (OwnedFiles.exists(path)) {
      if (!OwnedFiles.isDirectory(path)) {
        throw Problem.input(
            "cannot make the directory "
                + directory.path()
                + ": the image has a file or a link of that name");
      }
    } else {
      requireParents(path);
      Files.createDirectory(path);
    }
    OsPath p = OsPath.of(path);
    Posix.lchown(
        p, Accounts.userId(etc, directory.user()), Accounts.groupId(etc, directory.group()));
    Posix.chmod(p, directory.mode());
  }

  private void put(DiskConfig.CustomFile file) throws IOException {
    Path path = inside(file.path());
    parents(path);
    OwnedFiles.put(
        path,
        RawText.encode(file.data()),
        file.mode(),
        Accounts.userId(etc, file.user()),
        Accounts.groupId(etc, file.group()));
  }

  /** Where a path of the running machine lies now. */
  private Path inside(String path) {
    if (path.startsWith("/etc/")) {
      return etc.resolve(path.substring("/etc/".length()));
    }
    if (path.startsWith("/root/")) {
      return var.resolve("roothome").resolve(path.substring("/root/".length()));
    }
    throw Problem.input(
        "the file " + path + " lies in the image's read-only part; put it into the image instead");
  }

  private void parents(Path path) throws IOException {
    OwnedFiles.parents(path.startsWith(etc) ? etc : var, path);
  }

  private void requireParents(Path path) {
    Path base = path.startsWith(etc) ? etc : var;
    for (Path at = path.getParent(); at != null && !at.equals(base); at = at.getParent()) {
      if (!OwnedFiles.isDirectory(at)) {
        throw Problem.input(
            "cannot make "
                + path.getFileName()
                + ": its folder "
                + at.getFileName()
                + " is missing or a link");
      }
    }
  }

  private static void write(Path path, String content) throws IOException {
    OwnedFiles.put(path, RawText.encode(content), 0644, 0, 0);
  }
}
