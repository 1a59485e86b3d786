package slipway.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import slipway.linux.process.Command;

/** A machine's upgrade by one small layer. */
final class UpgradeScenario implements Scenario {
  private static final String OURS = "slipway: upgrade, staged";
  private static final String FINALIZE = "slipway: finalize at shutdown";
  private static final String NOTHING = "slipway: upgrade, nothing new";
  private static final String PULL = "ostree pull-local";
  private static final String DEPLOY = "ostree admin deploy";
  private static final String NEXT = "next";

  private final Timer timer = new Timer(Duration.ofMillis(20));

  @Override
  public String name() {
    return "upgrade";
  }

  @Override
  public String title() {
    return "Upgrade: one small layer on the base image";
  }

  @Override
  public List<Contender> contenders(Inputs inputs) throws IOException {
    inputs.pushGzip();
    Path context = inputs.folder("next");
    Files.writeString(
        context.resolve("Containerfile"),
        "FROM " + inputs.image() + "\nCOPY page.html /usr/share/site/\n");
    Files.writeString(context.resolve("page.html"), "<p>hello\n");
    String next = "localhost/slipway-bench:next";
    String state = inputs.state().toString();
    inputs.slipway("build", "--quiet", "--root", state, "-t", next, context.toString()).run();
    inputs.push(next, NEXT);
    inputs.slipway("rmi", "--root", state, next).run();
    Path remote = remote(inputs, context);
    return List.of(
        (dir, samples) -> ours(inputs, dir, samples),
        (dir, samples) -> ostree(remote, dir, samples));
  }

  private void ours(Inputs inputs, Path dir, Samples samples) throws IOException {
    String name = inputs.repository() + ":";
    String machine = dir.toString();
    inputs.java(UpgradeOnce.class, "install", machine, name + Inputs.ZSTD, name + NEXT).run();
    Command upgrade = inputs.java(UpgradeOnce.class, "upgrade", machine);
    samples.add(OURS, timer.run(upgrade, Inputs.sync(dir)));
    samples.add(NOTHING, timer.run(upgrade));
    Command finalize = inputs.java(UpgradeOnce.class, "finalize", machine);
    samples.add(FINALIZE, timer.run(finalize, Inputs.sync(dir)));
  }

  /** A repository with the image as a commit, and with the next version of it. */
  private static Path remote(Inputs inputs, Path change) throws IOException {
    Path remote = inputs.folder("remote");
    String repo = "--repo=" + remote;
    Command.of("ostree", "init", "--mode=bare", repo).run();
    Path tree = inputs.folder("change");
    Path site = Files.createDirectories(tree.resolve("usr/share/site"));
    Files.copy(change.resolve("page.html"), site.resolve("page.html"));
    // Links, with /etc where ostree wants an image to have it.
    Path image = inputs.folder("image").resolve("files");
    Command.of("cp", "--archive", "--link", inputs.files().toString(), image.toString()).run();
    Files.move(image.resolve("etc"), image.resolve("usr/etc"));
    Command commit = Command.of("ostree", "commit", repo, "--no-bindings");
    commit.with("--branch=os/1", "--tree=dir=" + image).run();
    commit.with("--branch=os/2", "--tree=ref=os/1", "--tree=dir=" + tree).run();
    return remote;
  }

  private void ostree(Path remote, Path dir, Samples samples) throws IOException {
    Path root = Files.createDirectory(dir.resolve("root"));
    Files.createDirectory(root.resolve("boot"));
    String sysroot = "--sysroot=" + root;
    Command.of("ostree", "admin", "init-fs", "--modern", root.toString()).run();
    Command.of("ostree", "admin", "os-init", sysroot, "default").run();
    Command pull =
        Command.of("ostree", "pull-local", "--repo=" + root.resolve("ostree/repo"))
            .with(remote.toString());
    Command deploy = Command.of("ostree", "admin", "deploy", sysroot, "--os=default", "--karg=rw");
    pull.with("os/1").run();
    deploy.with("os/1").run();
    Inputs.sync(dir).run();
    samples.add(PULL, timer.run(pull.with("os/2"), Inputs.sync(dir)));
    samples.add(DEPLOY, timer.run(deploy.with("os/2"), Inputs.sync(dir)));
  }

  @Override
  public List<Ratio> ratios(Samples samples) {
    return List.of(
        samples.ratio(
            "slipway upgrade + finalize / ostree pull-local + deploy",
            List.of(OURS, FINALIZE),
            List.of(PULL, DEPLOY),
            null));
  }

  @Override
  public List<String> notes() {
    return List.of(
        "Slipway asks a registry on the loopback and verifies what comes; ostree copies from a"
            + " repository on the same disk, with hard links. Both deploy and sync.",
        "Both begin with the image deployed and end with two versions in the boot menu.");
  }
}
