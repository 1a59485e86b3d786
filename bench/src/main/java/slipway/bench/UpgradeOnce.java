package slipway.bench;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.host.system.FailedUnit;
import slipway.host.system.HostEnvironment;
import slipway.host.system.MachineImages;
import slipway.host.system.SystemActions;
import slipway.host.update.Host;
import slipway.host.update.ImagePull;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.Transfer;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;
import slipway.ostree.container.ContainerImport;
import slipway.ostree.gvariant.GVariant;
import slipway.ostree.object.Checksum;
import slipway.sysroot.DeploySpec;
import slipway.sysroot.NewSysroot;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.ContainerReference;
import slipway.sysroot.state.Deployment;
import slipway.sysroot.state.Origin;
import slipway.system.kargs.KernelArguments;

/**
 * A machine in a folder, as a program: {@code install DIR IMAGE FOLLOWED} puts an image onto it
 * that follows another name, {@code upgrade DIR} brings that one and {@code finalize DIR} does what
 * the shutdown does.
 */
final class UpgradeOnce {
  private final Path root;
  private final Path run;

  private UpgradeOnce(Path directory) {
    this.root = directory.resolve("root");
    this.run = directory.resolve("run");
  }

  public static void main(String[] arguments) throws IOException {
    UpgradeOnce machine = new UpgradeOnce(Path.of(arguments[1]));
    switch (arguments[0]) {
      case "install" -> machine.install(arguments[2], arguments[3]);
      case "upgrade" -> machine.host().upgrade(Host.UpgradeOptions.NONE);
      case "finalize" -> machine.host().finalizeStaged();
      default -> throw Problem.usage("install, upgrade or finalize");
    }
  }

  private void install(String image, String followed) throws IOException {
    Files.createDirectories(run.resolve("ostree"));
    Path configuration = Files.createDirectories(root.resolve("etc/containers"));
    Files.writeString(
        configuration.resolve("registries.conf"),
        "[[registry]]\nlocation = \""
            + Reference.parse(image).registry()
            + "\"\ninsecure = true\n");
    Sysroot sysroot = NewSysroot.make(root, "default", false);
    ContainerReference origin = ContainerReference.registry(followed);
    Checksum commit;
    try (ImageSource source =
        new MachineImages(root, Map.of()).open(ContainerReference.registry(image))) {
      Manifest.Image manifest = Transfer.resolve(source, null, Platform.host());
      ImageConfig config;
      try (InputStream in = source.blob(manifest.config(), 0)) {
        config = ImageConfig.parse(in.readAllBytes());
      }
      commit =
          ContainerImport.run(
                  sysroot.repository(),
                  source,
                  manifest,
                  config,
                  ImagePull.transportName(origin),
                  Progress.NONE)
              .mergeCommit();
    }
    Deployment deployment =
        sysroot.deploy(
            DeploySpec.install(
                "default",
                commit,
                Origin.ofContainer(origin.toString()),
                KernelArguments.of("root=LABEL=root", "rw")));
    Files.createSymbolicLink(root.resolve("var"), Path.of("ostree/deploy/default/var"));
    boot(deployment);
    Posix.syncfs(OsPath.of(root));
  }

  /** What the initramfs tells of the deployment that it has started. */
  private void boot(Deployment deployment) throws IOException {
    Stat stat = Posix.lstat(OsPath.of(root.resolve(deployment.directory())));
    GVariant backing = GVariant.tuple(GVariant.u64(stat.device()), GVariant.u64(stat.inode()));
    Files.write(
        run.resolve("ostree-booted"),
        GVariant.dictionary(Map.of("backing-root-device-inode", backing)).toBytes());
  }

  private Host host() {
    return Host.of(
        new HostEnvironment(
            root,
            run,
            Map.of(),
            line -> {},
            Progress.NONE,
            new MachineImages(root, Map.of()),
            new NoServices(),
            InstantSource.system()));
  }

  /** No services run in a folder. */
  private static final class NoServices implements SystemActions {
    @Override
    public void startFinalizer() {}

    @Override
    public void journal(Map<String, String> fields) {}

    @Override
    public void reboot() {
      throw new IllegalStateException("nothing is rebooted");
    }

    @Override
    public void end(String how) {
      reboot();
    }

    @Override
    public void online() {}

    @Override
    public boolean preparesSoftReboots() {
      return false;
    }

    @Override
    public void prepareSoftReboot(int index) {
      reboot();
    }

    @Override
    public void resetSoftReboot() {
      reboot();
    }

    @Override
    public void softReboot() {
      reboot();
    }

    @Override
    public boolean isBootComplete() {
      return true;
    }

    @Override
    public List<FailedUnit> failedBootUnits() {
      return List.of();
    }
  }
}
