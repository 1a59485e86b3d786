package slipway.ostree.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import slipway.archive.compress.Compression;
import slipway.archive.tar.Metadata;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Stat;
import slipway.linux.process.Command;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.MediaTypes;
import slipway.ostree.TestImage;
import slipway.ostree.Trees;
import slipway.ostree.object.Checksum;
import slipway.tree.Layer;
import slipway.tree.Node;
import slipway.tree.TreeBuilder;

/** Imports that break off or are refused. */
class FailedImportTest extends ImportCase {
  @Test
  void whatWasCompleteIsKeptWhenTheRestFails() throws IOException {
    Checksum old =
        run(new TestImage().layer(new TreeBuilder().layer(), Compression.GZIP)).mergeCommit();
    TestImage image = image();
    image.breakOff(image.layers().getLast().digest());
    assertThatThrownBy(() -> run(image)).isInstanceOf(IOException.class);
    assertClean();
    assertThat(repository.resolveRef(ContainerRefs.image(NAME))).contains(old);
    image.breakOff(Digest.sha256(new byte[0]));
    image.takeServed();
    assertThat(run(image).layersPresent()).isOne();
    assertThat(image.takeServed()).doesNotContain(image.layers().getFirst().digest());
    assertClean();
  }

  /** There are more layers than are fetched at a time: some have not begun when one fails. */
  @Test
  @Timeout(120)
  void aLargeFileThatBreaksOffCostsOnlyWhatIsNotComplete() throws Exception {
    TestImage image = new TestImage();
    TreeBuilder large = new TreeBuilder().file("usr/large", 0644, Trees.bytes(1, 3_000_000));
    image.layer(large.layer(), Compression.NONE);
    for (int i = 1; i < 12; i++) {
      byte[] content = Trees.bytes(i, 600_000 - 10_000 * i);
      image.layer(new TreeBuilder().file("usr/file" + i, 0644, content).layer(), Compression.NONE);
    }
    List<Digest> layers = image.layers().stream().map(Descriptor::digest).toList();
    List<Digest> complete = layers.subList(1, 4);
    image.stall(Set.copyOf(layers.subList(4, 12)));
    CountDownLatch breaking = new CountDownLatch(1);
    image.breakOff(layers.getFirst(), breaking);
    Thread watch = Thread.ofVirtual().start(() -> awaitCommits(complete.size(), breaking));
    assertThatThrownBy(() -> run(image))
        .isInstanceOf(IOException.class)
        .hasMessage("the connection broke");
    watch.join();
    assertClean();
    for (Digest layer : layers) {
      assertThat(repository.resolveRef(ContainerRefs.layer(layer)).isPresent())
          .isEqualTo(complete.contains(layer));
    }
    image.stall(Set.of());
    image.breakOff(Digest.sha256(new byte[0]));
    image.takeServed();
    assertThat(run(image).layersPresent()).isEqualTo(complete.size());
    assertThat(image.takeServed())
        .doesNotContainAnyElementsOf(complete)
        .containsAll(layers.subList(4, 12));
    assertClean();
  }

  /** Opens the latch when so many commits wait to be published. */
  private void awaitCommits(int count, CountDownLatch latch) {
    long commits = 0;
    while (commits < count) {
      try (Stream<Path> files = Files.walk(path.resolve("tmp"))) {
        commits = files.filter(f -> f.toString().endsWith(".commit")).count();
      } catch (IOException | UncheckedIOException e) {
        Thread.onSpinWait(); // A file went away meanwhile.
      }
    }
    latch.countDown();
  }

  /** And not by what the decompressor or the reader of the tar stumbled over. */
  @Test
  void whatWasDamagedOnItsWayIsToldByItsDigest() throws IOException {
    Layer layer = new TreeBuilder().file("usr/f", 0644, Trees.bytes(9, 500_000)).layer();
    for (Compression packed : List.of(Compression.NONE, Compression.GZIP, Compression.ZSTD)) {
      for (int at : new int[] {100, 250_000}) {
        TestImage image = new TestImage().layer(layer, packed);
        Descriptor blob = image.layers().getFirst();
        byte[] bytes;
        try (InputStream in = image.blob(blob, 0)) {
          bytes = in.readAllBytes();
        }
        bytes[at] ^= 1;
        image.forge(blob.digest(), bytes);
        assertThatThrownBy(() -> run(image))
            .isInstanceOf(Problem.class)
            .hasMessageMatching(
                "blob " + blob.digest() + " has the digest sha256:.*; it was damaged or forged");
      }
    }
    assertClean();
  }

  @Test
  @Tag("slow")
  void hostileImagesLeaveTheRepositoryAsItWas() throws IOException {
    Imported good = run(image());
    Layer plain = new TreeBuilder().file("usr/f", 0644, Trees.bytes(9, 500_000)).layer();
    byte[] tar = TestImage.tar(plain);

    TestImage forged = new TestImage().layer(plain, Compression.NONE);
    byte[] other = tar.clone();
    other[300_000] ^= 1;
    forged.forge(forged.layers().getFirst().digest(), other);
    refused(forged, good, "damaged or forged");
    forged.forge(forged.layers().getFirst().digest(), Arrays.copyOf(tar, tar.length + 512));
    refused(forged, good, "longer");

    TestImage cut = new TestImage().layer(plain, Compression.NONE);
    cut.forge(cut.layers().getFirst().digest(), Arrays.copyOf(tar, tar.length - 1024));
    refused(cut, good, "ended after");

    refused(
        new TestImage().blob(tar, MediaTypes.OCI_LAYER, Digest.sha256(new byte[1])),
        good,
        "uncompressed digest");
    refused(
        new TestImage().tarLayer(Arrays.copyOf(tar, tar.length / 2), Compression.GZIP), good, "");
    refused(new TestImage().tarLayer(Trees.bytes(4, 10_240), Compression.GZIP), good, "");
    refused(
        new TestImage()
            .layer(
                new TreeBuilder()
                    .put(
                        "usr/fifo",
                        new Node.Special(
                            new Metadata(Stat.S_IFIFO | 0644, 0, 0, 0, 0, List.of()), 0))
                    .layer(),
                Compression.GZIP),
        good,
        "usr/fifo");
    refused(
        new TestImage()
            .layer(
                new TreeBuilder().file("tmp/x", 0644, new byte[1]).link("tmp/x", "usr/y").layer(),
                Compression.GZIP),
        good,
        "usr/y");
    refused(
        new TestImage()
            .layer(
                new TreeBuilder()
                    .put(
                        OsPath.ofBytes(new byte[] {'u', (byte) 0xff}),
                        Trees.file(Metadata.file(0644), ""))
                    .layer(),
                Compression.GZIP),
        good,
        "UTF-8");
    refused(
        new TestImage()
            .layer(
                new TreeBuilder()
                    .symlink("usr", "elsewhere")
                    .file("etc/x", 0644, new byte[1])
                    .layer(),
                Compression.GZIP),
        good,
        "usr is not a directory");
    refused(
        new TestImage()
            .layer(
                new TreeBuilder()
                    .put("usr/l", new Node.LinkBelow(OsPath.of("no/such"), Metadata.file(0644)))
                    .layer(),
                Compression.GZIP),
        good,
        "no/such");
    TestImage files = new TestImage().layer(base(), Compression.GZIP);
    files.label("ostree.final-diffid", files.config().diffIds().getFirst().toString());
    refused(files, good, "the image has no commit");
    refused(escaping("../../escape"), good, "");
    refused(escaping("usr/../../escape"), good, "");
    assertThat(dir.resolve("escape")).doesNotExist();
  }

  private TestImage escaping(String name) throws IOException {
    Path file = Files.writeString(dir.resolve("member"), "x");
    Path tar = dir.resolve("escape.tar");
    Command.of(
            "tar", "-cf", tar.toString(), "-P", "--transform=s,.*," + name + ",", file.toString())
        .run();
    return new TestImage().tarLayer(Files.readAllBytes(tar), Compression.GZIP);
  }

  private void refused(TestImage image, Imported good, String... messages) throws IOException {
    assertThatThrownBy(() -> run(image))
        .isInstanceOf(Problem.class)
        .satisfies(
            e ->
                assertThat(messages)
                    .as(e.getMessage())
                    .anyMatch(m -> String.valueOf(e.getMessage()).contains(m)));
    assertThat(repository.resolveRef(ContainerRefs.image(NAME))).contains(good.mergeCommit());
    assertClean();
  }

  @Test
  void theManifestAndTheConfigMustAgree() throws IOException {
    TestImage image = image();
    TestImage other = new TestImage().layer(base(), Compression.GZIP);
    assertThatThrownBy(
            () ->
                ContainerImport.run(
                    repository, image, image.manifest(), other.config(), NAME, progress))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("2 layers in its manifest and 1 in its config");
  }

  @Test
  void spaceIsLookedAtFirst() throws IOException {
    repository.writeConfig(repository.config().with("core", "min-free-space-size", "900000TB"));
    TestImage image = image();
    assertThatThrownBy(() -> run(image))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("free some space");
    assertThat(image.takeServed()).containsExactly(image.manifest().config().digest());
  }
}
