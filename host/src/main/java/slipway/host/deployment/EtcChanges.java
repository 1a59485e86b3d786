package slipway.host.deployment;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.host.system.HostEnvironment;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.sysroot.Sysroot;
import slipway.sysroot.write.EtcMerge;

/** What of {@code /etc} is not as the running image has it, and the way back. */
public final class EtcChanges {
  private final HostEnvironment host;

  public EtcChanges(HostEnvironment host) {
    this.host = host;
  }

  /**
   * The changes, as {@code ostree admin config-diff} lists them; attributes count, too.
   *
   * @param paths only these and what is below them; none for all
   */
  public List<EtcMerge.Change> diff(List<String> paths) throws IOException {
    if (!host.runState().booted()) {
      throw Problem.environment("System is not deployed via bootc.");
    }
    if (Posix.geteuid() != 0) {
      throw Problem.denied("some files of /etc are for root alone: comparing them needs root");
    }
    Sysroot sysroot = host.sysroot();
    requireOwnEtc(sysroot);
    List<OsPath> only = inside(paths);
    for (OsPath path : only) {
      if (!path.isEmpty()) {
        sysroot.etc().requireKnown(path);
      }
    }
    return sysroot.etc().changes().stream()
        .filter(
            change ->
                only.isEmpty()
                    || only.stream()
                        .anyMatch(
                            path ->
                                path.isEmpty()
                                    || change.path().equals(path)
                                    || change.path().startsWith(path.concat(OsPath.of("/")))))
        .toList();
  }

  /**
   * Gives paths the image's version back, and all below them but what was added.
   *
   * @param paths with or without {@code /etc} in front
   */
  public List<EtcMerge.Change> restore(List<String> paths) throws IOException {
    host.requireHost();
    Sysroot sysroot = host.sysroot();
    requireOwnEtc(sysroot);
    List<OsPath> wanted = inside(paths);
    if (wanted.stream().anyMatch(OsPath::isEmpty)) {
      throw Problem.usage("/etc is no path below /etc; name what of it is to be restored");
    }
    List<EtcMerge.Change> restored = sysroot.etc().restore(wanted);
    for (EtcMerge.Change change : restored) {
      host.out().accept("Restored /etc/" + Printable.text(change.path().toString()));
    }
    if (restored.isEmpty()) {
      host.out().accept("No changes.");
    }
    return restored;
  }

  private static List<OsPath> inside(List<String> paths) {
    List<OsPath> inside = new ArrayList<>();
    for (String path : paths) {
      String bare = path.startsWith("/") ? path.replaceFirst("^/+etc(/+|$)", "") : path;
      if (bare.startsWith("/") || List.of(bare.split("/")).contains("..")) {
        throw Problem.usage(Printable.text(path) + " is no path below /etc");
      }
      inside.add(OsPath.of(bare.replaceFirst("/+$", "").replaceAll("//+", "/")));
    }
    return inside;
  }

  /** A transient /etc is another directory: what is changed there goes with the reboot. */
  private void requireOwnEtc(Sysroot sysroot) throws IOException {
    Path shown = host.root().resolve("etc");
    Path own = sysroot.path(sysroot.booted().orElseThrow(HostEnvironment::notInMenu));
    if (!Files.isDirectory(shown)) {
      return;
    }
    Stat a = Posix.stat(OsPath.of(shown));
    Stat b = Posix.stat(OsPath.of(own.resolve("etc")));
    if (a.inode() != b.inode()) {
      throw Problem.environment(
          "/etc is not the deployment's own: where it is transient, a reboot brings the image's"
              + " version back");
    }
  }
}
