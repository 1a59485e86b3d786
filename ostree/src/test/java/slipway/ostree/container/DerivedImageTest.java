package slipway.ostree.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import slipway.archive.compress.Compression;
import slipway.archive.tar.Metadata;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.process.Command;
import slipway.oci.copy.Transfer;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.ostree.TestImage;
import slipway.ostree.Trees;
import slipway.ostree.gvariant.GVariant;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.Commit;
import slipway.ostree.object.CommitSpec;
import slipway.ostree.object.ObjectType;
import slipway.ostree.repo.FsckReport;
import slipway.ostree.repo.Repository;
import slipway.ostree.repo.Transaction;
import slipway.tree.Content;
import slipway.tree.DirectoryReader;
import slipway.tree.FileTree;
import slipway.tree.FileTrees;
import slipway.tree.Layer;
import slipway.tree.Node;
import slipway.tree.TreeBuilder;

/**
 * Images as Fedora, CentOS and RHEL have them: lower layers encapsulate a commit that ostree made,
 * in chunks; upper ones are derived from it. The lower ones are written by a script that knows
 * ostree-ext's layout and nothing of ours.
 */
class DerivedImageTest extends ImportCase {
  private static final String USR = "system_u:object_r:usr_t:s0";
  private static final String BIN = "system_u:object_r:bin_t:s0";
  private static final String ETC = "system_u:object_r:etc_t:s0";
  private static final String POLICY =
      """
      /.*                     system_u:object_r:default_t:s0
      /usr(/.*)?              system_u:object_r:usr_t:s0
      /usr/bin(/.*)?          system_u:object_r:bin_t:s0
      /usr/etc(/.*)?          system_u:object_r:etc_t:s0
      /tmp/.*                 <<none>>
      """;

  private Path tree;
  private Path source;

  @BeforeEach
  void commitTree() throws IOException {
    tree = dir.resolve("tree");
    for (String folder :
        "usr/bin usr/lib/app usr/etc/selinux/t/contexts/files sysroot var tmp".split(" ")) {
      Files.createDirectories(tree.resolve(folder));
    }
    Files.createSymbolicLink(tree.resolve("ostree"), Path.of("sysroot/ostree"));
    Files.writeString(tree.resolve("usr/bin/a"), "a");
    Files.writeString(tree.resolve("usr/bin/same"), "a");
    Files.writeString(tree.resolve("usr/bin/gone"), "gone");
    Files.createSymbolicLink(tree.resolve("usr/bin/link"), Path.of("a"));
    Files.createFile(tree.resolve("usr/lib/empty"));
    Files.write(tree.resolve("usr/lib/app/large"), Trees.bytes(5, 300_000));
    Files.writeString(tree.resolve("usr/etc/passwd"), "root:x:0:0::/root:/bin/sh\n");
    Files.writeString(tree.resolve("usr/etc/selinux/config"), "SELINUX=enforcing\nSELINUXTYPE=t\n");
    Files.writeString(tree.resolve("usr/etc/selinux/t/contexts/files/file_contexts"), POLICY);
    Command.of("bash", "-c", "chmod 4755 usr/bin/a; chown 3:4 usr/bin/same").directory(tree).run();
    label(".", "default_t");
    label("usr", "usr_t");
    label("usr/bin", "bin_t");
    label("usr/etc", "etc_t");
    source = dir.resolve("source");
    Command.of("ostree", "init", "--mode=bare", "--repo=" + source).run();
  }

  /** As a composed tree comes: labels end with NUL. */
  private void label(String below, String type) {
    Command.of(
            "python3",
            "-c",
            """
            import os, sys
            for folder, names, files in os.walk(sys.argv[1]):
                for name in ["."] + names + files:
                    os.setxattr(os.path.join(folder, name), "security.selinux",
                        b"system_u:object_r:" + sys.argv[2].encode() + b":s0\\0", follow_symlinks=False)
            """,
            tree.resolve(below).toString(),
            type)
        .run();
  }

  private Checksum commit(String... options) {
    return new Checksum(
        Command.of("ostree", "commit", "--repo=" + source, "--branch=os", "--tree=dir=" + tree)
            .with(options)
            .with("--add-metadata-string=version=40", "--timestamp=2024-01-02 03:04:05 +0000")
            .with("--add-detached-metadata-string=signed=by them")
            .output()
            .strip());
  }

  /** The commit in three layers, and layers above them. */
  private TestImage image(Checksum commit, Layer... derived) throws IOException {
    Path out = Files.createTempDirectory(dir, "layers");
    Path script = out.resolve("encapsulate.py");
    try (InputStream in =
        java.util.Objects.requireNonNull(
            DerivedImageTest.class.getResourceAsStream("encapsulate.py"))) {
      Files.copy(in, script);
    }
    Command.of("python3", script.toString(), source.toString(), commit.hex(), out.toString())
        .with("usr/bin/", "usr/lib/app/")
        .run();
    TestImage image = new TestImage();
    byte[] last = new byte[0];
    for (int i = 0; i < 3; i++) {
      last = Files.readAllBytes(out.resolve(i + ".tar"));
      image.tarLayer(last, Compression.GZIP);
    }
    image
        .label("ostree.commit", commit.hex())
        .label("ostree.final-diffid", Digest.sha256(last).toString())
        .label("ostree.bootable", "true")
        .label("containers.bootc", "1");
    for (Layer layer : derived) {
      image.layer(layer, Compression.GZIP);
    }
    return image;
  }

  /**
   * As a build makes one: a file is new, one is changed, one gone, and the repository was touched.
   */
  private static Layer derived() {
    TreeBuilder b = new TreeBuilder();
    b.directory("usr/bin", timed(Metadata.directory(0755)));
    b.file("usr/bin/new", timed(Metadata.file(0755)), content("new"));
    b.file("usr/bin/a", timed(Metadata.file(0700)), content("changed"));
    b.put("usr/bin/gone", Node.Whiteout.INSTANCE);
    b.file("etc/app.conf", timed(Metadata.file(0644)), content("x"));
    b.file("opt/app/run", timed(Metadata.file(0755)), content("opt"));
    b.file("sysroot/ostree/repo/.lock", timed(Metadata.file(0644)), Content.EMPTY);
    return b.layer();
  }

  private String ls(Checksum commit, Path repo) {
    return Command.of("ostree", "ls", "-RCX", "--repo=" + repo, commit.hex()).output();
  }

  private String label(FileTree tree, String path) {
    return tree.find(path)
        .flatMap(node -> node.metadata().xattr("security.selinux"))
        .map(v -> new String(v, StandardCharsets.UTF_8))
        .orElse("none");
  }

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

  private static String text(FileTree tree, String path) throws IOException {
    try (InputStream in = ((Node.File) tree.find(path).orElseThrow()).content().open()) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
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
          .isInstanceOfSatisfying(Problem.class, DerivedImageTest::assertCorrupt)
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

  private static byte[] bytes(TestImage image, int layer) throws IOException {
    try (InputStream in = image.blob(image.layers().get(layer), 0)) {
      return in.readAllBytes();
    }
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
