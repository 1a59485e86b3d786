package slipway.ostree.container;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import slipway.archive.compress.Compression;
import slipway.archive.tar.Metadata;
import slipway.base.Progress;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.process.Command;
import slipway.oci.copy.Transfer;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.ostree.TestImage;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.Commit;
import slipway.ostree.repo.Repository;
import slipway.tree.DirectoryReader;
import slipway.tree.FileTree;
import slipway.tree.FileTrees;
import slipway.tree.Layer;
import slipway.tree.Node;
import slipway.tree.TreeBuilder;

/** What an image is that is derived from a commit in layers, and what of it is fetched. */
class DerivedImageTest extends DerivedCase {
  @Test
  void theLowerLayersBecomeTheCommitThatTheyWereMadeOf() throws Exception {
    Checksum commit = commit();
    TestImage image = image(commit);
    Imported imported = run(image);
    assertThat(imported.layersFetched()).isEqualTo(3);
    assertClean();
    Commit merge = repository.readCommit(imported.mergeCommit());
    assertThat(merge.parent()).isEqualTo(commit);
    assertThat(merge.root()).isEqualTo(repository.readCommit(commit).root());
    assertThat(ls(commit, path)).isEqualTo(ls(commit, source)).contains(BIN);
    assertThat(repository.readDetachedMetadata(commit)).containsKey("signed");
    List<Checksum> layers = new ContainerImages(repository).layersOf(merge);
    assertThat(layers).hasSize(3).startsWith(commit);
    // What ostree-ext makes of a chunk: a flat directory, each object under its own name.
    assertThat(Command.of("ostree", "ls", "--repo=" + path, "-C", layers.get(1).hex()).output())
        .contains(
            Command.of("ostree", "ls", "-C", "--repo=" + source, "os", "/usr/bin/a")
                    .output()
                    .split(" +")[4]
                + " /");
    assertThat(run(image).layersPresent()).isEqualTo(3);
  }

  @Test
  void anUpdateBringsWhatIsNewOfItAlone() throws Exception {
    TestImage first = image(commit());
    run(first);
    Files.writeString(tree.resolve("usr/bin/b"), "b");
    label("usr/bin", "bin_t");
    Checksum commit = commit();
    TestImage second = image(commit, derived());
    second.takeServed();
    Imported imported = run(second);
    assertThat(imported.layersPresent()).isEqualTo(1);
    assertThat(second.takeServed())
        .doesNotContain(second.layers().get(2).digest())
        .contains(second.layers().get(0).digest(), second.layers().get(1).digest());
    assertClean();
    assertThat(repository.readCommit(imported.mergeCommit()).parent()).isEqualTo(commit);
    assertThat(repository.readTree(imported.mergeCommit()).find("usr/bin/b")).isPresent();
  }

  /**
   * The commit is there already; only what is derived from it comes, and no file is read for it.
   */
  @Test
  void theSameCommitIsNotFetchedAgain() throws Exception {
    Checksum commit = commit();
    run(image(commit));
    repository = Repository.open(path);
    TestImage derived = image(commit, derived());
    derived.takeServed();
    Imported imported = run(derived);
    assertThat(imported.layersFetched()).isEqualTo(1);
    assertThat(derived.takeServed()).containsOnlyOnce(derived.layers().getLast().digest());
    Commit merge = repository.readCommit(imported.mergeCommit());
    assertThat(merge.parent()).isEqualTo(commit);
    assertClean();
  }

  @Test
  void layersAboveAreLaidOverTheCommit() throws Exception {
    TestImage image = image(commit(), derived());
    FileTree ours = repository.readTree(run(image).mergeCommit());
    assertClean();
    Path bundle = dir.resolve("bundle");
    Path layout = image.layout(dir.resolve("layout"));
    Command.of("umoci", "unpack", "--image", layout + ":latest", bundle.toString()).run();
    Path rootfs = bundle.resolve("rootfs");
    Posix.removeTree(OsPath.of(rootfs.resolve("sysroot/ostree")));
    Files.move(rootfs.resolve("etc"), rootfs.resolve("usr/etc"));
    // ostree-ext makes it for containers, where nothing else does.
    Files.delete(rootfs.resolve("var/tmp"));
    assertThat(
            FileTrees.diff(
                DirectoryReader.read(rootfs),
                ours,
                FileTrees.Ignore.MTIME,
                FileTrees.Ignore.XATTRS,
                FileTrees.Ignore.HARD_LINKS))
        .isEmpty();
    assertThat(notes).singleElement().asString().contains("2 below /sysroot/ostree");
  }

  @Test
  void theyGetTheLabelsOfThePolicy() throws Exception {
    TestImage image = image(commit(), derived());
    Checksum merge = run(image).mergeCommit();
    FileTree tree = repository.readTree(merge);
    assertThat(label(tree, "usr/bin/new")).isEqualTo(BIN + "\0");
    assertThat(label(tree, "usr/bin/a")).isEqualTo(BIN + "\0");
    assertThat(label(tree, "usr/bin/same")).isEqualTo(BIN + "\0");
    assertThat(label(tree, "usr/etc/app.conf")).isEqualTo(ETC + "\0");
    assertThat(label(tree, "opt")).isEqualTo("system_u:object_r:default_t:s0\0");
    assertThat(label(tree, "usr/lib/app/large")).isEqualTo(USR + "\0");
    // The layer's commit holds the same objects, and those without labels are gone again.
    List<Checksum> layers = new ContainerImages(repository).layersOf(repository.readCommit(merge));
    assertThat(ls(layers.getLast(), path)).contains(BIN).doesNotContain("/sysroot/ostree/repo");
    Repository.Pruned pruned = repository.prune(Set.of());
    assertThat(pruned.bytes()).isLessThan(5_000);
    assertThat(contents()).isEqualTo(contents(merge, layers));
    assertClean();
  }

  private long contents() throws IOException {
    try (var files = Files.walk(path.resolve("objects"))) {
      return files.filter(f -> f.toString().endsWith(".file")).count();
    }
  }

  private long contents(Checksum merge, List<Checksum> layers) {
    Set<String> names = new java.util.TreeSet<>();
    List<Checksum> all = new ArrayList<>(layers);
    all.add(merge);
    for (Checksum commit : all) {
      ls(commit, path)
          .lines()
          .filter(line -> !line.startsWith("d"))
          .forEach(line -> names.add(line.replaceAll(".* ([0-9a-f]{64}) .*", "$1")));
    }
    return names.size();
  }

  @Test
  void anotherPolicyLabelsAllAnew() throws Exception {
    TreeBuilder b = new TreeBuilder();
    b.file(
        "etc/selinux/t/contexts/files/file_contexts",
        timed(Metadata.file(0644)),
        content(POLICY + "/usr/bin/same -- system_u:object_r:own_t:s0\n"));
    TestImage image = image(commit(), derived(), b.layer());
    FileTree tree = repository.readTree(run(image).mergeCommit());
    assertThat(label(tree, "usr/bin/same")).isEqualTo("system_u:object_r:own_t:s0\0");
    assertThat(label(tree, "usr/bin/new")).isEqualTo(BIN + "\0");
    assertClean();
  }

  @Test
  void namesOfTheCommitsObjectsAreLinksToItsFiles() throws Exception {
    Checksum commit = commit();
    TreeBuilder b = new TreeBuilder();
    b.put("usr/bin/third", new Node.LinkBelow(object("/usr/bin/same"), Metadata.file(0644)));
    // As a storage driver that keeps hard links together: the object itself was changed.
    String changed = object("/usr/lib/app/large").toString();
    b.file(changed, timed(Metadata.file(0644)), content("other"));
    b.link(changed, "usr/lib/app/large");
    FileTree tree = repository.readTree(run(image(commit, b.layer())).mergeCommit());
    assertThat(notes).isEmpty();
    assertThat(text(tree, "usr/bin/third")).isEqualTo("a");
    assertThat(tree.find("usr/bin/third").orElseThrow().metadata().uid()).isEqualTo(3);
    assertThat(text(tree, "usr/lib/app/large")).isEqualTo("other");
    assertClean();
  }

  /** Where the object of a file of the commit lies in the image. */
  private OsPath object(String path) {
    String object =
        Command.of("ostree", "ls", "-C", "--repo=" + source, "os", path).output().split(" +")[4];
    return Encapsulation.path(new Checksum(object), "file");
  }

  /** As kaniko makes them: a change in one layer, and names of what was changed in the next. */
  @Test
  void namesOfAnObjectThatALayerBelowChangedAreOfWhatItBecame() throws Exception {
    Checksum commit = commit();
    OsPath object = object("/usr/bin/same");
    TreeBuilder change = new TreeBuilder();
    change.file("usr/bin/same", timed(Metadata.file(0755)), content("changed"));
    change.link("usr/bin/same", object.toString());
    // Some other object of the same folder, as one in so many has by chance.
    String other = object.parent() + "/" + "0".repeat(62) + ".dirmeta";
    change.file(other, timed(Metadata.file(0644)), content("meta"));
    TreeBuilder alone = new TreeBuilder();
    alone.file(object.toString(), timed(Metadata.file(0755)), content("alone"));
    Layer names =
        new TreeBuilder()
            .put("usr/bin/same", new Node.LinkBelow(object, Metadata.file(0644)))
            .put("etc/same", new Node.LinkBelow(object, Metadata.file(0644)))
            .layer();
    assertNames("changed", image(commit, change.layer(), names));
    // The layer with the names is there now, below it is another.
    assertNames("a", image(commit, derived(), names));
    assertNames("alone", image(commit, change.layer(), alone.layer(), names));
    // And a commit of somebody's, as tools that compose in a container leave one.
    alone.file(
        Encapsulation.path(Checksum.sha256(new byte[0]), "commit").toString(),
        timed(Metadata.file(0644)),
        content("no commit of the image's"));
    assertNames("alone", image(commit, change.layer(), alone.layer(), names));
    assertNames("changed", image(commit, change.layer(), names));
  }

  /** A layer that an image without a commit brought first lacks nothing above one. */
  @Test
  void changedObjectsOfALayerThatCameWithoutACommitAreThere() throws Exception {
    Checksum commit = commit();
    OsPath object = object("/usr/bin/same");
    TreeBuilder change = new TreeBuilder();
    change.file("usr/bin/same", timed(Metadata.file(0755)), content("changed"));
    change.link("usr/bin/same", object.toString());
    change.file(
        Encapsulation.path(Checksum.sha256(new byte[0]), "commit").toString(),
        timed(Metadata.file(0644)),
        content("no commit of the image's"));
    Layer names =
        new TreeBuilder()
            .put("usr/bin/same", new Node.LinkBelow(object, Metadata.file(0644)))
            .put("etc/same", new Node.LinkBelow(object, Metadata.file(0644)))
            .layer();
    TestImage alone = new TestImage().layer(change.layer(), Compression.GZIP);
    assertThat(text(repository.readTree(run(alone).mergeCommit()), "usr/bin/same"))
        .isEqualTo("changed");
    assertNames("changed", image(commit, change.layer(), names));
    // And the other way round.
    assertThat(text(repository.readTree(run(alone).mergeCommit()), "usr/bin/same"))
        .isEqualTo("changed");
  }

  /** What both names are in an image, as it is imported and as it is seen before. */
  private void assertNames(String text, TestImage image) throws IOException {
    FileTree seen =
        ImagePreview.read(image, image.manifest(), image.config(), NAME, p -> true, Progress.NONE)
            .files();
    FileTree tree = repository.readTree(run(image).mergeCommit());
    for (FileTree each : List.of(seen, tree)) {
      assertThat(text(each, "usr/bin/same")).isEqualTo(text);
      assertThat(text(each, "usr/etc/same")).isEqualTo(text);
      assertThat(each.find("sysroot/ostree")).isEmpty();
    }
    assertThat(label(tree, "usr/bin/same").strip()).startsWith(BIN);
    assertThat(label(tree, "usr/etc/same")).startsWith("system_u:object_r:etc_t:s0");
    assertClean();
  }

  /** What {@code podman build --squash-all} makes keeps the labels of what was below. */
  @Test
  void aFlattenedImageIsOneOfFiles() throws Exception {
    TestImage layered = image(commit(), derived());
    Path bundle = dir.resolve("bundle");
    Path layout = layered.layout(dir.resolve("layout"));
    Command.of("umoci", "unpack", "--image", layout + ":latest", bundle.toString()).run();
    Layer all = new Layer(DirectoryReader.read(bundle.resolve("rootfs")).root());
    TestImage flat = new TestImage().layer(all, Compression.GZIP);
    layered.config().labels().forEach(flat::label);
    Imported imported = run(flat);
    FileTree tree = repository.readTree(imported.mergeCommit());
    assertThat(repository.readCommit(imported.mergeCommit()).parent()).isNull();
    assertThat(tree.find("sysroot/ostree")).isEmpty();
    assertThat(text(tree, "usr/bin/same")).isEqualTo("a");
    assertThat(label(tree, "usr/bin/same")).isEqualTo(BIN + "\0");
    assertClean();
  }

  /** An image of files alone comes out: the commit's, and what lies above them. */
  @Test
  void whatStandsOnACommitIsExportedAsFiles() throws Exception {
    Checksum commit = commit();
    String object =
        Command.of("ostree", "ls", "-C", "--repo=" + source, "os", "/usr/bin/same")
            .output()
            .split(" +")[4];
    TreeBuilder b = new TreeBuilder();
    OsPath place = Encapsulation.path(new Checksum(object), "file");
    b.put("usr/bin/third", new Node.LinkBelow(place, Metadata.file(0644)));
    Checksum merge = run(image(commit, derived(), b.layer())).mergeCommit();
    ContainerImages.Stored stored = new ContainerImages(repository).read(merge);
    Repository other = Repository.create(dir.resolve("other"), Repository.Mode.BARE);
    try (ExportedImage exported = ExportedImage.open(repository, stored, NAME)) {
      Manifest.Image manifest = (Manifest.Image) exported.manifest(null);
      ImageConfig config = ImageConfig.parse(Transfer.config(exported, manifest));
      assertThat(manifest.layers()).hasSize(3);
      assertThat(config.labels())
          .containsKeys("ostree.bootable", "containers.bootc")
          .doesNotContainKeys("ostree.commit", "ostree.final-diffid");
      Imported back = ContainerImport.run(other, exported, manifest, config, NAME, progress);
      FileTree files = other.readTree(back.mergeCommit());
      assertThat(text(files, "usr/bin/third")).isEqualTo("a");
      assertThat(
              FileTrees.diff(
                  repository.readTree(merge),
                  files,
                  FileTrees.Ignore.MTIME,
                  FileTrees.Ignore.HARD_LINKS))
          .isEmpty();
    }
  }

  /** Before an installation erases anything: the same files, without a repository. */
  @Test
  void filesAreSeenBeforeAnImport() throws Exception {
    TestImage image = image(commit(), derived());
    ImagePreview.Seen seen =
        ImagePreview.read(
            image,
            image.manifest(),
            image.config(),
            NAME,
            p -> p.startsWith("usr/etc/") || p.startsWith("usr/bin/"),
            Progress.NONE);
    image.takeServed();
    assertThat(text(seen.files(), "usr/etc/passwd")).startsWith("root:");
    assertThat(text(seen.files(), "usr/etc/selinux/config")).startsWith("SELINUX=");
    assertThat(text(seen.files(), "usr/bin/same")).isEqualTo("a");
    assertThat(image.takeServed())
        .as("%s", image.layers())
        .containsExactly(image.layers().get(0).digest(), image.layers().get(1).digest());
    FileTree imported = repository.readTree(run(image).mergeCommit());
    assertThat(
            FileTrees.diff(
                withoutVarTmp(seen.files()),
                imported,
                FileTrees.Ignore.MTIME,
                FileTrees.Ignore.XATTRS,
                FileTrees.Ignore.HARD_LINKS))
        .isEmpty();
  }

  private static FileTree withoutVarTmp(FileTree tree) {
    TreeBuilder b = new TreeBuilder(tree);
    b.remove("var/tmp");
    return b.build();
  }
}
