package slipway.sysroot.state;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import slipway.ostree.gvariant.GVariant;

/**
 * What the running system says about itself in {@code /run}: whether it was booted from an ostree
 * deployment and from which (ostree-prepare-root writes {@code /run/ostree-booted}).
 *
 * @param directory usually {@code /run}
 * @param booted whether a deployment is running
 * @param device of the deployment's directory, as st_dev
 * @param inode of the deployment's directory
 * @param composefs whether its files come out of a composefs image
 */
public record RunState(Path directory, boolean booted, long device, long inode, boolean composefs) {
  private static final String BACKING = "backing-root-device-inode";

  /** Of a sysroot that is not the running one: nothing is booted or staged there. */
  public static RunState none() {
    return new RunState(Path.of("/run"), false, 0, 0, false);
  }

  /**
   * Of the running system.
   *
   * @param directory usually {@code /run}
   * @param root usually {@code /}: its inode tells the deployment when the file does not
   */
  public static RunState read(Path directory, Path root) throws IOException {
    Path file = directory.resolve("ostree-booted");
    if (!Files.exists(file)) {
      return new RunState(directory, false, 0, 0, false);
    }
    byte[] bytes = Files.readAllBytes(file);
    boolean composefs = false;
    if (bytes.length > 0) {
      Map<String, GVariant> values = GVariant.parse("a{sv}", bytes).asMap();
      GVariant flag = values.get("composefs");
      composefs = flag != null && flag.type().equals("b") && flag.asBoolean();
      GVariant backing = values.get(BACKING);
      if (backing != null && backing.type().equals("(tt)")) {
        return new RunState(
            directory, true, backing.child(0).asLong(), backing.child(1).asLong(), composefs);
      }
    }
    return new RunState(directory, true, device(root), inode(root), composefs);
  }

  public boolean isBacking(Path deployment) throws IOException {
    return booted && device(deployment) == device && inode(deployment) == inode;
  }

  private static long device(Path path) throws IOException {
    return ((Number) Files.getAttribute(path, "unix:dev")).longValue();
  }

  private static long inode(Path path) throws IOException {
    return ((Number) Files.getAttribute(path, "unix:ino")).longValue();
  }

  /** Where a staged deployment is described. */
  public Path stagedFile() {
    return directory.resolve("ostree/staged-deployment");
  }

  /** What becomes {@code ostree-booted} when a prepared soft reboot is done. */
  public Path nextRootFile() {
    return directory.resolve("ostree/nextroot-booted");
  }

  /** Older ostree's mark of a staged deployment that is only downloaded. */
  public Path lockFile() {
    return directory.resolve("ostree/staged-deployment-locked");
  }
}
