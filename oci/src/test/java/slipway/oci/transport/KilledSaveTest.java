package slipway.oci.transport;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.archive.tar.TarPacker;
import slipway.base.AtomicFile;
import slipway.base.ChildJvm;
import slipway.base.Progress;
import slipway.linux.posix.Ioctls;
import slipway.linux.posix.OsPath;
import slipway.linux.process.Command;
import slipway.oci.Images;
import slipway.oci.Seeds;
import slipway.oci.copy.ImageSink;
import slipway.oci.copy.Transfer;
import slipway.oci.layout.OciLayout;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Manifest;
import slipway.oci.model.Platform;
import slipway.oci.store.LocalStore;

/** What a killed process has left of an image goes with the next one that is written there. */
class KilledSaveTest {
  @TempDir Path dir;

  private static List<Path> list(Path folder) throws Exception {
    try (Stream<Path> all = Files.list(folder)) {
      return all.sorted().toList();
    }
  }

  /** A process that collects layers beside an archive and is killed. */
  static final class KilledSave {
    public static void main(String[] args) throws Exception {
      Path target = Path.of(args[0]);
      try (LocalStore store = LocalStore.open(Path.of(args[1]));
          ImageSink sink = DockerArchive.sink(target, null)) {
        Manifest.Image image = store.image("localhost/x:1", Platform.parse("linux/amd64"));
        for (Descriptor layer : image.layers()) {
          sink.putBlob(layer, at -> store.openBlob(layer));
        }
        System.out.println("now");
        Thread.sleep(60_000);
      }
    }
  }

  @Test
  void aKilledSaveLeavesNothingBesideTheNextOne() throws Exception {
    Path store = dir.resolve("store");
    Path out = Files.createDirectory(dir.resolve("out"));
    try (LocalStore images = LocalStore.open(store)) {
      Platform amd64 = Platform.parse("linux/amd64");
      Manifest image = Images.random(images, Seeds.random("KilledSaveTest"), amd64, 2);
      images.putManifest(image, LocalStore.localName("x:1"));
    }
    Path target = out.resolve("image.tar");
    Process process =
        Command.of(ChildJvm.line(KilledSave.class, target.toString(), store.toString())).start();
    try (var lines = process.inputReader()) {
      assertThat(lines.readLine()).isEqualTo("now");
      process.destroyForcibly();
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    } finally {
      Command.kill(process);
    }
    assertThat(list(out)).hasSize(2); // The tar, and what is collected for it.
    try (LocalStore images = LocalStore.open(store);
        ImageSink sink = DockerArchive.sink(target, null)) {
      Transfer.copy(
          images.source(), "localhost/x:1", sink, "", Transfer.Options.all(), Progress.NONE);
    }
    assertThat(list(out)).containsExactly(target);
  }

  @Test
  void whatAKilledOneLeftOfALayoutsVersionGoes() throws Exception {
    Path layout = Files.createDirectory(dir.resolve("layout"));
    Path left = Files.createFile(AtomicFile.temporaryOf(layout.resolve("oci-layout")));
    Path others = Files.createFile(AtomicFile.temporaryOf(layout.resolve("other")));
    OciLayout.create(layout, null).close();
    assertThat(left).doesNotExist();
    assertThat(others).exists();
    assertThat(layout.resolve("oci-layout")).isNotEmptyFile();
  }

  /** Be it an archive of either kind; once. */
  @Test
  void whatCannotBeRemovedIsTold() throws Exception {
    Path left = Files.createDirectory(dir.resolve(TarPacker.UNFINISHED + "1"));
    Files.createFile(left.resolve("file"));
    Ioctls.setImmutable(OsPath.of(left), true);
    try (ImageSink oci = OciArchive.sink(dir.resolve("a.tar"), null);
        ImageSink docker = DockerArchive.sink(dir.resolve("b.tar"), null)) {
      for (ImageSink sink : List.of(oci, docker)) {
        assertThat(sink.notes())
            .singleElement()
            .asString()
            .startsWith("what a killed process left in " + left + " stays: ");
      }
    } finally {
      Ioctls.setImmutable(OsPath.of(left), false);
    }
  }
}
