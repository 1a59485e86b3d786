package slipway.builder.engine;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import slipway.linux.process.Command;

/** buildah, the peer, with a storage of its own. */
final class Buildah implements AutoCloseable {
  private final Path root;
  private final Path run;

  Buildah(Path directory) {
    this.root = directory.resolve("buildah");
    this.run = directory.resolve("buildah-run");
  }

  Command command(String... arguments) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "buildah",
                "--root",
                root.toString(),
                "--runroot",
                run.toString(),
                "--storage-driver",
                "overlay"));
    all.addAll(List.of(arguments));
    return Command.of(all);
  }

  private String storage(String name) {
    return "containers-storage:[overlay@" + root + "+" + run + "]" + name;
  }

  /** Takes an image of a store over. */
  void importFrom(Lab lab, String name) {
    skopeo("oci:" + lab.store.root() + ":" + name, storage(name));
  }

  /** Gives an image to a store. */
  void exportTo(Lab lab, String name) {
    skopeo(storage(name), "oci:" + lab.store.root() + ":" + name);
  }

  private static void skopeo(String from, String to) {
    Command.of("skopeo", "copy", "--quiet", "--insecure-policy", from, to).run();
  }

  /** Builds without a container runtime. */
  Command build(Path context, String name, String... more) {
    return command(
            "bud",
            "--format",
            "docker",
            "--isolation",
            "chroot",
            "--layers=false",
            "--pull-never",
            "-t",
            name)
        .with(more)
        .with(context.toString());
  }

  /** The configuration of an image in Docker's format. */
  String inspect(String name) {
    return command("inspect", "--type", "image", name).output();
  }

  @Override
  public void close() throws IOException {
    command("umount", "--all").tryRun();
    command("rm", "--all").tryRun();
    slipway.linux.posix.OsPath overlay = slipway.linux.posix.OsPath.of(root.resolve("overlay"));
    if (slipway.linux.posix.Posix.exists(overlay)) {
      // containers-storage binds this directory to itself.
      Command.of("umount", overlay.toString()).tryRun();
    }
    slipway.linux.posix.Posix.removeTree(slipway.linux.posix.OsPath.of(root));
    slipway.linux.posix.Posix.removeTree(slipway.linux.posix.OsPath.of(run));
  }
}
