package slipway.sysroot.write;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Xattrs;
import slipway.sysroot.DeploySpec;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.Deployment;
import slipway.sysroot.state.Machine;
import slipway.sysroot.state.Origin;
import slipway.system.kargs.KernelArguments;

/** Local changes of /etc that are taken back, until ostree sees none. */
class EtcRestoreTest {
  private Machine machine;
  private Sysroot sysroot;
  private Path etc;

  @BeforeEach
  void start() throws IOException {
    machine = new Machine();
    Sysroot fresh = machine.init();
    Map<String, String> files = Machine.files("1", "one");
    files.put("usr/etc/tree/deep/x", "x\n");
    files.put("usr/etc/tree/y", "y\n");
    Deployment first =
        fresh.deploy(
            DeploySpec.install(
                "default", machine.commit(files), Origin.NONE, KernelArguments.of("rw")));
    sysroot = machine.openBooted(first);
    etc = sysroot.path(first).resolve("etc");
  }

  @AfterEach
  void stop() throws IOException {
    machine.close();
  }

  private List<String> restore(String... paths) throws IOException {
    return sysroot.etc().restore(Arrays.stream(paths).map(OsPath::of).toList()).stream()
        .map(EtcMerge.Change::toString)
        .toList();
  }

  private List<String> ostree() {
    return machine.admin("config-diff", "--os=default").lines().sorted().toList();
  }

  private void refuse(String path, String message) {
    assertThatThrownBy(() -> restore("hosts", path))
        .isInstanceOf(Problem.class)
        .hasMessageContaining(message);
  }

  @Test
  void bringsBackWhatTheImageHas() throws IOException {
    Files.writeString(etc.resolve("hosts"), "mine\n");
    Posix.chmod(OsPath.of(etc.resolve("hosts")), 0600);
    Files.delete(etc.resolve("motd"));
    Files.delete(etc.resolve("app/a.conf"));
    Files.createSymbolicLink(etc.resolve("app/a.conf"), Path.of("/etc/shadow"));
    Files.writeString(etc.resolve("app/mine"), "mine\n");
    Posix.removeTree(OsPath.of(etc.resolve("tree")));
    assertThat(sysroot.etc().changes().stream().map(EtcMerge.Change::toString).sorted())
        .isEqualTo(ostree());
    assertThat(restore("hosts", "motd")).containsExactly("M    hosts", "D    motd");
    assertThat(etc.resolve("hosts")).hasContent("127.0.0.1 localhost");
    assertThat(Posix.lstat(OsPath.of(etc.resolve("hosts"))).permissions()).isEqualTo(0644);
    assertThat(restore("app", "tree")).containsExactly("M    app/a.conf", "D    tree");
    assertThat(ostree()).containsExactly("A    app/mine");
    assertThat(etc.resolve("tree/deep/x")).hasContent("x");
    assertThat(restore("hosts", "app")).isEmpty();
    try (Stream<Path> all = Files.walk(etc)) {
      assertThat(all.map(Path::toString)).noneMatch(name -> name.endsWith(".tmp"));
    }
    // The image's own files are not the machine's: what is written now must not reach them.
    Files.writeString(etc.resolve("tree/y"), "mine\n");
    assertThat(etc.resolveSibling("usr/etc/tree/y")).hasContent("y");
    machine.judge();
  }

  @Test
  void countsAttributes() throws IOException {
    OsPath hosts = OsPath.of(etc.resolve("hosts"));
    Xattrs.lsetxattr(hosts, OsPath.of("user.note"), new byte[] {1});
    OsPath app = OsPath.of(etc.resolve("app"));
    Posix.chmod(app, 0700);
    Xattrs.lsetxattr(app, OsPath.of("user.note"), new byte[] {1});
    assertThat(sysroot.etc().changes())
        .containsExactly(
            new EtcMerge.Change(EtcMerge.Kind.MODIFIED, OsPath.of("app")),
            new EtcMerge.Change(EtcMerge.Kind.ATTRIBUTES, OsPath.of("hosts")));
    restore("app", "hosts");
    assertThat(sysroot.etc().changes()).isEmpty();
    assertThat(Xattrs.llistxattr(app)).isEmpty();
    assertThat(Posix.lstat(app).permissions()).isEqualTo(0755);
  }

  @Test
  void replacesAFileByTheImagesDirectory() throws IOException {
    Posix.removeTree(OsPath.of(etc.resolve("tree")));
    Files.writeString(etc.resolve("tree"), "a file\n");
    refuse("tree/y", "the directory of /etc/tree/y is gone; restore that one");
    assertThat(restore("tree")).containsExactly("M    tree");
    assertThat(etc.resolve("tree/deep/x")).hasContent("x");
    assertThat(ostree()).isEmpty();
  }

  @Test
  void followsNoLinkAndLosesNothing() throws IOException {
    Path outside = Files.createDirectories(machine.directory().resolve("outside/deep"));
    Files.writeString(outside.resolve("x"), "not ours\n");
    Posix.removeTree(OsPath.of(etc.resolve("tree")));
    Files.createSymbolicLink(etc.resolve("tree"), outside.getParent());
    Files.delete(etc.resolve("motd"));
    Files.createDirectories(etc.resolve("motd/mine"));
    Files.writeString(etc.resolve("added"), "x\n");
    Files.writeString(etc.resolve("hosts"), "mine\n");
    refuse("tree/deep/x", "the directory of /etc/tree/deep/x is gone");
    refuse("motd", "/etc/motd is a directory with files of yours where the image has none");
    refuse("added", "/etc/added is not in the image");
    refuse("nothing", "neither the image nor this machine has /etc/nothing");
    for (String bad : List.of("", "../usr", "/etc/hosts", "app/../hosts", ".")) {
      refuse(bad, "is no path below /etc");
    }
    assertThat(etc.resolve("hosts")).hasContent("mine");
    assertThat(restore("tree")).containsExactly("M    tree");
    assertThat(outside.resolve("x")).hasContent("not ours");
    assertThat(etc.resolve("tree/deep/x")).hasContent("x");
    Files.delete(etc.resolve("motd/mine"));
    restore("motd", "hosts");
    assertThat(ostree()).containsExactly("A    added");
  }
}
