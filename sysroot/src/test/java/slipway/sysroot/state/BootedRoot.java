package slipway.sysroot.state;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import slipway.linux.mount.Mount;
import slipway.linux.process.Command;

/**
 * A deployment put together as ostree-prepare-root leaves it, to change root into: its own
 * directory is the root, with the sysroot, the boot directory, the shared /var and /run mounted,
 * and this machine's /usr laid over the image's, so that ostree itself can run in there.
 */
final class BootedRoot implements AutoCloseable {
  private final List<Mount> mounts = new ArrayList<>();
  private final Path root;

  BootedRoot(Machine machine, Deployment booted) throws IOException {
    root = Files.createDirectories(machine.directory().resolve("booted"));
    Path sysroot = machine.root();
    try {
      bind(sysroot.resolve(booted.directory()), root);
      bind(sysroot, root.resolve("sysroot"));
      bind(sysroot.resolve("boot"), root.resolve("boot"));
      bind(
          sysroot.resolve("ostree/deploy").resolve(booted.stateroot()).resolve("var"),
          root.resolve("var"));
      bind(machine.run(), root.resolve("run"));
      bind(Path.of("/usr"), root.resolve("usr"));
      bind(Path.of("/dev"), root.resolve("dev"));
      bind(Path.of("/tmp"), root.resolve("tmp"));
    } catch (IOException | RuntimeException e) {
      close();
      throw e;
    }
  }

  private void bind(Path source, Path target) throws IOException {
    mounts.add(Mount.bind(source, target, false));
  }

  /**
   * Runs ostree in there, as process 1 of its own, for it looks at that one's mounts. A systemctl
   * that does nothing stands in for the service manager, which ostree asks to start its unit.
   */
  String ostree(String... arguments) throws IOException {
    Path tools = Files.createDirectories(root.resolve("run/tools"));
    Path systemctl = tools.resolve("systemctl");
    if (!Files.exists(systemctl)) {
      Files.createSymbolicLink(systemctl, Path.of("/usr/bin/true"));
    }
    return Command.of("unshare", "--pid", "--fork", "--mount")
        .with("--mount-proc=" + root.resolve("proc"), "chroot", root.toString(), "ostree")
        .with(arguments)
        .environment("PATH", "/run/tools:/usr/sbin:/usr/bin")
        .output();
  }

  @Override
  public void close() throws IOException {
    for (Mount mount : mounts.reversed()) {
      mount.close();
    }
  }
}
