package slipway.host.update;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.host.status.HostStatus;
import slipway.host.system.HostMachine;
import slipway.host.system.OtherSource;
import slipway.linux.process.Command;
import slipway.oci.copy.ImageSource;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.oci.model.Platform;
import slipway.sysroot.state.Deployment;

/** Which image exactly, from where, and what is followed afterwards. */
class DemandsTest extends HostCase {
  private static final String STICK = "/media/stick/os";

  private HostStatus seen() throws IOException {
    return machine.host().status();
  }

  private String version(HostStatus.@Nullable Entry entry) {
    return Optional.ofNullable(entry)
        .map(HostStatus.Entry::image)
        .map(HostStatus.Image::version)
        .orElse("none");
  }

  private static Host.UpgradeOptions requiring(boolean check, Digest digest) {
    return new Host.UpgradeOptions(
        check, false, false, false, null, null, new Host.Demands(null, digest));
  }

  private static Host.UpgradeOptions from(String place) {
    return new Host.UpgradeOptions(false, false, false, false, null, place, Host.Demands.NONE);
  }

  /** For who asks by the exit code: a restart is not nothing. */
  @Test
  void aRestartIntoWhatIsStagedIsSomethingDone() throws IOException {
    machine.publish(NAME, HostMachine.Image.of("2"));
    assertThat(machine.host().upgrade(Host.UpgradeOptions.NONE)).isTrue();
    assertThat(machine.host().upgrade(Host.UpgradeOptions.NONE)).isFalse();
    assertThat(machine.host().upgrade(new Host.UpgradeOptions(false, true, false, false, null)))
        .isTrue();
    assertThat(machine.actions).contains("reboot");
    Host.UpgradeOptions downloaded = new Host.UpgradeOptions(false, true, false, true, null);
    assertThat(machine.host().upgrade(downloaded)).isTrue();
  }

  // ---- another place ----

  /** Nothing there is verified, and the machine would follow the verified name all the same. */
  @Test
  void anotherPlaceIsNoWayAroundSignatures() throws IOException {
    Path origin =
        machine.root().resolve("ostree/deploy/default/deploy/" + installed.id() + ".origin");
    String text = Files.readString(origin);
    String signed = text.replace("ostree-unverified-registry:", "ostree-image-signed:docker://");
    assertThat(signed).isNotEqualTo(text);
    Files.writeString(origin, signed);
    assertThatThrownBy(() -> machine.host().upgrade(from("oci:" + STICK)))
        .isInstanceOfSatisfying(
            Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.DENIED))
        .hasMessageStartingWith("--from: this machine follows ");
    assertThatThrownBy(() -> machine.host().switchTo(switching(STICK, "oci", true, null)))
        .hasMessageStartingWith("--once: this machine follows ");
    assertThat(seen().staged()).isNull();
  }

  // ---- a digest ----

  @Test
  void takesTheRequiredDigestAndNoOther() throws IOException {
    Manifest.Image second = machine.publish(NAME, HostMachine.Image.of("2"));
    String refused =
        NAME
            + " is "
            + second.digest()
            + ", not the required "
            + first.digest()
            + "; nothing was fetched";
    for (boolean check : new boolean[] {false, true}) {
      assertThatThrownBy(() -> machine.host().upgrade(requiring(check, first.digest())))
          .isInstanceOf(Problem.class)
          .hasMessage(refused);
    }
    assertThat(seen().staged()).isNull();
    assertThat(machine.actions).isEmpty();
    assertThat(machine.host().upgrade(requiring(false, second.digest()))).isTrue();
    assertThat(version(seen().staged())).isEqualTo("2");
    // The same image again, by name and digest: nothing to do, and another digest is refused.
    Host.SwitchOptions again = switching(NAME, "registry", false, second.digest());
    assertThat(machine.host().switchTo(again)).isFalse();
    assertThatThrownBy(
            () -> machine.host().switchTo(switching(NAME, "registry", false, first.digest())))
        .hasMessage(refused);
    machine.judge();
  }

  @Test
  void takesNothingThatIsNotAskedForByDigest() throws IOException {
    Host.Demands named = new Host.Demands(null, null, true);
    machine.publish(NAME, HostMachine.Image.of("2"));
    assertThatThrownBy(
            () ->
                machine
                    .host()
                    .upgrade(
                        new Host.UpgradeOptions(false, false, false, false, null, null, named)))
        .isInstanceOf(Problem.class)
        .hasMessage(
            NAME
                + " is asked for by a name without a digest, which --require-digest named refuses;"
                + " nothing was fetched");
    String quadlet = "usr/share/containers/systemd/app.container";
    HostMachine.Image bound =
        HostMachine.Image.of("3")
            .file(quadlet, "[Container]\nImage=registry.example/app:1\n")
            .link("usr/lib/bootc/bound-images.d/app.container", "/" + quadlet);
    Manifest.Image third = machine.publish("x", bound);
    String pinned = "registry.example/os@" + third.digest();
    machine.publish(pinned, bound);
    Host.SwitchOptions options =
        new Host.SwitchOptions(pinned, "registry", false, false, false, false, named);
    assertThatThrownBy(() -> machine.host().switchTo(options))
        .isInstanceOf(Problem.class)
        .hasMessageStartingWith("the bound image registry.example/app:1 of " + pinned);
    assertThat(seen().staged()).isNull();
    Manifest.Image fourth = machine.publish("x", HostMachine.Image.of("4"));
    String good = "registry.example/os@" + fourth.digest();
    machine.publish(good, HostMachine.Image.of("4"));
    assertThat(
            machine
                .host()
                .switchTo(
                    new Host.SwitchOptions(good, "registry", false, false, false, false, named)))
        .isTrue();
    assertThat(version(seen().staged())).isEqualTo("4");
  }

  private static Host.SwitchOptions switching(
      String target, String transport, boolean once, @Nullable Digest digest) {
    return new Host.SwitchOptions(
        target, transport, false, false, once, false, new Host.Demands(null, digest));
  }

  @Test
  void takesTheDigestOfAnIndexToo() throws IOException {
    Manifest.Image second = machine.publish(NAME, HostMachine.Image.of("2"));
    Manifest.Index index =
        Manifest.Index.of(
            List.of(
                new Descriptor(
                    second.mediaType(),
                    second.digest(),
                    second.bytes().length,
                    Map.of(),
                    Platform.host(),
                    null)),
            Map.of());
    machine.replace(NAME, source -> new Indexed(source, index, second));
    assertThat(machine.host().upgrade(requiring(true, index.digest()))).isTrue();
    assertThat(machine.host().upgrade(requiring(true, second.digest()))).isTrue();
    assertThatThrownBy(() -> machine.host().upgrade(requiring(true, first.digest())))
        .hasMessageStartingWith(NAME + " is " + index.digest() + ", not the required");
  }

  /** A source whose name leads to an index. */
  private record Indexed(ImageSource source, Manifest.Index index, Manifest.Image image)
      implements OtherSource {
    @Override
    public Manifest manifest(@Nullable String selector) {
      return selector == null ? index : image;
    }
  }

  // ---- for one time ----

  @Test
  void takesAnImageFromAStickAndFollowsTheRegistryStill() throws IOException {
    HostMachine.Image two = HostMachine.Image.of("2");
    machine.publish(STICK, two);
    machine.host().switchTo(switching(STICK, "oci", true, null));
    assertThat(machine.heard())
        .contains("Queued for next boot: ostree-unverified-image:oci:" + STICK)
        .contains("  Updates still follow: " + NAME);
    HostStatus.ImageName followed = seen().image();
    assertThat(followed).isEqualTo(new HostStatus.ImageName(NAME, "registry", null));
    machine.reboot();
    machine.judge();
    assertThat(version(seen().booted())).isEqualTo("2");
    // The registry has the same by now: nothing to do.
    machine.publish(NAME, two);
    assertThat(machine.host().upgrade(Host.UpgradeOptions.NONE)).isFalse();
    // And the next time it is taken from there again.
    machine.publish(NAME, HostMachine.Image.of("3"));
    assertThat(machine.host().upgrade(Host.UpgradeOptions.NONE)).isTrue();
    assertThat(version(seen().staged())).isEqualTo("3");
    machine.judge();
  }

  @Test
  void upgradesFromAStick() throws IOException {
    machine.publish(STICK, HostMachine.Image.of("1"));
    assertThat(machine.host().upgrade(from("oci:" + STICK))).isFalse();
    machine.publish(STICK, HostMachine.Image.of("2"));
    assertThat(machine.host().upgrade(from("oci:" + STICK))).isTrue();
    assertThat(machine.heard()).contains("  Updates still follow: " + NAME);
    assertThat(machine.reboot().origin().container().orElseThrow().image()).isEqualTo(NAME);
    assertThat(version(seen().booted())).isEqualTo("2");
    assertThatThrownBy(() -> machine.host().upgrade(from("stick")))
        .hasMessage("--from takes TRANSPORT:PLACE, such as oci:/run/media/os, not \"stick\"");
    assertThatThrownBy(
            () ->
                new Host.UpgradeOptions(
                    false, false, false, true, null, "oci:x", Host.Demands.NONE))
        .hasMessage("--from excludes --from-downloaded and --tag");
    machine.judge();
  }

  // ---- what a check saw ----

  @Test
  void whatACheckSawIsForgottenWhenItIsStagedOrGone() throws IOException {
    Host.UpgradeOptions check = new Host.UpgradeOptions(true, false, false, false, null);
    machine.publish(NAME, HostMachine.Image.of("2"));
    assertThat(machine.host().upgrade(check)).isTrue();
    assertThat(seen().booted().update()).isNotNull();
    machine.publish(NAME, HostMachine.Image.of("1"));
    assertThat(machine.host().upgrade(check)).isFalse();
    assertThat(seen().booted().update()).isNull();
    machine.publish(NAME, HostMachine.Image.of("2"));
    machine.host().upgrade(check);
    machine.host().upgrade(Host.UpgradeOptions.NONE);
    assertThat(seen().booted().update()).isNull();
    assertThat(seen().staged().update()).isNull();
    machine.judge();
  }

  // ---- from plain ostree ----

  @Test
  void adoptsAMachineThatPlainOstreeDeployed() throws IOException {
    Path root = machine.root();
    String repo = "--repo=" + root.resolve("ostree/repo");
    Path origin = root.resolve(installed.directory() + ".origin");
    Files.writeString(origin, "[origin]\nrefspec=fedora:os/stable\n[more]\nkept=1\n");
    Command.of("ostree", "refs", repo, "--create=fedora:os/stable", installed.checksum().hex())
        .run();
    assertThatThrownBy(() -> machine.host().upgrade(Host.UpgradeOptions.NONE))
        .hasMessage("No image source specified");
    machine.publish(NAME, HostMachine.Image.of("2"));
    machine.host().switchTo(Host.SwitchOptions.to(NAME));
    assertThat(Command.of("ostree", "refs", repo, "--list").run().text()).doesNotContain("fedora");
    Deployment now = machine.reboot();
    assertThat(root.resolve(now.directory() + ".origin"))
        .content()
        .contains("container-image-reference", "kept=1")
        .doesNotContain("refspec");
    assertThat(version(seen().booted())).isEqualTo("2");
    machine.judge();
  }

  // ---- in place ----

  @Test
  void changesWhatAMachineFollowsInPlace() throws IOException {
    machine.host().switchInPlace(Host.SwitchOptions.to("other.example/os:9", "registry"));
    assertThat(machine.heard())
        .containsExactly("Updated " + installed.id() + " to pull from other.example/os:9");
    assertThat(seen().image().image()).isEqualTo("other.example/os:9");
    assertThat(seen().staged()).isNull();
    machine.judge();
  }

  /** As an installer's script runs it, in a deployment with the physical root in /sysroot. */
  @Test
  void changesWhatAnInstalledSystemFollows() throws IOException {
    Path root = machine.root();
    Files.delete(machine.run().resolve("ostree-booted"));
    Files.createDirectories(root.resolve("sysroot"));
    Files.createSymbolicLink(root.resolve("sysroot/ostree"), root.resolve("ostree"));
    Path origin = root.resolve(installed.directory() + ".origin");
    Files.writeString(origin, Files.readString(origin) + "[more]\nkept=1\n");
    machine.host().switchInPlace(Host.SwitchOptions.to("/media/os", "oci"));
    assertThat(origin)
        .content()
        .contains("container-image-reference=ostree-unverified-image:oci:/media/os", "kept=1");
    // Updates run in another folder.
    machine.host().switchInPlace(Host.SwitchOptions.to("./media/os:1", "oci"));
    assertThat(origin)
        .content()
        .contains("image:oci:" + Path.of("media/os").toAbsolutePath() + ":1\n");
    Command.of("ostree", "admin", "status", "--sysroot=" + root).run();
    Path other = root.resolve(installed.directory()).resolveSibling("0".repeat(64) + ".0");
    Files.createDirectory(other);
    assertThatThrownBy(() -> machine.host().switchInPlace(Host.SwitchOptions.to("x", "dir")))
        .hasMessageContaining("there are 2 deployments in");
    Files.delete(other);
    assertThatThrownBy(
            () -> machine.host().switchInPlace(Host.SwitchOptions.to("Not A Name", "registry")))
        .isInstanceOf(Problem.class);
    Files.writeString(origin, "damaged\n");
    assertThatThrownBy(
            () -> machine.host().switchInPlace(Host.SwitchOptions.to("other.example/os:9")))
        .hasMessageContaining(origin.getFileName() + ":1: expected [GROUP]")
        .hasMessageEndingWith("; move the file away, and bootc switch writes a new one");
    assertThat(origin).hasContent("damaged");
    Files.delete(origin);
    machine.host().switchInPlace(Host.SwitchOptions.to("other.example/os:9"));
    assertThat(origin).content().contains("registry:other.example/os:9\n");
  }
}
