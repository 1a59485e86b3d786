package slipway.host.update;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import slipway.archive.compress.Compression;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.host.deployment.MachineArguments;
import slipway.host.status.JournalEntry;
import slipway.host.status.Sizes;
import slipway.host.system.HostMachine;
import slipway.host.system.OtherSource;
import slipway.host.system.PrivateMounts;
import slipway.linux.process.Command;
import slipway.oci.copy.ImageSource;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Manifest;
import slipway.oci.model.Platform;
import slipway.ostree.object.Checksum;
import slipway.sysroot.Finalization;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.Deployment;
import tools.jackson.databind.JsonNode;

/** Whole lives of a machine: installed, upgraded, switched, rolled back. */
class HostTest extends HostCase {
  /** The files that decide what boots and what it finds. */
  private Map<String, String> state() throws IOException {
    Map<String, String> found = new TreeMap<>();
    for (String top : new String[] {"boot", "ostree/deploy"}) {
      try (var walk = Files.walk(machine.root().resolve(top))) {
        for (Path path : (Iterable<Path>) walk::iterator) {
          found.put(
              path.toString(),
              Files.isSymbolicLink(path)
                  ? Files.readSymbolicLink(path).toString()
                  : Files.isDirectory(path) ? "/" : Files.readString(path));
        }
      }
    }
    return found;
  }

  @Test
  void tellsItsState() throws IOException {
    JsonNode status = status();
    assertThat(status.at("/spec/image/image").asString()).isEqualTo(NAME);
    assertThat(status.at("/spec/image/transport").asString()).isEqualTo("registry");
    JsonNode booted = status.at("/status/booted");
    assertThat(booted.at("/image/imageDigest").asString()).isEqualTo(first.digest().toString());
    assertThat(booted.at("/image/version").asString()).isEqualTo("1");
    assertThat(booted.at("/image/timestamp").asString()).isEqualTo("2024-05-01T10:00:00.5Z");
    assertThat(booted.at("/image/architecture").asString())
        .isEqualTo(Platform.host().architecture());
    assertThat(booted.at("/ostree/checksum").asString()).isEqualTo(installed.checksum().hex());
    assertThat(booted.at("/ostree/stateroot").asString()).isEqualTo("default");
    assertThat(status.at("/status/type").asString()).isEqualTo("bootcHost");
    assertThat(status.at("/status/rollback").isNull()).isTrue();
    assertThat(machine.host().status(Host.Format.HUMANREADABLE, false, false))
        .isEqualTo(
            "● Booted image: "
                + NAME
                + "\n        Digest: "
                + first.digest()
                + " ("
                + Platform.host().architecture()
                + ")\n       Version: 1 (2024-05-01T10:00:00Z)\n");
  }

  @Test
  void upgradesAndRollsBack() throws IOException {
    upgrade();
    assertThat(machine.heard())
        .containsExactly("No changes in " + NAME + " => " + first.digest(), "No update available.");
    Manifest.Image second = machine.publish(NAME, HostMachine.Image.of("2"));
    Files.writeString(machine.root().resolve(installed.directory()).resolve("etc/mine"), "x\n");

    upgrade();
    assertThat(machine.heard())
        .startsWith("layers already present: 1; layers needed: 1 (10.8\u00a0kB)")
        .containsSubsequence(
            "Queued for next boot: " + NAME,
            "  Version: 2",
            "  Digest: " + second.digest(),
            "Total new layers: 2     Size: "
                + Sizes.decimal(second.layers().stream().mapToLong(Descriptor::size).sum()),
            "Removed layers:   1     Size: 10.8\u00a0kB",
            "Added layers:     1     Size: 10.8\u00a0kB");
    assertThat(machine.noted).anyMatch(l -> l.startsWith("Fetched layers: 10.50 KiB in 0 seconds"));
    assertThat(machine.actions).containsExactly("finalizer");
    assertThat(machine.journal).anyMatch(e -> JournalEntry.STAGE.equals(e.get("MESSAGE_ID")));
    assertThat(machine.run().resolve("reboot-required"))
        .hasContent("bootc: Reboot required for image: " + second.digest());
    assertThat(machine.root().resolve("ostree/bootc")).isDirectory();
    assertThat(status().at("/status/staged/image/version").asString()).isEqualTo("2");
    upgrade();
    assertThat(machine.heard()).contains("Staged update present, not changed");
    assertThat(machine.actions)
        .as("a finalizer that was killed")
        .hasSize(2)
        .containsOnly("finalizer");

    Deployment now = machine.reboot();
    assertThat(machine.heard()).contains("Copying /etc changes: 0 modified, 0 removed, 1 added");
    machine.judge();
    assertThat(machine.root().resolve(now.directory()).resolve("etc/mine")).hasContent("x");
    assertThat(machine.root().resolve(now.directory()).resolve("etc/version")).hasContent("2");
    assertThat(status().at("/status/booted/image/version").asString()).isEqualTo("2");
    assertThat(status().at("/status/rollback/image/version").asString()).isEqualTo("1");

    machine.host().rollback(false);
    assertThat(machine.heard())
        .containsExactly("Next boot: rollback deployment", leftOut(second.digest()));
    assertThat(status().at("/status/rollbackQueued").asBoolean()).isTrue();
    assertThat(status().at("/spec/bootOrder").asString()).isEqualTo("rollback");
    machine.host().rollback(false);
    assertThat(machine.heard())
        .containsExactly(
            "notice: Reverting queued rollback state", "Next boot: current deployment");
    machine.host().rollback(true);
    assertThat(machine.actions).contains("reboot");
    assertThat(machine.journal)
        .filteredOn(e -> JournalEntry.ROLLBACK.equals(e.get("MESSAGE_ID")))
        .extracting(e -> e.get("BOOTC_ROLLBACK_TYPE"))
        .containsExactly("rollback", "revert", "rollback");
    Deployment back = machine.reboot();
    assertThat(back.isSame(installed)).isTrue();
    assertThat(status().at("/status/booted/image/version").asString()).isEqualTo("1");
    machine.judge();
  }

  @Test
  void checksWithoutFetching() throws IOException {
    machine.host().upgrade(CHECK);
    assertThat(machine.heard()).containsExactly("No changes in: docker://" + NAME);
    Manifest.Image second = machine.publish(NAME, HostMachine.Image.of("2"));
    Map<String, String> before = state();
    machine.host().upgrade(CHECK);
    assertThat(machine.heard())
        .startsWith(
            "Update available for: docker://" + NAME,
            "  Version: 2",
            "  Digest: " + second.digest());
    assertThat(state()).isEqualTo(before);
    assertThat(status().at("/status/booted/cachedUpdate/imageDigest").asString())
        .isEqualTo(second.digest().toString());
    assertThat(machine.host().status(Host.Format.HUMANREADABLE, false, false))
        .contains(" UpdateVersion: 2 (2024-05-01T10:00:00Z)\n");
    machine.judge();
  }

  @Test
  void downloadsNowAndAppliesLater() throws IOException {
    machine.publish(NAME, HostMachine.Image.of("2"));
    machine.host().upgrade(new Host.UpgradeOptions(false, false, true, false, null));
    assertThat(machine.heard()).contains("Image downloaded, but will not be applied on reboot");
    assertThat(status().at("/status/staged/downloadOnly").asBoolean()).isTrue();
    assertThat(machine.host().finalizeStaged().outcome()).isEqualTo(Finalization.Outcome.LOCKED);
    machine.heard();
    machine.host().upgrade(new Host.UpgradeOptions(false, true, false, true, null));
    assertThat(machine.heard()).containsExactly("Staged deployment will now be applied on reboot");
    assertThat(machine.actions).containsSubsequence("finalizer", "finalizer", "reboot");
    machine.host().upgrade(new Host.UpgradeOptions(false, false, true, false, null));
    assertThat(machine.heard()).contains("Image downloaded, but will not be applied on reboot");
    upgrade();
    assertThat(machine.heard()).contains("Staged deployment will now be applied on reboot");
    machine.reboot();
    assertThat(status().at("/status/booted/image/version").asString()).isEqualTo("2");
    assertThatThrownBy(
            () -> machine.host().upgrade(new Host.UpgradeOptions(false, false, false, true, null)))
        .isInstanceOf(Problem.class)
        .hasMessage("No staged deployment found");
  }

  @Test
  void followsAnotherTagAndAnotherImage() throws IOException {
    machine.publish("registry.example/os:2", HostMachine.Image.of("2"));
    machine.host().upgrade(new Host.UpgradeOptions(false, false, false, false, "2"));
    assertThat(status().at("/spec/image/image").asString()).isEqualTo("registry.example/os:2");
    machine.publish("other.example/other:x", HostMachine.Image.of("3"));
    machine.heard();
    machine.host().switchTo(Host.SwitchOptions.to("other.example/other:x"));
    assertThat(machine.heard()).contains("Queued for next boot: other.example/other:x");
    machine.actions.clear();
    machine.host().switchTo(Host.SwitchOptions.to("other.example/other:x"));
    assertThat(machine.heard()).containsExactly("Image specification is unchanged.");
    assertThat(machine.actions).containsExactly("finalizer");
    Deployment now = machine.reboot();
    assertThat(now.origin().containerText())
        .contains("ostree-unverified-registry:other.example/other:x");
    assertThat(status().at("/status/booted/image/version").asString()).isEqualTo("3");
    // The image of the tag that was staged in between is gone, the rollback's is not.
    assertThat(Sysroot.open(machine.root()).repository().refs("ostree/container/image")).hasSize(2);
    machine.judge();
    assertThatThrownBy(() -> machine.host().switchTo(Host.SwitchOptions.to("Not A Name")))
        .isInstanceOf(Problem.class);
  }

  @Test
  void convergesWhenLayersAreOnlyPackedOtherwise() throws IOException {
    HostMachine.Image two = HostMachine.Image.of("2");
    machine.publish(NAME, two, Compression.GZIP);
    upgrade();
    machine.publish(NAME, two, Compression.ZSTD);
    machine.heard();
    upgrade();
    assertThat(machine.heard()).contains("Staged update present, not changed");
    machine.reboot();
    machine.publish(NAME, two, Compression.NONE);
    machine.heard();
    machine.actions.clear();
    machine.host().upgrade(new Host.UpgradeOptions(false, true, false, false, null));
    assertThat(machine.heard()).contains("No update available.");
    assertThat(machine.actions).doesNotContain("reboot");
    assertThat(status().at("/status/staged").isNull()).isTrue();
    machine.host().upgrade(CHECK);
    assertThat(machine.heard()).containsExactly("No changes in: docker://" + NAME);
  }

  @Test
  void dropsWhatIsStagedWhenTheTagMovesBack() throws IOException {
    Manifest.Image second = machine.publish(NAME, HostMachine.Image.of("2"));
    upgrade();
    machine.publish(NAME, HostMachine.Image.of("1"));
    machine.heard();
    machine.host().upgrade(CHECK);
    assertThat(machine.heard())
        .containsExactly(
            "No changes in: docker://" + NAME,
            "  The staged deployment is another one; an upgrade drops it.");
    machine.host().upgrade(new Host.UpgradeOptions(false, true, false, false, null));
    assertThat(machine.heard())
        .contains("Dropped the staged deployment of " + NAME + " (" + second.digest() + ")");
    assertThat(machine.actions).doesNotContain("reboot");
    assertThat(status().at("/status/staged").isNull()).isTrue();
    assertThat(machine.run().resolve("reboot-required")).doesNotExist();
    assertThat(machine.reboot().isSame(installed)).isTrue();
    upgrade();
    machine.judge();
  }

  @Test
  void keepsTheImageOfWhatIsDroppedWhenToldTo() throws IOException {
    String other = "other.example/os:1";
    machine.publish(other, HostMachine.Image.of("2"));
    machine.host().switchTo(Host.SwitchOptions.to(other));
    Set<String> images =
        machine.environment().sysroot().repository().refs("ostree/container/image").keySet();
    assertThat(images).hasSize(2);
    Host.SwitchOptions retain =
        new Host.SwitchOptions(NAME, "registry", false, true, false, false, Host.Demands.NONE);
    assertThat(machine.host().switchTo(retain)).isTrue();
    assertThat(machine.heard()).contains("The booted image is the wanted one: it boots again.");
    assertThat(machine.environment().sysroot().repository().refs("ostree/container/image"))
        .containsOnlyKeys(images);
  }

  @Test
  void dropsWhatIsStagedWhenASwitchLeadsBackToWhatRuns() throws IOException {
    machine.publish("other.example/os:1", HostMachine.Image.of("2"));
    machine.host().switchTo(Host.SwitchOptions.to("other.example/os:1"));
    machine.heard();
    assertThat(machine.host().switchTo(Host.SwitchOptions.to(NAME))).isTrue();
    assertThat(machine.heard())
        .contains("The booted image is the wanted one: it boots again.")
        .anyMatch(line -> line.startsWith("Dropped the staged deployment of other.example/os:1"));
    assertThat(status().at("/status/staged").isNull()).isTrue();
    assertThat(status().at("/spec/image/image").asString()).isEqualTo(NAME);
    assertThat(machine.reboot().isSame(installed)).isTrue();
    machine.judge();
  }

  @Test
  void keepsArgumentsThatWereChangedWhenItGoesBackToWhatRuns() throws IOException {
    machine.publish("other.example/os:1", HostMachine.Image.of("2"));
    machine.host().switchTo(Host.SwitchOptions.to("other.example/os:1"));
    new MachineArguments(machine.environment()).setOptionsForSource("tool", "quiet");
    machine.host().switchTo(Host.SwitchOptions.to(NAME));
    assertThat(machine.stagedArguments()).endsWith("quiet");
    machine.publish(NAME, HostMachine.Image.of("2"));
    upgrade();
    machine.publish(NAME, HostMachine.Image.of("1"));
    upgrade();
    assertThat(machine.stagedArguments()).endsWith("quiet");
  }

  @Test
  void stagesWhatRunsWhenAnotherOneWouldBootWithoutIt() throws IOException {
    machine.publish(NAME, HostMachine.Image.of("2"));
    upgrade();
    machine.reboot();
    machine.host().rollback(false);
    machine.publish("other.example/os:1", HostMachine.Image.of("3"));
    machine.host().switchTo(Host.SwitchOptions.to("other.example/os:1"));
    machine.host().switchTo(Host.SwitchOptions.to(NAME));
    machine.reboot();
    assertThat(status().at("/status/booted/image/version").asString()).isEqualTo("2");
  }

  @Test
  void keepsASwitchWhoseTagMovesToTheBootedImage() throws IOException {
    machine.publish("other.example/os:1", HostMachine.Image.of("2"));
    machine.host().switchTo(Host.SwitchOptions.to("other.example/os:1"));
    machine.publish("other.example/os:1", HostMachine.Image.of("1"));
    upgrade();
    assertThat(machine.heard()).contains("Queued for next boot: other.example/os:1");
    assertThat(machine.reboot().origin().containerText())
        .contains("ostree-unverified-registry:other.example/os:1");
    assertThat(status().at("/status/booted/image/version").asString()).isEqualTo("1");
  }

  private Map<String, Checksum> refs() throws IOException {
    return Sysroot.open(machine.root()).repository().refs("ostree/container/image");
  }

  @Test
  void followsImagesWhoseRefsCollide() throws IOException {
    machine.publish("host.example/os", HostMachine.Image.of("2"));
    machine.host().switchTo(Host.SwitchOptions.to("host.example/os"));
    machine.reboot();
    machine.publish("host.example/os/next:1", HostMachine.Image.of("3"));
    Map<String, Checksum> before = refs();
    machine.replace("host.example/os/next:1", source -> new Broken(source, true));
    assertThatThrownBy(
            () -> machine.host().switchTo(Host.SwitchOptions.to("host.example/os/next:1")))
        .isInstanceOf(Exception.class);
    assertThat(refs()).containsAllEntriesOf(before);
    assertThat(machine.noted).noneMatch(l -> l.startsWith("no longer kept by name"));
    machine.publish("host.example/os/next:1", HostMachine.Image.of("3"));
    machine.host().switchTo(Host.SwitchOptions.to("host.example/os/next:1"));
    assertThat(machine.noted)
        .anyMatch(
            l ->
                l.startsWith("no longer kept by name") && l.endsWith(": docker://host.example/os"));
    machine.reboot();
    assertThat(status().at("/status/booted/image/version").asString()).isEqualTo("3");
    assertThat(status().at("/status/rollback/image/version").asString()).isEqualTo("2");
    machine.judge();
    machine.heard();
    upgrade();
    assertThat(machine.heard()).contains("No update available.");
    // And back, through directories that are left empty.
    machine.host().switchTo(Host.SwitchOptions.to("host.example/os"));
    machine.reboot();
    assertThat(status().at("/status/booted/image/version").asString()).isEqualTo("2");
    machine.judge();
  }

  @Test
  void stagesWhateverCannotBeToldOrTidiedUp() throws IOException {
    machine.publish(NAME, HostMachine.Image.of("2"));
    Files.createDirectories(machine.run().resolve("reboot-required/x"));
    Files.writeString(machine.root().resolve("ostree/bootc"), "no directory");
    upgrade();
    assertThat(machine.heard()).contains("Queued for next boot: " + NAME);
    assertThat(machine.noted)
        .anyMatch(l -> l.startsWith("warning: /run/reboot-required could not be written: "))
        .anyMatch(l -> l.startsWith("warning: units that follow this machine's state"));
    machine.reboot();
    machine.host().rollback(false);
    assertThat(machine.heard()).contains("Next boot: rollback deployment");
  }

  @Test
  void tellsThatTheBootMenuIsMissing() throws IOException {
    Path boot = machine.root().resolve("boot");
    Files.move(boot, boot.resolveSibling("elsewhere"));
    Files.createDirectory(boot);
    String message =
        "the running system is not in the boot menu: is the boot file system mounted on /boot?";
    assertThatThrownBy(() -> machine.host().status(Host.Format.JSON, false, false))
        .isInstanceOf(Problem.class)
        .hasMessage(message);
    assertThatThrownBy(this::upgrade).isInstanceOf(Problem.class).hasMessage(message);
  }

  @Test
  void showsHostileLabelsEscaped() throws IOException {
    machine.publish(
        NAME,
        HostMachine.Image.of("2")
            .label("org.opencontainers.image.version", "2\u001b[2J\u202e\u009b \n● Booted"));
    upgrade();
    machine.reboot();
    assertThat(machine.heard()).allMatch(HostTest::isPrintable);
    for (Host.Format format : Host.Format.values()) {
      String text = machine.host().status(format, true, false);
      assertThat(text.lines()).allMatch(HostTest::isPrintable);
    }
    assertThat(status().at("/status/booted/image/version").asString())
        .isEqualTo("2\u001b[2J\u202e\u009b \n● Booted");
    try (var entries = Files.list(machine.root().resolve("boot/loader/entries"))) {
      for (Path entry : (Iterable<Path>) entries::iterator) {
        assertThat(Files.readAllLines(entry)).allMatch(HostTest::isPrintable).hasSize(5);
      }
    }
  }

  private static boolean isPrintable(String line) {
    return Printable.text(line).equals(line);
  }

  @Test
  void refusesImagesThatCannotBootHere() throws IOException {
    Map<String, String> before = state();
    HostMachine.Image image = HostMachine.Image.of("2");
    refuse(image.label("containers.bootc", null), "lacks the label containers.bootc=1");
    refuse(image.label("containers.bootc", "2"), "only 1 is known");
    refuse(
        new HostMachine.Image(
            image.files(), Map.of(), image.labels(), new Platform("linux", "s390x", null)),
        "linux/s390x");
    refuse(image.file("usr/lib/modules/6.1.0/vmlinuz", null), "no kernel");
    refuse(image.file("usr/lib/modules/7.1.0/vmlinuz", "k"), "2 kernels");
    refuse(
        image.file("usr/" + ("d".repeat(200) + "/").repeat(19) + "f".repeat(200), "x"),
        "a path that is too long to be checked out below");
    refuse(image.file("etc/version", null).file("etc/hosts", null), "the image has no /etc");
    refuse(
        image.file("usr/lib/bootc/kargs.d/1.toml", "kargs = [\"a=\\\"b\"]"),
        "/usr/lib/bootc/kargs.d/1.toml:1: kargs: the double quotes");
    assertThat(state()).isEqualTo(before);
    assertThat(Sysroot.open(machine.root()).repository().refs("ostree/container/image")).hasSize(1);
    assertThat(machine.run().resolve("ostree/staged-deployment")).doesNotExist();
    machine.judge();
  }

  private void refuse(HostMachine.Image image, String message) throws IOException {
    machine.publish(NAME, image);
    // A multi-platform check would choose; the image alone is what it is.
    assertThatThrownBy(this::upgrade)
        .isInstanceOf(Problem.class)
        .hasMessageContaining(message)
        .message()
        .doesNotContain("\n");
  }

  @Test
  void leavesTheMachineAloneWhenTheDownloadFails() throws IOException {
    Map<String, String> before = state();
    machine.publish(NAME, HostMachine.Image.of("2"));
    machine.replace(NAME, source -> new Broken(source, true));
    assertThatThrownBy(this::upgrade).isInstanceOf(Exception.class);
    machine.publish(NAME, HostMachine.Image.of("2"));
    machine.replace(NAME, source -> new Broken(source, false));
    assertThatThrownBy(this::upgrade).isInstanceOf(Exception.class);
    assertThat(state()).isEqualTo(before);
    assertThat(machine.run().resolve("reboot-required")).doesNotExist();
    machine.judge();
    machine.publish(NAME, HostMachine.Image.of("2"));
    upgrade();
    machine.reboot();
    assertThat(status().at("/status/booted/image/version").asString()).isEqualTo("2");
  }

  /** A source whose layers end early, or are not what their digest says. */
  private record Broken(ImageSource source, boolean cut) implements OtherSource {
    @Override
    public InputStream blob(Descriptor descriptor, long offset) throws IOException {
      try (InputStream in = source.blob(descriptor, offset)) {
        byte[] bytes = in.readAllBytes();
        if (!descriptor.mediaType().contains("layer")) {
          return new ByteArrayInputStream(bytes);
        }
        if (cut) {
          return new ByteArrayInputStream(bytes, 0, bytes.length / 2);
        }
        bytes[600] ^= 1;
        return new ByteArrayInputStream(bytes);
      }
    }
  }

  /** A source that gives manifests alone. */
  private record WithoutBlobs(ImageSource source) implements OtherSource {
    @Override
    public InputStream blob(Descriptor descriptor, long offset) {
      throw Problem.notFound("there is no " + descriptor.digest());
    }
  }

  /** It is asked for often, and each request is one more way over the network. */
  @Test
  void whereNothingIsNewTheManifestAloneIsFetched() throws IOException {
    machine.replace(NAME, WithoutBlobs::new);
    upgrade();
    assertThat(machine.heard()).contains("No update available.");
    assertThat(machine.host().upgrade(CHECK)).isFalse();
    assertThat(machine.heard()).contains("No changes in: docker://" + NAME);
  }

  @Test
  void refusesWhereItIsNotBooted() throws IOException {
    Files.delete(machine.run().resolve("ostree-booted"));
    assertThat(machine.host().status(Host.Format.HUMANREADABLE, false, false))
        .isEqualTo("System is not deployed via bootc.\n");
    assertThatThrownBy(this::upgrade).hasMessage("System is not deployed via bootc.");
    assertThatThrownBy(() -> machine.host().rollback(false))
        .hasMessage("System is not deployed via bootc.");
    Files.writeString(machine.run().resolve(".containerenv"), "");
    assertThatThrownBy(this::upgrade)
        .hasMessage("Detected container; this command requires a booted host system.");
  }

  @Test
  void unitsAreValid() throws IOException {
    Path units = Path.of("src/main/resources/units");
    assertThat(units.resolve("slipway-finalize-staged.service"))
        .content()
        .contains(
            "ExecStop=/usr/bin/bootc internals finalize-staged",
            "PrivateMounts=yes",
            "\nWants=slipway-finalize-staged-hold.service\nAfter=slipway-finalize-staged-hold.service\n",
            "Environment=" + PrivateMounts.MARK + "=1");
    // A file system that it holds must be that of everybody.
    assertThat(units.resolve("slipway-finalize-staged-hold.service"))
        .content()
        .contains("</boot'\n")
        .doesNotContain("PrivateMounts", "Protect", "Paths=");
    assertThat(units.resolve("bootc-fetch-apply-updates.service"))
        .content()
        .contains("\nEnvironment=SLIPWAY_UNATTENDED=1\n");
    try (var files = Files.list(units)) {
      for (Path unit : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
        Command.Result result =
            Command.of("systemd-analyze", "verify", "--man=no", unit.toString()).tryRun();
        assertThat(result.stderr() + result.text())
            .doesNotContain("Unknown")
            .doesNotContain("Failed to parse")
            .doesNotContain("Invalid");
      }
    }
  }

  /** What leads to the deployment is the last of the line: a kernel would cut it off. */
  @Test
  void kernelArgumentsThatAKernelCutsAreRefused() throws IOException {
    Map<String, String> before = state();
    String kargs = "usr/lib/bootc/kargs.d/1.toml";
    HostMachine.Image image =
        HostMachine.Image.of("2").file(kargs, "kargs = [\"a=" + "b".repeat(1800) + "\"]\n");
    machine.publish(NAME, image);
    assertThatThrownBy(this::upgrade)
        .isInstanceOfSatisfying(
            Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.INPUT))
        .hasMessageMatching(
            "the kernel arguments: they make a command line of up to [0-9]+ bytes, which the"
                + " kernel cuts behind 2047; leave some out");
    assertThat(state()).isEqualTo(before);
    assertThat(machine.environment().sysroot().staged()).isEmpty();
    machine.publish(NAME, image.file(kargs, "kargs = [\"a=" + "b".repeat(1700) + "\"]\n"));
    upgrade();
    assertThat(machine.stagedArguments()).contains("a=bbb");
  }

  @Test
  void aNameOfAnImageIsALineOfTheMenu() throws IOException {
    machine.publish(
        NAME,
        HostMachine.Image.of("2".repeat(100_000))
            .file("usr/lib/os-release", "PRETTY_NAME=\"" + "Name".repeat(100_000) + "\"\n"));
    upgrade();
    machine.reboot();
    String entry = Files.readString(machine.root().resolve("boot/loader/entries/ostree-2.conf"));
    assertThat(entry).containsPattern("(?m)^title (Name){50}[.]{3} [(]ostree:0[)]$");
  }
}
