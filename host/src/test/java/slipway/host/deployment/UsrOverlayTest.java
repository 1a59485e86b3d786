package slipway.host.deployment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.host.system.HostMachine;
import slipway.host.update.Host;
import slipway.linux.process.Command;
import slipway.sysroot.state.Deployment;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A /usr that is laid over, where mounts are shared as on a machine. */
class UsrOverlayTest {
  private HostMachine machine;
  private Deployment booted;
  private Path usr;

  @BeforeEach
  void start() throws IOException {
    machine = new HostMachine();
    machine.publish(HostMachine.NAME, HostMachine.Image.of("1"));
    booted = machine.install();
    usr = Files.createDirectory(machine.root().resolve("usr"));
    String root = machine.root().toString();
    Command.of("mount", "--bind", root, root).run();
    Command.of("mount", "--make-shared", root).run();
  }

  @AfterEach
  void stop() throws IOException {
    Command.of("umount", "--recursive", machine.root().toString()).run();
    machine.close();
  }

  private UsrOverlay verb() {
    return new UsrOverlay(machine.environment());
  }

  private JsonNode overlay() throws IOException {
    String status = machine.host().status(Host.Format.JSON, false, false);
    return JsonMapper.shared().readTree(status).at("/status/usrOverlay");
  }

  /** What ostree tells where {@code /run} is the machine's. */
  private String ostree() {
    return Command.of("unshare", "--mount", "--", "sh", "-euc")
        .with("mount --bind \"$1\" /run && ostree admin status --sysroot=\"$2\"", "sh")
        .with(machine.run().toString(), machine.root().toString())
        .output();
  }

  private Path below(Path directory) {
    return directory.resolve("share/base");
  }

  @Test
  void letsUsrBeWrittenUntilTheReboot() throws IOException {
    assertThat(overlay().isNull()).isTrue();
    assertThat(ostree()).doesNotContain("Unlocked");
    verb().mount(false);
    assertThat(machine.heard())
        .containsExactly(
            "Development mode enabled.  A writable overlayfs is now mounted on /usr.",
            "All changes there will be discarded on reboot.");
    Files.writeString(below(usr), "changed");
    Files.writeString(usr.resolve("new"), "new");
    Path image = machine.root().resolve(booted.directory()).resolve("usr");
    assertThat(below(image)).hasContent("the same in all");
    assertThat(image.resolve("new")).doesNotExist();
    assertThat(Files.getAttribute(usr, "unix:mode"))
        .isEqualTo(Files.getAttribute(image, "unix:mode"));
    assertThat(overlay().at("/accessMode").asString()).isEqualTo("readWrite");
    assertThat(overlay().at("/persistence").asString()).isEqualTo("transient");
    assertThat(ostree()).contains("Unlocked: development");
    assertThatThrownBy(() -> verb().mount(true))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("already (development)");
    machine.judge();
    // What a boot before left behind is not seen again.
    Command.of("umount", usr.toString()).run();
    machine.reboot();
    assertThat(overlay().isNull()).isTrue();
    verb().mount(false);
    assertThat(usr.resolve("new")).doesNotExist();
    assertThat(below(usr)).hasContent("the same in all");
  }

  @Test
  void preparesOneThatIsReadOnly() throws IOException {
    verb().mount(true);
    assertThatThrownBy(() -> Files.writeString(usr.resolve("new"), "new"))
        .hasMessageContaining("Read-only file system");
    Command.of("unshare", "--mount", "--", "sh", "-euc")
        .with("mount -o remount,rw \"$1\" && echo x >\"$1/new\"", "sh", usr.toString())
        .run();
    assertThat(usr.resolve("new")).hasContent("x");
    assertThat(overlay().at("/accessMode").asString()).isEqualTo("readOnly");
    assertThat(ostree()).contains("Unlocked: transient");
  }

  @Test
  void refusesWhereNobodyElseWouldSeeIt() throws IOException {
    Command.of("mount", "--make-private", machine.root().toString()).run();
    assertThatThrownBy(() -> verb().mount(false))
        .isInstanceOf(Problem.class)
        .hasMessageStartingWith("the overlay over /usr would be seen by this command alone");
    assertThat(overlay().isNull()).isTrue();
    assertThat(ostree()).doesNotContain("Unlocked");
  }

  @Test
  void aFullDiskIsOneSentence() throws IOException {
    Path backing = Files.createDirectories(machine.environment().sysroot().backing(booted));
    Command.of("mount", "-t", "tmpfs", "-o", "nr_inodes=1", "none", backing.toString()).run();
    assertThatThrownBy(() -> verb().mount(false))
        .isInstanceOfSatisfying(
            Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.FULL))
        .hasMessage("no space is left on the file system of " + backing + "; make room there");
    assertThat(overlay().isNull()).isTrue();
  }
}
