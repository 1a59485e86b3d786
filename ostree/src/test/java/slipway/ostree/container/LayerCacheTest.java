package slipway.ostree.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import slipway.archive.compress.Compression;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.linux.lock.Flock;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Xattrs;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.ostree.TestImage;
import slipway.ostree.repo.Repository;
import slipway.tree.TreeBuilder;

class LayerCacheTest extends ImportCase {
  private Path folder;
  private LayerCache cache;
  private int repositories;

  @BeforeEach
  void makeCache() {
    folder = dir.resolve("layers");
    cache = new LayerCache(folder);
  }

  @AfterEach
  void resetLimit() {
    Limit.set("layer-cache-bytes=" + Limit.LAYER_CACHE_BYTES.preset(), "a test");
  }

  /** Imports into a repository of its own. */
  private Imported fresh(TestImage image) throws IOException {
    path = dir.resolve("fresh" + repositories++);
    repository = Repository.create(path, Repository.Mode.BARE);
    return ContainerImport.run(
        repository, image, image.manifest(), image.config(), NAME, cache, progress);
  }

  private static Set<Digest> blobs(TestImage image) {
    return new HashSet<>(image.layers().stream().map(Descriptor::digest).toList());
  }

  private List<Path> objects() throws IOException {
    try (Stream<Path> all = Files.walk(folder.resolve("repo/objects"))) {
      return all.filter(f -> f.toString().endsWith(".file")).sorted().toList();
    }
  }

  @Test
  void aLayerThatCameOnceIsNotReadAgain() throws IOException {
    TestImage image = image();
    Imported plain = run(image);
    assertThat(fresh(image).mergeCommit()).isEqualTo(plain.mergeCommit());
    assertClean();
    image.takeServed();
    Imported again = fresh(image);
    assertThat(again.mergeCommit()).isEqualTo(plain.mergeCommit());
    assertThat(again.bytes()).isZero();
    assertThat(image.takeServed()).doesNotContainAnyElementsOf(blobs(image));
    assertClean();
    assertThat(cache.usage().layers().count()).isEqualTo(2);

    TestImage more = withPolicy(image());
    fresh(more);
    assertThat(more.takeServed()).contains(more.layers().getLast().digest());
    assertThat(more.takeServed()).doesNotContainAnyElementsOf(blobs(image));
    assertClean();
  }

  @Test
  void theSameContentPackedInAnotherWayIsKnown() throws IOException {
    fresh(new TestImage().layer(base(), Compression.GZIP));
    TestImage other = new TestImage().layer(base(), Compression.ZSTD);
    fresh(other);
    assertThat(other.takeServed()).doesNotContainAnyElementsOf(blobs(other));
    assertClean();
  }

  @Test
  void damagedContentComesFromTheImage() throws IOException {
    TestImage image = image();
    Imported plain = fresh(image);
    for (Path object : objects()) {
      byte[] bytes = Files.readAllBytes(object);
      if (bytes.length == 3_000_000) {
        bytes[1_234_567] ^= 1;
        Files.setPosixFilePermissions(object, PosixFilePermissions.fromString("rw-r--r--"));
        Files.write(object, bytes);
      }
    }
    requireHealed(image, plain);
  }

  @Test
  void aDamagedOwnerComesFromTheImage() throws IOException {
    TestImage image = image();
    Imported plain = fresh(image);
    OsPath meta = OsPath.of("user.ostreemeta");
    for (Path object : objects()) {
      OsPath file = OsPath.of(object);
      byte[] value = java.util.Objects.requireNonNull(Xattrs.lgetxattr(file, meta));
      if (value[3] == 7) { // The user's number, most significant byte first.
        value[3] = 0;
        Xattrs.lsetxattr(file, meta, value);
      }
    }
    requireHealed(image, plain);
  }

  @Test
  void whatAPowerCutLeftEmptyComesFromTheImage() throws IOException {
    TestImage image = image();
    Imported plain = fresh(image);
    try (Stream<Path> all = Files.walk(folder.resolve("repo/objects"))) {
      for (Path file : (Iterable<Path>) all.filter(Files::isRegularFile)::iterator) {
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
        Files.write(file, new byte[0]);
      }
    }
    requireHealed(image, plain);
  }

  private void requireHealed(TestImage image, Imported plain) throws IOException {
    notes.clear();
    assertThat(fresh(image).mergeCommit()).isEqualTo(plain.mergeCommit());
    assertClean();
    assertThat(repository.fsck(progress).errors()).isEmpty();
    assertThat(notes).anySatisfy(n -> assertThat(n).contains("are damaged; they are removed"));
    assertThat(folder.resolve("repo")).doesNotExist();
    assertThat(repository.prune(Set.of()).bytes()).isLessThan(5000);
    fresh(image);
    image.takeServed();
    fresh(image);
    assertThat(image.takeServed()).doesNotContainAnyElementsOf(blobs(image));
  }

  @Test
  void aPlaceThatCannotBeUsedIsNoReasonToFail() throws IOException {
    Files.writeString(folder, "a file");
    fresh(image());
    assertClean();
    assertThat(notes).anySatisfy(n -> assertThat(n).contains("layers are not kept in " + folder));
  }

  @Test
  void aSourceThatLiesIsFoundOutAndNotKept() throws IOException {
    TestImage image = image();
    TestImage other = new TestImage().layer(base(), Compression.ZSTD);
    Descriptor first = image.layers().getFirst();
    byte[] lie = new byte[Math.toIntExact(first.size())];
    image.forge(first.digest(), lie);
    assertThatThrownBy(() -> fresh(image)).isInstanceOf(Problem.class);
    fresh(other);
    assertThat(cache.usage().layers().count()).isEqualTo(1);
  }

  @Test
  void oldLayersOfNoImageGoAndTheLongestUnusedOnesOfTooMany() throws IOException {
    TestImage image = image();
    fresh(image);
    cache.trim(Set.of(), progress);
    assertThat(cache.usage().layers().count()).isEqualTo(2);
    age(image.layers().getFirst());
    age(image.layers().getLast());
    cache.trim(Set.of(image.layers().getFirst().digest()), progress);
    assertThat(cache.usage().layers().count()).isEqualTo(1);
    fresh(image);
    age(image.layers().getFirst());
    Limit.set("layer-cache-bytes=1000000", "a test");
    cache.trim(blobs(image), progress);
    assertThat(cache.usage().layers().count()).isEqualTo(1);
    image.takeServed();
    Limit.set("layer-cache-bytes=1GiB", "a test");
    fresh(image);
    assertThat(image.takeServed()).doesNotContain(image.layers().getLast().digest());
    assertClean();
  }

  private void age(Descriptor layer) throws IOException {
    Path ref = folder.resolve("repo/refs/heads").resolve(ContainerRefs.layer(layer.digest()));
    Files.setLastModifiedTime(ref, FileTime.from(Instant.now().minusSeconds(8 * 86_400)));
  }

  @Test
  void useIsNoted() throws IOException {
    TestImage image = image();
    fresh(image);
    image
        .layers()
        .forEach(
            layer -> {
              try {
                age(layer);
              } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
              }
            });
    fresh(image);
    cache.trim(Set.of(), progress);
    assertThat(cache.usage().layers().count()).isEqualTo(2);
  }

  @Test
  void nothingGoesUnderAnImport() throws IOException {
    fresh(image());
    try (Flock busy = Flock.tryFile(folder.resolve("lock"), false)) {
      assertThat(busy).isNotNull();
      assertThat(cache.prune(null, progress).busy()).isTrue();
      assertThat(cache.usage().busy()).isTrue();
    }
    assertThat(cache.prune(Instant.now().minusSeconds(60), progress).count()).isZero();
    assertThat(cache.prune(null, progress).count()).isEqualTo(2);
    assertThat(Posix.list(OsPath.of(folder))).containsExactly(OsPath.of("lock"));
  }

  @Test
  void devicesAndEmptyFilesStayWhatTheyAre() throws IOException {
    TreeBuilder b = new TreeBuilder();
    b.file("usr/empty", timed(slipway.archive.tar.Metadata.file(0644)), slipway.tree.Content.EMPTY);
    b.link("usr/empty", "usr/also");
    TestImage image = new TestImage().layer(b.layer(), Compression.GZIP);
    Imported plain = run(image);
    fresh(image);
    assertThat(fresh(image).mergeCommit()).isEqualTo(plain.mergeCommit());
    assertClean();
  }
}
