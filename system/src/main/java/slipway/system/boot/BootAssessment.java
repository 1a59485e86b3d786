package slipway.system.boot;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import slipway.linux.posix.InRoot;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;

/**
 * Whether a system says of itself that it has started well: its unit {@value #UNIT} is there,
 * enabled and not masked (systemd.unit(5)). The starts of one that does not would be counted
 * without anybody to end the count.
 */
public final class BootAssessment {
  /** Says that a start went well. */
  private static final String UNIT = "slipway-healthy.service";

  /** What the unit waits for. */
  private static final String TARGET = "boot-complete.target";

  private static final List<String> FOLDERS =
      List.of("etc/systemd/system", "usr/lib/systemd/system");

  /** Targets that every start reaches, as the unit is enabled in them. */
  private static final List<String> WANTED_BY = List.of("default.target", "multi-user.target");

  private BootAssessment() {}

  /**
   * Looks at a deployment on disk, with the {@code /etc} that it will have. No link leads out of
   * it.
   */
  public static boolean isEnabled(Path deployment) throws IOException {
    OsPath root = OsPath.of(deployment.toRealPath());
    Optional<OsPath> unit = child(root, FOLDERS.getLast(), UNIT);
    if (unit.isEmpty()
        || !Posix.lstat(unit.get()).isRegular()
        || isReplaced(root, UNIT)
        || isReplaced(root, TARGET)) {
      return false;
    }
    for (String folder : FOLDERS) {
      for (String target : WANTED_BY) {
        if (child(root, folder + "/" + target + ".wants", UNIT).isPresent()) {
          return true;
        }
      }
    }
    return false;
  }

  /** Whether another unit of that name is in {@code /etc}, such as a link that masks it. */
  private static boolean isReplaced(OsPath root, String unit) throws IOException {
    return child(root, FOLDERS.getFirst(), unit).isPresent();
  }

  /** A name in a folder of the root, if it is there; a link counts as such, wherever it leads. */
  private static Optional<OsPath> child(OsPath root, String folder, String name)
      throws IOException {
    return InRoot.resolve(root, OsPath.of(folder))
        .map(found -> found.resolve(OsPath.of(name)))
        .filter(Posix::exists);
  }
}
