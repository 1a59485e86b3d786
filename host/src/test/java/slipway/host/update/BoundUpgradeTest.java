package slipway.host.update;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import slipway.archive.compress.Compression;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.host.system.BoundStore;
import slipway.host.system.HostMachine;
import slipway.host.system.Meanwhile;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.process.Command;
import slipway.oci.copy.Transfer;
import slipway.oci.layout.OciLayout;
import slipway.sysroot.Sysroot;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Application images come before the version that needs them boots, and go with the last of it. */
class BoundUpgradeTest {
  private static final String NAME = HostMachine.NAME;
  private static final String APP = "registry.example/app:1";
  private static final String DB = "registry.example/db:1";

  private HostMachine machine;

  /** Podman takes 50 characters. */
  private Path runroot;

  @BeforeEach
  void start() throws IOException {
    machine = new HostMachine();
    runroot = Files.createTempDirectory(Path.of("/dev/shm"), "run");
    machine.publish(NAME, HostMachine.Image.of("1"));
    machine.install();
    machine.publish(APP, HostMachine.Image.of("app"), Compression.GZIP);
    machine.publish(DB, HostMachine.Image.of("db"), Compression.ZSTD);
  }

  @AfterEach
  void stop() throws IOException {
    Command.of("umount", store().resolve("overlay").toString()).tryRun();
    machine.close();
    Posix.removeTree(OsPath.of(runroot));
  }

  private Path store() {
    return machine.root().resolve(BoundStore.FOLDER);
  }

  /** An image that binds others, one by a file of /usr and one by a file of /etc. */
  private static HostMachine.Image os(String version, String... images) {
    HostMachine.Image os = HostMachine.Image.of(version);
    for (int i = 0; i < images.length; i++) {
      String folder = i % 2 == 0 ? "usr/share/containers/systemd/" : "etc/containers/systemd/";
      String file = "x" + i + (i % 2 == 0 ? ".container" : ".image");
      String group = i % 2 == 0 ? "[Container]" : "[Image]";
      os =
          os.file(folder + file, group + "\nImage=" + images[i] + "\n")
              .link("usr/lib/bootc/bound-images.d/" + file, "/" + folder + file);
    }
    return os;
  }

  private void upgrade() throws IOException {
    machine.host().upgrade(Host.UpgradeOptions.NONE);
  }

  /** What podman finds in the store. */
  private List<String> stored() {
    return Command.of("podman", "--root", store().toString())
        .with("--runroot", runroot.toString())
        .with("--storage-driver", "overlay", "--events-backend", "none")
        .with("images", "--format", "{{.Repository}}:{{.Tag}}")
        .run()
        .text()
        .lines()
        .sorted()
        .toList();
  }

  @Test
  void theyComeBeforeTheVersionAndGoWithTheLastThatBindsThem() throws Exception {
    machine.publish(NAME, os("2", APP, DB));
    upgrade();
    assertThat(machine.heard()).contains("Bound images stored: 2");
    assertThat(stored()).containsExactly(APP, DB);
    JsonNode document =
        JsonMapper.shared().readTree(machine.host().status(Host.Format.JSON, false, false));
    assertThat(document.at("/metadata/annotations/slipway.bound-images.staged").asString())
        .isEqualTo(APP + " " + DB);
    machine.reboot();
    assertThat(machine.host().status(Host.Format.HUMANREADABLE, true, true))
        .contains("Bound images: " + APP + " " + DB + "\n");
    // What is there does not come again, though nobody has it any more.
    machine.unpublish(APP);
    machine.publish(NAME, os("3", APP));
    upgrade();
    assertThat(stored()).as("of what runs").containsExactly(APP, DB);
    machine.reboot();
    assertThat(stored()).as("of the rollback").containsExactly(APP, DB);
    for (String version : List.of("4", "5", "6")) {
      machine.publish(NAME, HostMachine.Image.of(version));
      upgrade();
      machine.reboot();
    }
    assertThat(stored()).isEmpty();
    assertThat(machine.noted).contains("Removed bound image: " + APP);
    try (Stream<Path> layers = Files.list(store().resolve("overlay"))) {
      assertThat(layers.map(p -> p.getFileName().toString()))
          .noneMatch(name -> name.length() == 64);
    }
  }

  /** Nobody mends the files of a version that is only kept. */
  @Test
  void aFileAtFaultOfAnOldVersionKeepsWhatIsNamedAndNoMore() throws Exception {
    machine.publish(NAME, os("2", APP, DB));
    upgrade();
    machine.reboot();
    Path old = deployment(0);
    machine.publish(NAME, os("3"));
    upgrade();
    machine.reboot();
    Path file = old.resolve("etc/containers/systemd/x1.image");
    Files.writeString(file, "[Image]\nAuthFile=/x\nImage=" + DB + "\n");
    machine.publish(NAME, os("4"));
    upgrade();
    assertThat(stored()).as("refused, but named").containsExactly(APP, DB);
    Files.delete(file);
    machine.publish(NAME, os("5"));
    upgrade();
    assertThat(stored()).as("of the other file").containsExactly(APP);
    assertThat(machine.noted)
        .contains(
            "warning: which image is bound to the deployment "
                + old.getFileName()
                + " is not known, so only those stay that are:"
                + " /usr/lib/bootc/bound-images.d/x1.image leads to no file");
  }

  @Test
  void aFileAtFaultOfWhatRunsKeepsAll() throws Exception {
    machine.publish(NAME, os("2", APP, DB));
    upgrade();
    machine.reboot();
    Path file = deployment(0).resolve("etc/containers/systemd/x1.image");
    Files.writeString(file, "[Image]\nImage=Not A Name\n");
    for (String version : List.of("3", "4")) {
      machine.publish(NAME, os(version));
      upgrade();
    }
    assertThat(stored()).containsExactly(APP, DB);
    assertThat(machine.noted)
        .anyMatch(note -> note.contains(" is not known, so no bound image is removed: "));
  }

  private Path deployment(int index) throws IOException {
    Sysroot sysroot = machine.environment().sysroot();
    return sysroot.path(sysroot.deployments().get(index));
  }

  @Test
  void oneThatCannotBeHadKeepsTheVersionOut() throws Exception {
    machine.unpublish(DB);
    machine.publish(NAME, os("2", APP, DB));
    assertThatThrownBy(this::upgrade)
        .isInstanceOf(Problem.class)
        .hasMessage("the bound image " + DB + ": no image " + DB);
    Sysroot sysroot = machine.environment().sysroot();
    assertThat(sysroot.staged()).isEmpty();
    assertThat(sysroot.deployments()).hasSize(1);
    assertThat(stored()).as("what came in vain").isEmpty();
    machine.judge();
    machine.publish(DB, HostMachine.Image.of("db"));
    upgrade();
    assertThat(stored()).containsExactly(APP, DB);
  }

  /** As on a stick for a machine without a network. */
  @Test
  void oneThatLiesBesideTheVersionComesFromThere() throws Exception {
    machine.publish(NAME, os("2", APP, DB));
    Path stick = machine.root().resolveSibling("stick");
    Map.of(NAME, "os", APP, APP, DB, "db")
        .forEach(
            (image, name) -> {
              try (OciLayout layout = OciLayout.create(stick, name)) {
                Transfer.copy(
                    machine.source(image),
                    null,
                    layout,
                    null,
                    Transfer.Options.all(),
                    Progress.NONE);
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
    machine.replace(NAME, registry -> OciLayout.open(stick, "os"));
    machine.unpublish(APP);
    upgrade();
    assertThat(stored()).as("one from the stick, one from its registry").containsExactly(APP, DB);
    machine.reboot();
    assertThat(machine.environment().sysroot().booted()).isPresent();
    machine.judge();
  }

  /** Whoever wrote the stick says which image has the name, but not what its digest is. */
  @Test
  void theDigestOfANameHoldsOnAStickToo() throws Exception {
    String app = "registry.example/app@" + machine.source(APP).manifest(null).digest();
    machine.publish(NAME, os("2", app));
    Path stick = machine.root().resolveSibling("stick");
    for (Map.Entry<String, String> each : Map.of(NAME, "os", DB, "PLACEHOLDER").entrySet()) {
      copy(each.getKey(), stick, each.getValue());
    }
    Path index = stick.resolve("index.json");
    Files.writeString(index, Files.readString(index).replace("PLACEHOLDER", app));
    machine.replace(NAME, registry -> OciLayout.open(stick, "os"));
    assertThatThrownBy(this::upgrade).hasMessage("the bound image " + app + ": no image " + app);
    assertThat(stored()).isEmpty();
    Files.writeString(index, Files.readString(index).replace(app, "another"));
    copy(APP, stick, app);
    upgrade();
    assertThat(stored()).hasSize(1);
  }

  /** A copy for other machines, or of a part, keeps nobody from the registry. */
  @Test
  void whatIsOfNoUseOnAStickComesFromItsRegistry() throws Exception {
    machine.publish(NAME, os("2", APP));
    Path stick = machine.root().resolveSibling("stick");
    copy(NAME, stick, "os");
    copy(APP, stick, APP);
    String app = machine.source(APP).manifest(null).digest().hex();
    Files.delete(stick.resolve("blobs/sha256").resolve(app));
    machine.replace(NAME, registry -> OciLayout.open(stick, "os"));
    upgrade();
    assertThat(stored()).containsExactly(APP);
    assertThat(machine.noted)
        .anyMatch(note -> note.startsWith("the bound image " + APP + " is looked for elsewhere: "));
  }

  private void copy(String image, Path stick, String name) throws IOException {
    try (OciLayout layout = OciLayout.create(stick, name)) {
      Transfer.copy(
          machine.source(image), null, layout, null, Transfer.Options.all(), Progress.NONE);
    }
  }

  @Test
  void anUpgradeWithNothingNewBringsWhatIsMissing() throws Exception {
    machine.publish(NAME, os("2", APP));
    upgrade();
    machine.reboot();
    Command.of("podman", "--root", store().toString())
        .with("--runroot", runroot.toString())
        .with("--storage-driver", "overlay", "--events-backend", "none", "rmi", APP)
        .run();
    assertThat(stored()).isEmpty();
    upgrade();
    assertThat(machine.heard()).contains("No update available.");
    assertThat(stored()).containsExactly(APP);
  }

  @Test
  void aFileThatNamesNoImageIsToldBeforeAnythingIsStaged() throws Exception {
    machine.publish(
        NAME, os("2").file("usr/lib/bootc/bound-images.d/x.image", "[Image]\nImage=r/a\n"));
    assertThatThrownBy(this::upgrade)
        .hasMessageEndingWith("x.image is no symbolic link to an image or container file");
    machine.publish(NAME, os("3", "web.image"));
    assertThatThrownBy(this::upgrade)
        .hasMessageContaining("names the unit web.image in place of an image");
    machine.publish(NAME, os("4").file("usr/lib/bootc/bound-images.d", "r/a\n"));
    assertThatThrownBy(this::upgrade)
        .hasMessageContaining("/usr/lib/bootc/bound-images.d is no folder");
    assertThat(machine.environment().sysroot().staged()).isEmpty();
  }

  /** Another command that takes away what it fetched in vain knows nothing of what comes here. */
  @Test
  void whatComesIsNotTakenAwayByAnotherCommand() throws Exception {
    machine.publish(NAME, os("2", APP, DB));
    String bad = "registry.example/bad:1";
    machine.publish(bad, HostMachine.Image.of("bad").file("usr/lib/modules/6.1.0/vmlinuz", null));
    machine.replace(
        DB,
        source ->
            new Meanwhile(
                source,
                () ->
                    assertThatThrownBy(() -> machine.host().switchTo(Host.SwitchOptions.to(bad)))
                        .hasMessageStartingWith("the image has no kernel")));
    upgrade();
    assertThat(stored()).containsExactly(APP, DB);
    machine.reboot();
    machine.judge();
    // What the other one brought in vain is gone all the same.
    assertThat(machine.environment().sysroot().repository().refs("ostree/container").keySet())
        .noneMatch(ref -> ref.contains("bad"));
  }
}
