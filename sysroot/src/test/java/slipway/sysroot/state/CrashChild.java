package slipway.sysroot.state;

import java.io.IOException;
import java.nio.file.Path;
import slipway.ostree.object.Checksum;
import slipway.sysroot.DeploySpec;
import slipway.sysroot.Sysroot;

/** A process of its own that changes a sysroot, to be killed while it does. */
final class CrashChild {
  private CrashChild() {}

  /** Arguments: root, run directory, commit, and what to do: deploy, finalize or order. */
  public static void main(String[] args) throws IOException {
    Path root = Path.of(args[0]);
    Sysroot sysroot = Sysroot.open(root, RunState.read(Path.of(args[1]), root));
    Deployment booted = sysroot.booted().orElseThrow();
    Checksum commit = new Checksum(args[2]);
    System.out.println("ready");
    System.out.flush();
    switch (args[3]) {
      case "deploy" -> sysroot.deploy(DeploySpec.upgrade(booted, commit, booted.origin()));
      case "finalize" -> {
        sysroot.stage(DeploySpec.upgrade(booted, commit, booted.origin()), false);
        sysroot.finalizeStaged();
      }
      case "order" -> {
        for (int i = 0; i < 20; i++) {
          sysroot.setBootOrder(sysroot.deployments().reversed(), Sysroot.Before.NOTHING);
        }
      }
      default -> throw new IllegalArgumentException(args[3]);
    }
    System.out.println("done");
  }
}
