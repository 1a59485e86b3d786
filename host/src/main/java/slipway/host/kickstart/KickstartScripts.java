package slipway.host.kickstart;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.host.system.HostEnvironment;
import slipway.linux.mount.Mount;
import slipway.linux.mount.Mounts;
import slipway.linux.posix.OsPath;
import slipway.linux.process.Command;
import slipway.media.kickstart.KickstartFile;
import slipway.media.kickstart.KickstartSection;

/**
 * Runs the scripts of a kickstart file on the machine that was started from a medium: in the live
 * system, or with what is installed as their root. Everything of that but /etc, /var and /boot is
 * read-only then, for the files of an image are one with those of its repository.
 */
final class KickstartScripts {
  private static final String FOLDER = "slipway-kickstart";

  /** What Anaconda calls the installed system, in the live one. */
  private static final String SYSROOT = "mnt/sysroot";

  /** Runs the words behind the file that takes what they print. */
  private static final String LOGGED =
      "mkdir -p \"${1%/*}/\" && exec >\"$1\" 2>&1 && shift && exec \"$@\"";

  private static final List<String> SHARED = List.of("dev", "proc", "sys", "run");

  private final HostEnvironment host;
  private int count;

  KickstartScripts(HostEnvironment host) {
    this.host = host;
  }

  /** Runs all of a name in the live system. */
  void live(KickstartFile file, String name) throws IOException {
    for (KickstartSection.Script script :
        file.all(KickstartSection.Script.class).filter(s -> s.name().equals(name)).toList()) {
      run(script, null, null);
    }
  }

  /**
   * Runs {@code %post}, in a namespace of the installation.
   *
   * @param root where the root file system is mounted
   * @param tree the deployment's root
   * @param var its /var
   */
  void post(KickstartFile file, Path root, Path tree, Path var) throws IOException {
    List<KickstartSection.Script> scripts =
        file.all(KickstartSection.Script.class).filter(s -> s.name().equals("%post")).toList();
    if (scripts.isEmpty()) {
      return;
    }
    Path at = Files.createDirectories(sysroot());
    Deque<Mount> mounts = new ArrayDeque<>();
    try {
      installed(at, root, tree, var, mounts);
      for (KickstartSection.Script script : scripts) {
        run(script, script.inChroot() ? at : null, at);
      }
    } finally {
      while (!mounts.isEmpty()) {
        mounts.pop().close();
      }
    }
  }

  /** /mnt is a link in most images, and may lead nowhere. */
  private Path sysroot() {
    Path usual = host.root().resolve(SYSROOT);
    return Files.isDirectory(usual.resolve("..").normalize())
        ? usual
        : host.run().resolve(FOLDER).resolve("sysroot");
  }

  /** The machine as it will be, at a folder. */
  private static void installed(Path at, Path root, Path tree, Path var, Deque<Mount> mounts)
      throws IOException {
    bind(tree, at, mounts, Mounts.MS_RDONLY);
    bind(tree.resolve("etc"), at.resolve("etc"), mounts, 0);
    bind(var, at.resolve("var"), mounts, 0);
    bind(root, at.resolve("sysroot"), mounts, 0);
    bind(root.resolve("boot"), at.resolve("boot"), mounts, 0);
    for (String name : SHARED) {
      if (isFolder(at.resolve(name))) {
        mounts.push(Mount.bind(Path.of("/" + name), at.resolve(name), true));
      }
    }
    if (isFolder(at.resolve("tmp"))) {
      mounts.push(Mount.of("tmpfs", at.resolve("tmp"), "tmpfs", Mounts.MS_NODEV, "mode=1777"));
    }
  }

  /** The file systems are mounted so that nothing of them runs; here it shall. */
  private static void bind(Path from, Path to, Deque<Mount> mounts, long flags) throws IOException {
    if (isFolder(to)) {
      mounts.push(Mount.bind(from, to, false));
      Mounts.mount(null, OsPath.of(to), null, Mounts.MS_REMOUNT | Mounts.MS_BIND | flags, null);
    }
  }

  private static boolean isFolder(Path path) {
    return Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS);
  }

  /**
   * @param inside what is the script's root; null for the live system
   * @param installed where what is installed lies; null before there is anything
   */
  private void run(KickstartSection.Script script, @Nullable Path inside, @Nullable Path installed)
      throws IOException {
    Path folder = Files.createDirectories(host.run().resolve(FOLDER));
    Path file = folder.resolve("script-" + ++count);
    Files.deleteIfExists(file);
    Files.createFile(
        file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    Files.writeString(file, script.body());
    Command command = command(script, inside, file);
    if (installed != null) {
      command = command.environment("ANA_INSTALL_PATH", installed.toString());
    }
    String what = script.at() + ": " + script.name();
    int status;
    try (Progress.Phases step = host.progress().phases("kickstart")) {
      step.at("running " + what);
      status = command.stream(line -> host.out().accept(Printable.text(line)));
    }
    Files.delete(file);
    if (status == 0) {
      return;
    }
    String log = script.log() == null ? "" : "; what it printed is in " + script.log();
    String sentence = "%s ended with status %d%s".formatted(what, status, log);
    if (script.errorOnFail()) {
      throw Problem.environment(sentence);
    }
    host.out().accept("warning: " + sentence);
  }

  private Command command(KickstartSection.Script script, @Nullable Path inside, Path file) {
    Command command = inside == null ? Command.of("env") : Command.of("chroot", inside.toString());
    if (script.log() != null) {
      command = command.with("/bin/sh", "-c", LOGGED, "sh", script.log());
    }
    return command.with(script.interpreter(), file.toString());
  }
}
