package slipway.ostree.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.LongConsumer;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.archive.compress.Compression;
import slipway.archive.tar.Metadata;
import slipway.base.AtomicFile;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.oci.ChunkedBlob;
import slipway.oci.copy.Span;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.ostree.TestImage;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.ObjectType;
import slipway.ostree.repo.ObjectContent;
import slipway.ostree.repo.Repository;
import slipway.tree.Content;
import slipway.tree.FileTree;
import slipway.tree.Node;
import slipway.tree.TreeBuilder;

/** Layers of which only what the repository lacks is fetched. */
class PartialImportTest extends ImportCase {
  private static final int FILES = 60;
  private static final int SIZE = 60_000;

  /** Version n: of 60 files 3 are others than in the one before, and one has another owner. */
  private static byte[] version(int n) throws IOException {
    TreeBuilder b = new TreeBuilder();
    for (int i = 0; i < FILES; i++) {
      int changed = i % 20 == 0 ? n : 0;
      byte[] bytes = bytes(i, changed);
      Metadata metadata = Metadata.file(0644).withOwner(i == 1 ? n : 0, 0);
      b.file((i % 2 == 0 ? "etc/" : "usr/lib/") + "f" + i, timed(metadata), Content.of(bytes));
    }
    b.file("usr/lib/empty", timed(Metadata.file(0644)), Content.EMPTY);
    b.link("usr/lib/f1", "usr/lib/f1-link");
    b.file("usr/lib/version", timed(Metadata.file(0644)), content("version " + n));
    return TestImage.tar(b.layer());
  }

  private static byte[] bytes(int file, int changed) {
    byte[] bytes = new byte[SIZE];
    new Random(file * 1000L + changed).nextBytes(bytes);
    return bytes;
  }

  private static Checksum object(FileTree tree, String file) {
    return ((ObjectContent) ((Node.File) tree.find(file).orElseThrow()).content()).checksum();
  }

  private static TestImage whole(int n) throws IOException {
    return new TestImage().tarLayer(version(n), Compression.GZIP);
  }

  private static TestImage chunked(int n, boolean tarSplit, UnaryOperator<String> table)
      throws IOException {
    byte[] tar = version(n);
    return new TestImage().chunkedLayer(tar, ChunkedBlob.of(tar, tarSplit, 40_000, table));
  }

  private static TestImage chunked(int n) throws IOException {
    return chunked(n, true, table -> table);
  }

  /** The commit of the image's only layer. */
  private Checksum layer(Repository in, TestImage image) throws IOException {
    return in.resolveRef(ContainerRefs.layer(image.layers().getFirst().digest())).orElseThrow();
  }

  /** What a repository makes of the whole layer that knows nothing else. */
  private Checksum expected(TestImage image, String name) throws IOException {
    Repository other = Repository.create(dir.resolve(name), Repository.Mode.BARE);
    ContainerImport.run(
        other, image.withoutParts(), image.manifest(), image.config(), NAME, Progress.NONE);
    return layer(other, image);
  }

  private void assertSame(TestImage image, Imported imported) throws IOException {
    assertThat(layer(repository, image)).isEqualTo(expected(image, "other"));
    assertThat(repository.resolveRef(ContainerRefs.image(NAME))).contains(imported.mergeCommit());
    assertClean();
  }

  private Path index(Checksum layer) {
    return path.resolve("extensions/slipway/contents/" + layer.hex());
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void onlyWhatIsMissingIsFetched(boolean tarSplit) throws IOException {
    run(whole(1));
    TestImage second = chunked(2, tarSplit, table -> table);
    Imported imported = run(second);
    long changed = 3 * SIZE;
    long packed = second.layers().getFirst().size();
    System.out.printf(
        "changed %d, fetched %d, whole %d, tar-split %s%n",
        changed, imported.bytes(), packed, tarSplit);
    assertThat(imported.bytes()).isBetween(changed, changed * 12 / 10);
    assertThat(packed).isGreaterThan(FILES * SIZE);
    assertThat(notes).isEmpty();
    assertSame(second, imported);
    FileTree tree = repository.readTree(imported.mergeCommit());
    assertThat(tree.find("usr/etc/f0")).isPresent();
    assertThat(tree.find("usr/lib/f1").orElseThrow().metadata().uid()).isEqualTo(2);
  }

  @Test
  void whatALayerHoldsIsKnownForTheNextVersion() throws IOException {
    run(whole(1));
    Checksum first = repository.refs(ContainerRefs.LAYERS).values().iterator().next();
    assertThat(index(first)).doesNotExist();
    TestImage second = chunked(2);
    run(second);
    // The first was read for it; of the second it was known.
    assertThat(index(first)).exists();
    Checksum layer = layer(repository, second);
    List<Checksum> known = List.of(first, layer);
    assertThat(known).allMatch(c -> Files.exists(index(c)));
    byte[] told = Files.readAllBytes(index(layer));
    Files.delete(index(layer));
    new ContentIndex(repository, List.of(layer), 1 << 20, damaged -> {}, progress).isEmpty();
    assertThat(index(layer)).hasBinaryContent(told);

    // What is gone is forgotten.
    repository.forgetRef(ContainerRefs.layer(whole(1).layers().getFirst().digest()));
    repository.prune(Set.of());
    assertThat(index(first)).doesNotExist();
    assertThat(index(layer)).exists();
    Imported third = run(chunked(3));
    assertThat(third.bytes()).isLessThan(3 * SIZE * 12 / 10);
    assertThat(notes).isEmpty();
  }

  /** The image is there by then; only the next version costs more. */
  @Test
  void aNoteThatCannotBeWrittenFailsNothing() throws IOException {
    run(whole(1));
    TestImage second = chunked(2);
    Path note = index(expected(chunked(2), "before"));
    Files.createDirectories(note.resolve("x"));
    Imported imported = run(second);
    assertThat(notes)
        .singleElement()
        .asString()
        .startsWith("warning: what a layer holds is not noted for the next one: ");
    assertSame(second, imported);
  }

  @Test
  void aDamagedIndexIsMadeAgain() throws IOException {
    run(whole(1));
    run(chunked(2));
    for (Checksum layer : repository.refs(ContainerRefs.LAYERS).values()) {
      byte[] bytes = Files.readAllBytes(index(layer));
      bytes[bytes.length / 2] ^= 1;
      Files.write(index(layer), bytes);
    }
    TestImage third = chunked(3);
    Imported imported = run(third);
    assertThat(imported.bytes()).isLessThan(3 * SIZE * 12 / 10);
    assertThat(notes).isEmpty();
    assertSame(third, imported);
  }

  /** It is found out while the layer streams by, and the whole layer comes. */
  @Test
  void anIndexThatLiesIsFoundOut() throws IOException {
    run(whole(1));
    Checksum first = repository.refs(ContainerRefs.LAYERS).values().iterator().next();
    FileTree tree = repository.readTree(first);
    List<ContentIndex.Entry> entries = new ArrayList<>();
    for (int i = 1; i < FILES; i += 2) {
      Checksum object = object(tree, "usr/lib/f" + (i == 1 ? 3 : i));
      entries.add(new ContentIndex.Entry(Digest.sha256(bytes(i, 0)), object));
    }
    ContentIndex.write(repository, first, entries);
    TestImage second = chunked(2);
    Imported imported = run(second);
    assertThat(notes)
        .singleElement()
        .asString()
        .contains("is fetched whole: ", "the content of usr/lib/f1 that is here is not the one");
    assertThat(imported.bytes()).isGreaterThan(second.layers().getFirst().size());
    assertThat(index(first)).doesNotExist();
    assertSame(second, imported);
  }

  @Test
  void aDamagedObjectIsFoundOut() throws IOException {
    run(whole(1));
    FileTree tree =
        repository.readTree(repository.refs(ContainerRefs.LAYERS).values().iterator().next());
    new ContentIndex(
            repository,
            repository.refs(ContainerRefs.LAYERS).values(),
            1 << 20,
            damaged -> {},
            progress)
        .isEmpty();
    Checksum object = object(tree, "usr/lib/f3");
    Path file = repository.objectPath(object, ObjectType.FILE);
    byte[] good = Files.readAllBytes(file);
    byte[] bad = good.clone();
    bad[5] ^= 1;
    Files.write(file, bad);
    TestImage second = chunked(2);
    run(second);
    assertThat(notes)
        .anyMatch(note -> note.contains("the object " + object) && note.contains("is damaged; "))
        .anyMatch(note -> note.contains("usr/lib/f3 that is here is not the one"));
    // What came takes the place of what was damaged.
    assertThat(file).hasBinaryContent(good);
    assertThat(layer(repository, second)).isEqualTo(expected(second, "other"));
  }

  /** The image has it in a layer that is there, and its content in one that comes. */
  @Test
  void aDamagedObjectThatDoesNotComeIsInNoNewImage() throws IOException {
    byte[] old = owned(9, "version 1", 3);
    byte[] stays = owned(9, "stays", 1);
    byte[] comes = owned(0, "version 2", 3);
    run(new TestImage().tarLayer(old, Compression.GZIP).tarLayer(stays, Compression.GZIP));
    Checksum before = repository.resolveRef(ContainerRefs.image(NAME)).orElseThrow();
    var layers = repository.refs(ContainerRefs.LAYERS).values();
    new ContentIndex(repository, layers, 10 << 20, damaged -> {}, progress).isEmpty();
    Checksum object = object(repository.readTree(before), "opt/9/f0");
    Path file = repository.objectPath(object, ObjectType.FILE);
    byte[] good = Files.readAllBytes(file);
    byte[] bad = good.clone();
    bad[5] ^= 1;
    Files.write(file, bad);
    TestImage second =
        new TestImage()
            .tarLayer(stays, Compression.GZIP)
            .chunkedLayer(comes, ChunkedBlob.of(comes, true));
    // And not the second time either.
    for (int i = 0; i < 2; i++) {
      assertThatThrownBy(() -> run(second))
          .isInstanceOfSatisfying(
              Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.CORRUPT))
          .hasMessageContaining("the image's /opt/9/f0 is the object " + object)
          .hasMessageContaining("bootc fsck --repair");
      assertThat(repository.resolveRef(ContainerRefs.image(NAME))).contains(before);
    }
    Files.write(file, good);
    run(second);
    assertClean();
  }

  private static byte[] owned(int owner, String version, int files) throws IOException {
    TreeBuilder b = new TreeBuilder();
    b.file("opt/" + owner + "/" + version, timed(Metadata.file(0644)), content(version));
    for (int i = 0; i < files; i++) {
      Metadata metadata = Metadata.file(0644).withOwner(owner, owner);
      b.file("opt/" + owner + "/f" + i, timed(metadata), Content.of(bytes(i, 0)));
    }
    return TestImage.tar(b.layer());
  }

  /** Whoever needs the layer gets it again; who does not, hears of it. */
  @Test
  void aDamagedCommitOfALayerKeepsNothingOut() throws IOException {
    TestImage first = whole(1);
    run(first);
    Path file = repository.objectPath(layer(repository, first), ObjectType.COMMIT);
    byte[] good = Files.readAllBytes(file);
    Files.write(file, new byte[0]);
    run(whole(2));
    assertThat(notes)
        .singleElement()
        .asString()
        .contains("is damaged; on a machine, bootc fsck --repair");
    assertThatThrownBy(() -> repository.readTree(layer(repository, first)))
        .hasMessageContaining(file + " is damaged (")
        .hasMessageContaining("; on a machine, bootc fsck --repair mends it");
    Imported again =
        ContainerImport.run(
            repository, first, first.manifest(), first.config(), NAME + "1", progress);
    assertThat(again.layersFetched()).isEqualTo(1);
    assertThat(file).hasBinaryContent(good);
    assertClean();
  }

  /** A file of an older layer that cannot be read while one learns what it holds. */
  @Test
  void anObjectThatCannotBeReadSparesNothing() throws IOException {
    run(whole(1));
    Checksum first = repository.refs(ContainerRefs.LAYERS).values().iterator().next();
    Path file =
        repository.objectPath(object(repository.readTree(first), "usr/lib/f3"), ObjectType.FILE);
    Path aside = dir.resolve("aside");
    Progress breaking =
        new Progress() {
          @Override
          public Task start(String name, long total) {
            try {
              if (name.startsWith("contents of layer ")) {
                Files.move(file, aside);
              }
            } catch (IOException e) {
              throw new java.io.UncheckedIOException(e);
            }
            return Progress.NONE.start(name, total);
          }

          @Override
          public void note(String line) {
            progress.note(line);
          }
        };
    TestImage second = chunked(2);
    Imported imported =
        ContainerImport.run(repository, second, second.manifest(), second.config(), NAME, breaking);
    assertThat(notes).singleElement().asString().contains("what layer " + first.hex() + " holds");
    assertThat(imported.bytes()).isEqualTo(second.layers().getFirst().size());
    Files.move(aside, file, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    assertSame(second, imported);
  }

  /** What stands before a registry refuses long heads, or fails at them. */
  @ParameterizedTest
  @EnumSource(names = {"DENIED", "NOT_FOUND", "UNAVAILABLE"})
  void whoRefusesPartsGivesTheWhole(Problem.Kind kind) throws IOException {
    run(whole(1));
    TestImage second =
        new TestImage() {
          @Override
          public Optional<InputStream> parts(
              Descriptor descriptor, List<Span> spans, LongConsumer fetched) {
            throw new Problem(kind, "no parts for you");
          }
        };
    byte[] tar = version(2);
    second.chunkedLayer(tar, ChunkedBlob.of(tar, true));
    Imported imported = run(second);
    assertThat(notes).singleElement().asString().contains("is fetched whole: no parts for you");
    assertSame(second, imported);
  }

  @Test
  void whatCannotComeInPartsComesWhole() throws IOException {
    run(whole(1));
    TestImage second = chunked(2).withoutParts();
    Imported imported = run(second);
    assertThat(notes)
        .singleElement()
        .asString()
        .contains("is fetched whole: test image gives no parts of it");
    assertThat(imported.bytes()).isEqualTo(second.layers().getFirst().size());
    assertSame(second, imported);
  }

  @Test
  void aTableThatLiesLetsTheWholeLayerCome() throws IOException {
    run(whole(1));
    TestImage second =
        chunked(2, true, table -> table.replace("\"size\":" + SIZE, "\"size\":" + (SIZE + 1)));
    Imported imported = run(second);
    assertThat(notes).singleElement().asString().contains("is fetched whole: ");
    assertSame(second, imported);
  }

  /**
   * An image whose layer has the name of a blob and leads to the parts of another one.
   *
   * @param tar what its config promises
   */
  private static TestImage forged(byte[] tar, ChunkedBlob named, ChunkedBlob given) {
    TestImage giver = new TestImage().chunkedLayer(tar, given);
    TestImage image =
        new TestImage() {
          @Override
          public Optional<InputStream> parts(
              Descriptor descriptor, List<Span> spans, LongConsumer fetched) {
            return giver.parts(giver.layers().getFirst(), spans, fetched);
          }
        };
    image.chunkedLayer(tar, named);
    image.layers().set(0, named.descriptor().withAnnotations(given.descriptor().annotations()));
    return image;
  }

  /** The table fits its checksum, and the tar that it makes is another one than the config says. */
  @Test
  void aTableOfAnotherTarLetsTheWholeLayerCome() throws IOException {
    run(whole(1));
    byte[] tar = version(2);
    TestImage second = forged(tar, ChunkedBlob.of(tar, true), ChunkedBlob.of(version(3), true));
    Imported imported = run(second);
    assertThat(notes)
        .singleElement()
        .asString()
        .contains("is fetched whole: ", "has the uncompressed digest");
    assertSame(second, imported);
    // What the attempt wrote is gone.
    Set<Path> files = contentObjects();
    repository.prune(Set.of());
    assertThat(contentObjects()).isEqualTo(files);
  }

  private Set<Path> contentObjects() throws IOException {
    try (Stream<Path> all = Files.walk(path.resolve("objects"))) {
      return all.filter(p -> p.toString().endsWith(".file")).collect(Collectors.toSet());
    }
  }

  // ---- with a policy of SELinux ----

  private static Set<Checksum> noted(Path repository) throws IOException {
    try (Stream<Path> notes = Files.list(repository.resolve("extensions/slipway/contents"))) {
      return notes
          .map(note -> new Checksum(note.getFileName().toString()))
          .collect(Collectors.toSet());
    }
  }

  /** The labels make it another commit than the one that was fetched. */
  @Test
  void whatALabelledLayerHoldsIsKnownForTheNextVersion() throws IOException {
    run(withPolicy(whole(1)));
    TestImage second = withPolicy(chunked(2));
    run(second);
    assertThat(noted(path))
        .contains(layer(repository, second))
        .allMatch(commit -> repository.has(commit, ObjectType.COMMIT));
    Path note = index(layer(repository, second));
    byte[] told = Files.readAllBytes(note);
    Files.delete(note);
    new ContentIndex(
            repository, List.of(layer(repository, second)), 1 << 20, damaged -> {}, progress)
        .isEmpty();
    assertThat(note).hasBinaryContent(told);
  }

  @Test
  void aNoteOfACommitThatNeverCameIsPruned() throws IOException {
    run(whole(1));
    run(chunked(2));
    Checksum none = Checksum.sha256(new byte[1]);
    Files.write(index(none), new byte[1]);
    int notes = noted(path).size();
    Path left = AtomicFile.temporaryOf(index(none));
    Files.write(left, new byte[1]);
    Files.setLastModifiedTime(left, FileTime.from(Instant.now().minus(Duration.ofDays(2))));
    repository.prune(Set.of());
    assertThat(left).doesNotExist();
    assertThat(noted(path)).hasSize(notes - 1).doesNotContain(none);
  }

  /** An image is what it is, whatever the machine had before. */
  @Test
  void labelsOfOneImageDoNotGetIntoAnother() throws IOException {
    run(withPolicy(whole(1)));
    TestImage plain = whole(1);
    Imported here =
        ContainerImport.run(
            repository, plain, plain.manifest(), plain.config(), NAME + "2", progress);
    assertThat(here.layersPresent()).isEqualTo(1);
    Repository fresh = Repository.create(dir.resolve("fresh"), Repository.Mode.BARE);
    Imported there =
        ContainerImport.run(fresh, plain, plain.manifest(), plain.config(), NAME + "2", progress);
    assertThat(here.mergeCommit()).isEqualTo(there.mergeCommit());
    assertThat(layer(repository, plain)).isEqualTo(layer(fresh, plain));
    // Nor does one that its policy leaves alone keep what another policy said.
    TreeBuilder b = new TreeBuilder();
    b.file(
        "etc/selinux/t/contexts/files/file_contexts.local",
        timed(Metadata.file(0644)),
        content("/usr/lib/f3 <<none>>\n"));
    TestImage other = withPolicy(whole(1)).tarLayer(TestImage.tar(b.layer()), Compression.GZIP);
    TestImage labelled = withPolicy(whole(1));
    ContainerImport.run(
        repository, labelled, labelled.manifest(), labelled.config(), NAME + "4", progress);
    Imported again =
        ContainerImport.run(
            repository, other, other.manifest(), other.config(), NAME + "3", progress);
    Imported first =
        ContainerImport.run(fresh, other, other.manifest(), other.config(), NAME + "3", progress);
    assertThat(again.mergeCommit()).isEqualTo(first.mergeCommit());
    assertClean();
  }

  @Test
  void tablesOfAllLayersHaveATotal() throws IOException {
    ContentIndex index = new ContentIndex(repository, List.of(), 0, damaged -> {}, progress);
    try (ContentIndex.Memory one = index.memory()) {
      one.take(100 << 20);
      try (ContentIndex.Memory two = index.memory()) {
        assertThatThrownBy(() -> two.take(100 << 20))
            .hasMessageContaining("more than a quarter of the");
      }
    }
    try (ContentIndex.Memory three = index.memory()) {
      three.take(100 << 20);
      assertThat(three.keep(20 << 20)).isTrue();
      assertThat(three.keep(20 << 20)).isFalse();
    }
    // What is known of the files that came lives on.
    try (ContentIndex.Memory four = index.memory()) {
      assertThatThrownBy(() -> four.take(110 << 20)).isInstanceOf(Problem.class);
    }
  }

  /**
   * The name of a blob under which such a layer stands is what its own image said: another image
   * that names the same blob gets what it promises.
   */
  @Test
  void anImageCannotForgeTheLayerOfAnother() throws IOException {
    run(whole(1));
    byte[] good = version(2);
    ChunkedBlob real = ChunkedBlob.of(good, true);
    TestImage evil = forged(version(3), real, ChunkedBlob.of(version(3), true));
    run(evil);
    TestImage second = new TestImage().chunkedLayer(good, real);
    ContainerImport.run(
        repository, second, second.manifest(), second.config(), NAME + "2", progress);
    assertThat(layer(repository, second)).isEqualTo(expected(second, "other"));
  }

  @Test
  void whatKnowsNothingFetchesAll() throws IOException {
    TestImage first = chunked(1);
    Imported imported = run(first);
    assertThat(imported.bytes()).isEqualTo(first.layers().getFirst().size());
    assertThat(notes).isEmpty();
    assertSame(first, imported);
  }
}
