package slipway.ostree.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import slipway.archive.compress.Compression;
import slipway.archive.tar.Metadata;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.posix.OsPath;
import slipway.oci.model.Digest;
import slipway.ostree.TestImage;
import slipway.ostree.gvariant.GVariant;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.Commit;
import slipway.ostree.object.CommitSpec;
import slipway.ostree.object.ObjectType;
import slipway.ostree.repo.FsckReport;
import slipway.ostree.repo.Repository;
import slipway.ostree.repo.Transaction;
import slipway.tree.FileTree;
import slipway.tree.TreeBuilder;

/** Derived images that lie, lack something or were damaged, and layers that others took already. */
class DerivedTrustTest extends DerivedCase {
  private static void assertCorrupt(Problem problem) {
    assertThat(problem.kind()).isEqualTo(Problem.Kind.CORRUPT);
  }

  /** What a commit's author writes into it would be believed as what an import found out. */
  @Test
  void aCommitDoesNotPassForALayerOfAnotherImage() throws Exception {
    TestImage good = new TestImage().layer(derived(), Compression.GZIP);
    Digest diffId = good.config().diffIds().getFirst();
    for (String key : List.of("ostree.importer.version", "slipway.layer.verity")) {
      TestImage hostile =
          image(
              commit(
                  "--add-metadata-string=slipway.layer.diff-id=" + diffId,
                  "--add-metadata-string=" + key + "=slipway/1"));
      assertThatThrownBy(() -> run(hostile))
          .isInstanceOfSatisfying(Problem.class, DerivedTrustTest::assertCorrupt)
          .hasMessageMatching(
              "the image's commit [0-9a-f]{64} has the metadata (ostree|slipway)\\.[a-z.-]+, which"
                  + " only imports may write; make the image from a commit without it");
    }
    TestImage only = image(commit("--add-metadata-string=slipway.layer.diff-id=" + diffId));
    assertThatThrownBy(() -> run(only)).isInstanceOf(Problem.class);
    Imported imported = run(good);
    assertThat(imported.layersFetched()).isOne();
    FileTree own = repository.readTree(imported.mergeCommit());
    assertThat(text(own, "usr/bin/new")).isEqualTo("new");
    assertThat(own.find("usr/bin/same")).isEmpty();
    assertClean();
  }

  /** The layer of a commit is known by its blob, whatever an image's config calls it. */
  @Test
  void aConfigDoesNotNameTheLayersOfAnotherImage() throws Exception {
    TestImage evil = image(commit());
    Files.writeString(tree.resolve("usr/etc/passwd"), "root:x:0:0:good:/root:/bin/sh\n");
    label("usr/etc", "etc_t");
    Checksum commit = commit();
    TestImage good = image(commit);
    run(evil);
    TestImage hostile = new TestImage();
    good.config().labels().forEach(hostile::label);
    for (int i = 0; i < 3; i++) {
      hostile.blob(
          bytes(evil, i), evil.layers().get(i).mediaType(), good.config().diffIds().get(i));
    }
    assertThat(hostile.config()).isEqualTo(good.config());
    for (boolean same : new boolean[] {true, false}) {
      assertThat(repository.readCommit(run(hostile).mergeCommit()).parent()).isNotEqualTo(commit);
      Imported imported = run(same ? good : image(commit).label("of", "later"));
      assertThat(repository.readCommit(imported.mergeCommit()).parent()).isEqualTo(commit);
      FileTree files = repository.readTree(imported.mergeCommit());
      assertThat(text(files, "usr/etc/passwd")).contains("good");
      new ContainerImages(repository).remove(Set.of(NAME));
      new ContainerImages(repository).removeUnusedLayers();
      repository = Repository.open(path);
      run(evil);
    }
    assertClean();
  }

  /** Another importer's layer, which it knew by its blob, gets labels and no diff id. */
  @Test
  void aDiffIdThatNobodyCheckedIsNotWritten() throws Exception {
    TestImage image = image(commit(), derived());
    String ref = ContainerRefs.layer(image.layers().getLast().digest());
    try (Transaction transaction = repository.begin()) {
      TreeBuilder b = new TreeBuilder();
      b.directory("usr/bin", Metadata.directory(0755));
      Checksum theirs =
          transaction.writeCommit(
              new CommitSpec(
                  Map.of(LayerCommits.IMPORTER, GVariant.string("0.15.3")),
                  null,
                  "",
                  "",
                  0,
                  transaction.writeTree(new FileTree(b.layer().root()))));
      transaction.setRef(ref, theirs);
      transaction.commit();
    }
    Imported imported = run(image);
    assertThat(imported.layersPresent()).isOne();
    Commit layer = repository.readCommit(repository.resolveRef(ref).orElseThrow());
    assertThat(ls(layer.checksum(), path)).contains(BIN);
    assertThat(LayerCommits.diffId(layer)).isEmpty();
    assertThat(ContainerImages.isChecked(repository.readCommit(imported.mergeCommit()))).isFalse();
    assertClean();
  }

  @Test
  void damageIsRepairedFromTheLayers() throws Exception {
    TestImage image = image(commit(), derived());
    run(image);
    Set<FsckReport.Broken> broken = new java.util.HashSet<>();
    try (var files = Files.walk(path.resolve("objects"))) {
      for (Path file : files.filter(f -> f.toString().endsWith(".file")).toList()) {
        String name = file.getParent().getFileName() + file.getFileName().toString();
        broken.add(
            new FsckReport.Broken(
                new Checksum(name.substring(0, name.indexOf('.'))), ObjectType.FILE));
        Files.delete(file);
      }
    }
    repository = Repository.open(path);
    ContainerRepair.run(
        repository, broken, image, image.manifest(), image.config(), NAME, Progress.NONE);
    assertThat(broken).isEmpty();
    assertClean();
  }

  @Test
  void whatIsMissingOrDamagedIsSaid() throws Exception {
    TestImage image = image(commit(), derived());
    TestImage less = new TestImage();
    image.config().labels().forEach(less::label);
    less.blob(bytes(image, 0), image.layers().get(0).mediaType(), image.config().diffIds().get(0));
    less.blob(bytes(image, 2), image.layers().get(2).mediaType(), image.config().diffIds().get(2));
    assertThatThrownBy(() -> run(less))
        .isInstanceOfSatisfying(
            Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.CORRUPT))
        .hasMessageMatching("the image lacks the object [0-9a-f]{64}.file, which its commit names");
    assertThat(new ContainerImages(repository).list()).isEmpty();
    assertClean();
  }

  /** The same layer stands for objects in one image and for files in another. */
  @Test
  void aLayerIsTakenForWhatItIsInItsImage() throws Exception {
    TestImage image = image(commit());
    TestImage files = new TestImage();
    for (int i = 0; i < 3; i++) {
      files.blob(
          bytes(image, i), image.layers().get(i).mediaType(), image.config().diffIds().get(i));
    }
    FileTree plain = repository.readTree(run(files).mergeCommit());
    FileTree objects = repository.readTree(run(image).mergeCommit());
    FileTree again = repository.readTree(run(files.label("a", "b")).mergeCommit());
    for (FileTree tree : List.of(plain, objects, again)) {
      assertThat(text(tree, "usr/bin/same")).isEqualTo("a");
      assertThat(new TreeMap<>(tree.root().children())).containsKey(OsPath.of("sysroot"));
      assertThat(label(tree, "usr/bin/same")).isEqualTo(BIN + "\0");
    }
    assertClean();
  }

  private static byte[] bytes(TestImage image, int layer) throws IOException {
    try (InputStream in = image.blob(image.layers().get(layer), 0)) {
      return in.readAllBytes();
    }
  }
}
