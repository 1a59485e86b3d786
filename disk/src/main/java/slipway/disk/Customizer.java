package slipway.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.UUID;
import slipway.base.AtomicFile;
import slipway.base.Problem;
import slipway.base.RawText;
import slipway.linux.OsPath;
import slipway.linux.Posix;

/**
 * Gives a deployment that does not run yet what its config says: accounts, names, files, and the
 * mounts of its disk. Links in the image are not followed.
 *
 * @param etc the deployment's /etc
 * @param var the stateroot's /var
 */
record Customizer(Path etc, Path var) {
  void apply(DiskConfig config, DiskPlan plan, LocalDate today) throws IOException {
    mounts(plan);
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
    for (DiskConfig.CustomDirectory directory : config.directories()) {
      make(directory);
    }
    for (DiskConfig.CustomFile file : config.files()) {
      put(file);
    }
  }

  /** /boot by its id; the EFI system partition is mounted by nobody, nothing on it changes. */
  private void mounts(DiskPlan plan) throws IOException {
    Path fstab = etc.resolve("fstab");
    String old =
        Files.isRegularFile(fstab, LinkOption.NOFOLLOW_LINKS)
            ? RawText.decode(Files.readAllBytes(fstab))
            : "";
    StringBuilder text = new StringBuilder();
    // Debian's installers leave a comment that there is nothing.
    old.lines()
        .filter(l -> !l.startsWith("# UNCONFIGURED"))
        .forEach(l -> text.append(l).append('\n'));
    UUID boot = plan.boot().filesystem();
    write(fstab, text + "UUID=" + boot + " /boot ext4 defaults 0 2\n");
  }

  private void timezone(String zone) throws IOException {
    Path zones = etc.resolveSibling("usr").resolve("share/zoneinfo");
    // Without any zones the time is UTC's anyway.
    if (!zone.endsWith("UTC") && !Files.exists(zones.resolve(zone), LinkOption.NOFOLLOW_LINKS)) {
      throw Problem.input(
          "the image has no time zone \""
              + zone
              + "\"; give one that is below its /usr/share/zoneinfo, or install tzdata in it");
    }
    Path link = etc.resolve("localtime");
    Files.deleteIfExists(link);
    Posix.symlink(OsPath.of("../usr/share/zoneinfo/" + zone), OsPath.of(link));
  }

  private void make(DiskConfig.CustomDirectory directory) throws IOException {
    Path path = inside(directory.path());
    if (directory.ensureParents()) {
      parents(path);
    }
    if (!Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
      requireParents(path);
      Files.createDirectory(path);
    }
    own(path, directory.mode(), directory.user(), directory.group());
  }

  private void put(DiskConfig.CustomFile file) throws IOException {
    Path path = inside(file.path());
    parents(path);
    write(path, file.data());
    own(path, file.mode(), file.user(), file.group());
  }

  private void own(Path path, int mode, String user, String group) throws IOException {
    OsPath p = OsPath.of(path);
    Posix.lchown(p, Accounts.userId(etc, user), Accounts.groupId(etc, group));
    Posix.chmod(p, mode);
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
    Path base = path.startsWith(etc) ? etc : var;
    Path at = base;
    for (Path name : base.relativize(java.util.Objects.requireNonNull(path.getParent()))) {
      if (name.toString().isEmpty()) {
        continue;
      }
      at = at.resolve(name);
      if (!Files.exists(at, LinkOption.NOFOLLOW_LINKS)) {
        Files.createDirectory(at);
        Posix.chmod(OsPath.of(at), at.endsWith("roothome") ? 0700 : 0755);
      }
    }
    requireParents(path);
  }

  private void requireParents(Path path) {
    Path base = path.startsWith(etc) ? etc : var;
    for (Path at = path.getParent(); at != null && !at.equals(base); at = at.getParent()) {
      if (!Files.isDirectory(at, LinkOption.NOFOLLOW_LINKS)) {
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
    AtomicFile.write(path, RawText.encode(content));
  }
}
