package slipway.host.update;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import slipway.base.Problem;
import slipway.sysroot.NewSysroot;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.ContainerReference;
import slipway.sysroot.state.Deployment;
import slipway.sysroot.state.Origin;
import slipway.sysroot.state.SysrootState;

/** Changes what the newest deployment follows, and nothing else of it. */
final class OriginInPlace {
  private OriginInPlace() {}

  /**
   * Of a running machine: the staged one, else the default of the boot menu.
   *
   * @return the deployment's name
   */
  static String ofBooted(Sysroot sysroot, ContainerReference image) throws IOException {
    Deployment newest = sysroot.staged().orElseGet(() -> sysroot.deployments().getFirst());
    sysroot.changeOrigin(
        newest,
        origin ->
            following(origin, image, "; bootc switch without --mutate-in-place needs it no more"));
    return newest.id();
  }

  /**
   * Of a system that an installer made and works in: its only deployment. There the boot menu may
   * be mounted elsewhere, so that only the deployment's directory tells that it is there.
   *
   * @param root with the physical root in {@code sysroot}, as a deployment has it
   * @return the deployment's name
   */
  static String ofInstalled(Path root, ContainerReference image) throws IOException {
    Path sysroot = root.resolve("sysroot");
    Path stateroots = sysroot.resolve("ostree/deploy");
    List<Path> found = new ArrayList<>();
    for (Path stateroot : directories(stateroots)) {
      for (Path deployment : directories(stateroot.resolve("deploy"))) {
        if (SysrootState.isDeploymentId(String.valueOf(deployment.getFileName()))) {
          found.add(deployment);
        }
      }
    }
    if (found.size() != 1) {
      throw Problem.environment(
          found.isEmpty()
              ? "there is no deployment in " + stateroots
              : "there are "
                  + found.size()
                  + " deployments in "
                  + stateroots
                  + " and none is booted: boot the one that is meant");
    }
    Path deployment = found.getFirst();
    NewSysroot.changeOrigin(
        deployment,
        origin ->
            following(origin, image, "; move the file away, and bootc switch writes a new one"));
    return String.valueOf(deployment.getFileName());
  }

  /**
   * What is deployed stays what it is.
   *
   * @param advice what to do about a damaged file
   * @throws Problem of kind CORRUPT for a damaged file, which would be gone
   */
  private static Origin following(Origin origin, ContainerReference image, String advice) {
    String damage = origin.damage();
    if (damage != null) {
      throw Problem.corrupt(damage + advice);
    }
    Origin changed = origin.withContainer(image.toString());
    return origin
        .deployed()
        .filter(deployed -> !deployed.equals(image))
        .map(deployed -> changed.withDeployed(deployed.toString()))
        .orElse(changed);
  }

  private static List<Path> directories(Path parent) throws IOException {
    List<Path> found = new ArrayList<>();
    if (Files.isDirectory(parent, LinkOption.NOFOLLOW_LINKS)) {
      try (DirectoryStream<Path> children =
          Files.newDirectoryStream(
              parent, child -> Files.isDirectory(child, LinkOption.NOFOLLOW_LINKS))) {
        children.forEach(found::add);
      }
    }
    return found;
  }
}
