package slipway.bench;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Map;
import slipway.base.Progress;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.oci.copy.Transfer;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;
import slipway.oci.registry.RegistryClient;
import slipway.oci.registry.RegistryOptions;
import slipway.ostree.container.ContainerImport;
import slipway.ostree.container.Imported;
import slipway.sysroot.DeploySpec;
import slipway.sysroot.NewSysroot;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.Origin;
import slipway.system.kargs.KernelArguments;

/**
 * What an installation does between the registry and the boot loader, as a program: {@code
 * ImportOnce NAME ROOT} deploys an image of a registry into a new sysroot and syncs it.
 */
final class ImportOnce {
  private ImportOnce() {}

  public static void main(String[] arguments) throws IOException {
    Reference name = Reference.parse(arguments[0]);
    Path root = Path.of(arguments[1]);
    Sysroot sysroot = NewSysroot.make(root, "default", false);
    Origin origin = Origin.ofRegistry(name.toString());
    try (RegistryClient registry =
        new RegistryClient(name, RegistryOptions.anonymous(Map.of()).withTlsVerify(false))) {
      Manifest.Image manifest = Transfer.resolve(registry, registry.defaultTag(), Platform.host());
      ImageConfig config;
      try (InputStream in = registry.openBlob(manifest.config())) {
        config = ImageConfig.parse(in.readAllBytes());
      }
      Imported imported =
          ContainerImport.run(
              sysroot.repository(),
              registry,
              manifest,
              config,
              origin.containerText().orElseThrow(),
              Progress.NONE);
      sysroot.deploy(
          DeploySpec.install(
              "default",
              imported.mergeCommit(),
              origin,
              KernelArguments.of("root=LABEL=root", "rw")));
    }
    Posix.syncfs(OsPath.of(root));
  }
}
