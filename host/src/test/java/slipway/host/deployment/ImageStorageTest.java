package slipway.host.deployment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.host.system.BoundStore;
import slipway.host.system.HostMachine;
import slipway.linux.process.Command;
import slipway.oci.layout.OciLayout;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;

/** Images go from the repository to podman's store and back to a store of our own. */
class ImageStorageTest {
  @TempDir Path dir;
  private HostMachine machine;

  @BeforeEach
  void start() throws IOException {
    machine = new HostMachine();
    machine.publish(
        HostMachine.NAME,
        HostMachine.Image.of("1").file("etc/app/conf", "a\n").link("usr/lib/link", "os-release"));
    machine.install();
  }

  @AfterEach
  void stop() throws IOException {
    Command.of("umount", dir.resolve("graph/overlay").toString()).tryRun();
    Command.of("umount", store().resolve("overlay").toString()).tryRun();
    machine.close();
  }

  private Path store() {
    return machine.root().resolve(BoundStore.FOLDER);
  }

  private ImageStorage storage() {
    return new ImageStorage(machine.environment());
  }

  private String podman(Path graph, String... words) {
    return Command.of("podman", "--root", graph.toString())
        .with("--runroot", dir.resolve("run").toString(), "--storage-driver", "overlay")
        .with("--events-backend", "none")
        .with(words)
        .run()
        .text();
  }

  @Test
  void theBootedImageIsPodmansAfterwards() throws Exception {
    Path graph = dir.resolve("graph");
    String store = "containers-storage:[overlay@" + graph + "]";
    storage().copyToStorage(null, store + "localhost/bootc");
    assertThat(machine.heard())
        .contains(
            "Copying local image docker://"
                + HostMachine.NAME
                + " to "
                + store
                + "localhost/bootc ...");
    assertThat(podman(graph, "images", "--format", "{{.Repository}}:{{.Tag}}"))
        .isEqualTo("localhost/bootc:latest\n");
    String mounted = podman(graph, "image", "mount", "localhost/bootc").strip();
    try {
      Path root = Path.of(mounted);
      assertThat(Files.readString(root.resolve("etc/app/conf"))).isEqualTo("a\n");
      assertThat(Files.readString(root.resolve("usr/share/base"))).isEqualTo("the same in all");
      assertThat(root.resolve("usr/etc")).doesNotExist();
      assertThat(Files.readSymbolicLink(root.resolve("usr/lib/link")))
          .isEqualTo(Path.of("os-release"));
      assertThat(Files.readSymbolicLink(root.resolve("ostree")))
          .isEqualTo(Path.of("sysroot/ostree"));
    } finally {
      podman(graph, "image", "umount", "localhost/bootc");
    }
    // And back into the store of bound images, whole.
    machine.publish("localhost/bootc", HostMachine.Image.of("app"));
    String id = storage().pullFromDefaultStorage("localhost/bootc");
    assertThat(podman(store(), "images", "--no-trunc", "--format", "{{.ID}}"))
        .isEqualTo("sha256:" + id + "\n");
  }

  @Test
  void anotherPlaceTakesItToo() throws Exception {
    Path layout = dir.resolve("layout");
    storage().copyToStorage(HostMachine.NAME, "oci:" + layout + ":x");
    try (OciLayout there = OciLayout.open(layout, "x")) {
      Manifest.Image image = (Manifest.Image) there.manifest(null);
      ImageConfig config = ImageConfig.parse(there.blob(image.config(), 0).readAllBytes());
      assertThat(config.labels()).containsEntry("containers.bootc", "1");
      assertThat(config.diffIds()).isEqualTo(image.layers().stream().map(l -> l.digest()).toList());
    }
    String named = "[overlay@" + dir.resolve("graph") + "]localhost/named";
    storage().copyToStorage(null, named);
    assertThat(machine.heard())
        .anyMatch(l -> l.endsWith(" to containers-storage:" + named + " ..."));
    assertThatThrownBy(() -> storage().copyToStorage("registry.example/no:1", "oci:" + layout))
        .hasMessage(
            "the repository has no image docker://registry.example/no:1; bootc image list shows"
                + " those that it has");
  }
}
