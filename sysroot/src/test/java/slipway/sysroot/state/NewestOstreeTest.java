package slipway.sysroot.state;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import slipway.linux.mount.Mount;
import slipway.linux.process.Command;
import slipway.ostree.object.Checksum;
import slipway.sysroot.DeploySpec;
import slipway.sysroot.Sysroot;
import slipway.system.kargs.KernelArguments;

/**
 * Beside the newest ostree, which names entries as we do and writes composefs images: the same
 * steps leave the same files.
 */
class NewestOstreeTest {
  private static final KernelArguments KARGS = KernelArguments.of("root=UUID=1", "rw");
  private static final String COMPOSEFS = "[composefs]\nenabled=yes\n[sysroot]\nreadonly=true\n";
  private static String ostree = "";

  private Machine ours;
  private Machine theirs;

  @BeforeAll
  static void fetch() {
    Path script = Path.of("../tools/peers").toAbsolutePath().normalize();
    ostree = Command.of(script.toString(), "ostree").output() + "/ostree";
  }

  @BeforeEach
  void start() throws IOException {
    ours = new Machine();
    theirs = new Machine();
    ours.init();
    theirs.init();
  }

  @AfterEach
  void stop() throws IOException {
    ours.close();
    theirs.close();
  }

  @AfterAll
  static void forget() {
    ostree = "";
  }

  private static Map<String, String> image(String version, String kernel) {
    Map<String, String> files = Machine.files(version, kernel);
    files.put("usr/lib/ostree/prepare-root.conf", COMPOSEFS);
    files.put("var/lib/app/data", "first\n");
    return files;
  }

  /** All of a sysroot but what differs by nature. */
  private static Map<String, String> state(Machine machine) throws IOException {
    Map<String, String> listing = new TreeMap<>(machine.listing("."));
    listing
        .keySet()
        .removeIf(
            name ->
                name.equals("ostree/lock")
                    || name.endsWith("/var/.ostree-selabeled")
                    || name.equals("ostree/bootc")
                    || name.startsWith("ostree/repo/tmp")
                    || name.startsWith("ostree/repo/.lock")
                    || name.endsWith(".origin"));
    return listing;
  }

  private void same() throws IOException {
    Map<String, String> expected = state(theirs);
    Map<String, String> got = state(ours);
    Map<String, String> difference = new TreeMap<>();
    expected.forEach(
        (name, content) -> {
          if (!content.equals(got.remove(name))) {
            difference.put(name, "theirs: " + content);
          }
        });
    got.forEach((name, content) -> difference.put(name, "ours alone: " + content));
    assertThat(difference).isEmpty();
  }

  private void deploy(Map<String, String> files) throws IOException {
    Checksum commit = ours.commit(files);
    assertThat(theirs.commit(files)).isEqualTo(commit);
    Sysroot sysroot = ours.open();
    sysroot.deploy(
        sysroot
            .mergeSource("default")
            .map(merge -> DeploySpec.upgrade(merge, commit, Origin.NONE))
            .orElseGet(() -> DeploySpec.install("default", commit, Origin.NONE, KARGS)));
    sysroot.cleanup(true);
    List<String> arguments =
        theirs.open().deployments().isEmpty()
            ? List.of("deploy", "--os=default", "--karg=root=UUID=1", "--karg=rw", commit.hex())
            : List.of("deploy", "--os=default", commit.hex());
    theirs.admin(ostree, arguments);
  }

  @Test
  void leavesTheSameFiles() throws IOException {
    deploy(image("1", "one"));
    same();
    for (Machine machine : List.of(ours, theirs)) {
      Path deployment = machine.root().resolve(machine.open().deployments().getFirst().directory());
      Files.writeString(deployment.resolve("etc/mine"), "x");
      Files.delete(deployment.resolve("etc/hosts"));
    }
    deploy(image("2", "two"));
    same();
    Map<String, String> sameKernel = image("2", "two");
    sameKernel.put("usr/bin/more", "more");
    deploy(sameKernel);
    same();
    deploy(image("3", "one"));
    same();
    Sysroot sysroot = ours.open();
    sysroot.setBootOrder(sysroot.deployments().reversed(), Sysroot.Before.NOTHING);
    sysroot.cleanup(true);
    theirs.admin(ostree, List.of("set-default", "1"));
    same();
    ours.admin(ostree, List.of("undeploy", "1"));
    theirs.admin(ostree, List.of("undeploy", "1"));
    same();
    ours.judge(ostree);
    assertThat(ours.open().deployments()).hasSize(1);
  }

  @Test
  void writesAComposefsImageThatMounts() throws IOException {
    deploy(image("1", "one"));
    Deployment deployment = ours.open().deployments().getFirst();
    Path directory = ours.root().resolve(deployment.directory());
    Path image = directory.resolve(".ostree.cfs");
    assertThat(Files.getAttribute(image, "unix:mode")).isEqualTo(0100644);
    Path lower = Files.createDirectories(ours.directory().resolve("lower"));
    Path merged = Files.createDirectories(ours.directory().resolve("merged"));
    Command.of("mount", "-t", "erofs", "-o", "ro,loop", image.toString(), lower.toString()).run();
    try (Mount overlay =
        Mount.of(
            "overlay",
            merged,
            "overlay",
            1,
            "metacopy=on,redirect_dir=on,lowerdir="
                + lower
                + "::"
                + ours.root().resolve("ostree/repo/objects"))) {
      assertThat(overlay.target().resolve("usr/bin/hello"))
          .hasContent(Files.readString(directory.resolve("usr/bin/hello")));
      assertThat(merged.resolve("usr/etc/hosts")).hasContent("127.0.0.1 localhost");
      assertThat(Files.readSymbolicLink(merged.resolve("ostree"))).hasToString("sysroot/ostree");
    } finally {
      Command.of("umount", lower.toString()).run();
    }
  }
}
