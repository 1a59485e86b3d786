package slipway.sysroot;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import slipway.ostree.Repository;

/** A root file system that ostree deployments boot from. */
public final class Sysroot {
  private Sysroot() {}

  /**
   * Makes a new one in an empty directory, with one stateroot: what {@code ostree admin init-fs
   * --modern} and {@code os-init} do, {@code sysroot.bootloader=none}, {@code
   * sysroot.readonly=true}.
   *
   * @param bootPrefix whether paths in boot entries start with {@code /boot}: when {@code /boot} is
   *     no partition of its own
   */
  public static Sysroot init(Path root, String stateroot, boolean bootPrefix) throws IOException {
    throw new AssertionError();
  }

  /** Opens one that is not running: a mounted disk, a directory. */
  public static Sysroot open(Path root) throws IOException {
    throw new AssertionError();
  }

  /** Opens one that may be the running system's. */
  public static Sysroot open(Path root, RunState run) throws IOException {
    throw new AssertionError();
  }

  public Path root() {
    throw new AssertionError();
  }

  public Repository repository() {
    throw new AssertionError();
  }

  /** The deployments of the boot menu, default first, without a staged one. */
  public List<Deployment> deployments() {
    throw new AssertionError();
  }

  public Optional<Deployment> booted() {
    throw new AssertionError();
  }

  public Optional<Deployment> staged() {
    throw new AssertionError();
  }

  /** The absolute directory of a deployment. */
  public Path path(Deployment deployment) {
    throw new AssertionError();
  }

  public Plan planDeploy(DeploySpec spec) throws IOException {
    throw new AssertionError();
  }

  public Plan planStage(DeploySpec spec, boolean lock) throws IOException {
    throw new AssertionError();
  }

  public Plan planOrder(List<Deployment> order) throws IOException {
    throw new AssertionError();
  }

  public void execute(Plan plan) throws IOException {
    throw new AssertionError();
  }

  /** Deploys at once, as the default of the boot menu. */
  public Deployment deploy(DeploySpec spec) throws IOException {
    throw new AssertionError();
  }

  public Deployment stage(DeploySpec spec, boolean lock) throws IOException {
    throw new AssertionError();
  }

  public void finalizeStaged() throws IOException {
    throw new AssertionError();
  }

  public void setBootOrder(List<Deployment> order) throws IOException {
    throw new AssertionError();
  }

  public void cleanup(boolean prune) throws IOException {
    throw new AssertionError();
  }
}
