package slipway.host.update;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import slipway.host.system.HostEnvironment;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.Deployment;

/**
 * Software of this machine that a new image would no longer show: some images have links into /var
 * at /opt and /usr/local, so that what is installed there stays, others folders of their own.
 */
final class HiddenSoftware {
  /**
   * A link of such images.
   *
   * @param link in the image
   * @param place where it leads to
   */
  private record Link(String link, String place) {
    /** Whether a deployment has it. */
    boolean isIn(Path deployment) throws IOException {
      Path path = deployment.resolve(link);
      // Relative to the link's folder, which lies as deep in the image as below the real root.
      return Files.isSymbolicLink(path)
          && Files.readSymbolicLink(path)
              .toString()
              .replaceFirst("^(/|(\\.\\./)+)", "")
              .equals(place);
    }
  }

  private static final List<Link> LINKS =
      List.of(new Link("opt", "var/opt"), new Link("usr/local", "var/usrlocal"));

  private HiddenSoftware() {}

  /** A sentence for each place that the running image leads to and the other one does not. */
  static List<String> of(HostEnvironment host, Sysroot sysroot, Deployment next)
      throws IOException {
    List<String> found = new ArrayList<>();
    Path before = sysroot.path(Host.requireBooted(sysroot));
    for (Link each : LINKS) {
      Path data = host.root().resolve(each.place());
      if (each.isIn(before)
          && !each.isIn(sysroot.path(next))
          && Files.isDirectory(data)
          && !Posix.list(OsPath.of(data)).isEmpty()) {
        found.add(
            "warning: /%s of the new image is none that leads to /%s, as it does now: what is there stays, but nobody finds it at /%s any more"
                .formatted(each.link(), each.place(), each.link()));
      }
    }
    return found;
  }
}
