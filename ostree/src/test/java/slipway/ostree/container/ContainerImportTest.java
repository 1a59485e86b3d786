package slipway.ostree.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.archive.compress.Compression;
import slipway.archive.tar.Metadata;
import slipway.archive.tar.TarOptions;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.posix.OsPath;
import slipway.linux.process.Command;
import slipway.ostree.Peers;
import slipway.ostree.TestImage;
import slipway.ostree.Trees;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.Commit;
import slipway.ostree.object.ObjectType;
import slipway.ostree.object.Objects;
import slipway.ostree.repo.ObjectContent;
import slipway.ostree.repo.Repository;
import slipway.ostree.repo.RepositoryTest;
import slipway.ostree.repo.Transaction;
import slipway.tree.Content;
import slipway.tree.DirectoryReader;
import slipway.tree.FileTree;
import slipway.tree.FileTrees;
import slipway.tree.Layer;
import slipway.tree.Node;
import slipway.tree.TarWriter;
import slipway.tree.TreeBuilder;

class ContainerImportTest extends ImportCase {
  @Test
  void theMergeIsWhatOtherToolsUnpack() throws IOException {
    TestImage image =
        new TestImage().layer(base(), Compression.GZIP).layer(second(), Compression.GZIP);
    Imported imported = run(image);
    assertThat(imported.layersFetched()).isEqualTo(2);
    assertThat(imported.layersPresent()).isZero();
    assertThat(imported.bytes()).isEqualTo(image.layers().stream().mapToLong(l -> l.size()).sum());
    assertClean();

    Path bundle = dir.resolve("bundle");
    Path layout = image.layout(dir.resolve("layout"));
    Command.of("umoci", "unpack", "--image", layout + ":latest", bundle.toString()).run();
    FileTree theirs = bootable(DirectoryReader.read(bundle.resolve("rootfs")));
    FileTree ours = repository.readTree(imported.mergeCommit());
    assertThat(FileTrees.diff(theirs, ours, FileTrees.Ignore.MTIME, FileTrees.Ignore.HARD_LINKS))
        .isEmpty();
    assertThat(ours.find("usr/etc/hostname")).isEmpty();
    assertThat(ours.find("usr/etc/resolv.conf")).isPresent();
    assertThat(ours.find("usr/etc/shadow")).isPresent();
    assertThat(notes)
        .singleElement()
        .asString()
        .contains("1 below /dev", "1 below /run", "2 below /tmp");
  }

  /** What the import should make of an unpacked image. */
  private static FileTree bootable(FileTree unpacked) {
    TreeMap<OsPath, Node> root = new TreeMap<>(unpacked.root().children());
    for (String name : new String[] {"dev", "proc", "run", "sys", "tmp"}) {
      root.computeIfPresent(
          OsPath.of(name), (n, node) -> new Node.Directory(node.metadata(), new TreeMap<>()));
    }
    Node.Directory usr =
        (Node.Directory) java.util.Objects.requireNonNull(root.get(OsPath.of("usr")));
    TreeMap<OsPath, Node> inUsr = new TreeMap<>(usr.children());
    Node.Directory etc =
        (Node.Directory) java.util.Objects.requireNonNull(root.remove(OsPath.of("etc")));
    TreeMap<OsPath, Node> inEtc = new TreeMap<>(etc.children());
    inEtc.remove(OsPath.of("hostname"));
    inUsr.put(OsPath.of("etc"), new Node.Directory(etc.metadata(), inEtc));
    TreeMap<OsPath, Node> inBin =
        new TreeMap<>(
            ((Node.Directory) java.util.Objects.requireNonNull(inUsr.get(OsPath.of("bin"))))
                .children());
    Node.File ping = (Node.File) java.util.Objects.requireNonNull(inBin.get(OsPath.of("ping")));
    // ostree has no attribute with an empty value.
    inBin.put(
        OsPath.of("ping"), new Node.File(Objects.normalized(ping.metadata()), ping.content()));
    inUsr.put(OsPath.of("bin"), new Node.Directory(Metadata.directory(0755), inBin));
    root.put(OsPath.of("usr"), new Node.Directory(usr.metadata(), inUsr));
    return new FileTree(new Node.Directory(unpacked.root().metadata(), root));
  }

  @Test
  void refsAndMetadataAreAsBootcReadsThem() throws IOException {
    TestImage image = image();
    Imported imported = run(image);
    String blob = image.layers().getFirst().digest().hex();
    assertThat(repository.refs("").keySet())
        .contains(
            "ostree/container/blob/sha256_3A_" + blob,
            "ostree/container/image/docker_3A__2F__2F_registry_2E_example/os/test_3A_1");
    Commit commit = repository.readCommit(imported.mergeCommit());
    assertThat(commit.string("ostree.manifest-digest"))
        .contains(image.manifest().digest().toString());
    assertThat(commit.string("ostree.manifest"))
        .contains(new String(image.manifest().bytes(), StandardCharsets.UTF_8));
    assertThat(commit.string("ostree.container.image-config"))
        .contains(new String(image.config().toJson(), StandardCharsets.UTF_8));
    assertThat(commit.string("version")).contains("7.2");
    assertThat(commit.timestamp()).isEqualTo(1_706_933_106);
    assertThat(commit.parent()).isNull();
    ContainerImages images = new ContainerImages(repository);
    assertThat(images.list()).containsEntry(NAME, imported.mergeCommit());
    ContainerImages.Stored stored = images.find(NAME).orElseThrow();
    assertThat(stored.manifest().digest()).isEqualTo(image.manifest().digest());
    assertThat(stored.config().diffIds()).isEqualTo(image.config().diffIds());
    assertThatThrownBy(
            () ->
                images.read(
                    java.util.Objects.requireNonNull(
                        repository.refs("ostree/container/blob").values().iterator().next())))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("not an image");
  }

  @ParameterizedTest
  @Tag("slow")
  @ValueSource(
      strings = {
        "",
        "2024-02-03",
        "2024-02-03T04:05:06",
        "2016-12-31T23:59:60Z",
        "2024-02-03T04:05:06.123456789012Z",
        "yesterday\u001b[2J"
      })
  void goesOnWithoutACreationTimeThatIsNone(String created) throws IOException {
    Imported imported = run(image().created(created));
    assertThat(repository.readCommit(imported.mergeCommit()).timestamp()).isZero();
    assertThat(notes)
        .filteredOn(n -> n.contains("creation time"))
        .singleElement()
        .isEqualTo(
            "the creation time \""
                + Printable.text(created)
                + "\" of "
                + NAME
                + " is not RFC 3339 and is left out");
    assertClean();
  }

  @Test
  void tellsOfCollidingRefsBeforeTheDownload() throws IOException {
    run(image());
    TestImage below = image();
    for (String colliding : List.of("docker://registry.example/os", "docker://registry.example")) {
      assertThatThrownBy(
              () ->
                  ContainerImport.run(
                      repository, below, below.manifest(), below.config(), colliding, progress))
          .isInstanceOf(Problem.class)
          .hasMessageContaining(colliding + " cannot be imported beside " + NAME);
    }
    assertThat(below.takeServed()).isEmpty();
    assertClean();
  }

  @Test
  void composefsDigestIsOstrees() throws IOException {
    Imported imported = run(image());
    Peers.ostree(
            path,
            "commit",
            "--branch=signed",
            "--generate-composefs-metadata",
            "--tree=ref=" + imported.mergeCommit())
        .run();
    Commit theirs = repository.readCommit(repository.resolveRef("signed").orElseThrow());
    Commit ours = repository.readCommit(imported.mergeCommit());
    assertThat(hex(ours)).isEqualTo(hex(theirs));
    assertThat(ours.root()).isEqualTo(theirs.root());
  }

  /** Most machines look at no digest; to compute it takes as long as to write the image. */
  @Test
  void theDigestIsNotComputedForNobody() throws IOException {
    TreeBuilder top =
        new TreeBuilder()
            .file(
                "usr/lib/ostree/prepare-root.conf",
                0644,
                "[composefs]\nenabled = yes\n".getBytes(StandardCharsets.UTF_8));
    Imported imported = run(image().layer(top.layer(), Compression.NONE));
    assertThat(repository.readCommit(imported.mergeCommit()).bytes("ostree.composefs.digest.v0"))
        .isEmpty();
  }

  /** What lies in the repository already is taken over, and gives what a first import gives. */
  @Test
  @Tag("slow")
  void anUpdateIsWhatAFirstImportIs() throws IOException {
    Random random = new Random(7);
    Repository grown = Repository.create(dir.resolve("grown"), Repository.Mode.BARE);
    List<Layer> layers = new ArrayList<>(List.of(base(), second()));
    for (int round = 0; round < 40; round++) {
      layers = new ArrayList<>(layers.subList(0, 1 + random.nextInt(layers.size())));
      layers.add(change(random));
      TestImage image = new TestImage();
      for (Layer layer : layers) {
        image.layer(layer, Compression.NONE);
      }
      Checksum updated = importInto(grown, image);
      FileTree remembered = grown.readTree(updated);
      if (random.nextBoolean()) {
        new ContainerImages(grown).removeUnusedLayers();
        grown.prune(Set.of());
      }
      Repository fresh = Repository.create(dir.resolve("fresh" + round), Repository.Mode.BARE);
      Checksum first = importInto(fresh, image);
      assertThat(updated).isEqualTo(first);
      FileTree read = Repository.open(fresh.path()).readTree(first);
      for (FileTree tree : List.of(remembered, grown.readTree(updated))) {
        assertThat(FileTrees.diff(read, tree, FileTrees.Ignore.MTIME, FileTrees.Ignore.HARD_LINKS))
            .isEmpty();
      }
    }
    assertThat(grown.fsck(Progress.NONE).errors()).isEmpty();
  }

  /** A layer that adds, replaces, hides and links at random below names that often exist. */
  private static Layer change(Random random) {
    String[] names = {"usr", "lib", "bin", "sticky", "hidden", "a", "one", "new"};
    TreeBuilder b = new TreeBuilder();
    for (int i = 0; i < 1 + random.nextInt(4); i++) {
      StringBuilder path = new StringBuilder("usr");
      for (int depth = 0; depth < 1 + random.nextInt(3); depth++) {
        path.append('/').append(names[random.nextInt(names.length)]).append(depth == 0 ? "" : "x");
      }
      try {
        switch (random.nextInt(5)) {
          case 0 -> b.put(path.toString(), Node.Whiteout.INSTANCE);
          case 1 -> b.directory(path.toString(), Metadata.directory(0750)).opaque(path.toString());
          case 2 ->
              b.put(
                  path.toString(),
                  new Node.LinkBelow(OsPath.of("opt/app/run"), Metadata.file(0755)));
          default -> b.file(path.toString(), 0644, Trees.bytes(random.nextInt(9), 100));
        }
      } catch (Problem e) {
        // A file stands where this one needed a directory.
        assertThat(e.kind()).isEqualTo(Problem.Kind.INPUT);
      }
    }
    return b.layer();
  }

  private Checksum importInto(Repository into, TestImage image) throws IOException {
    return ContainerImport.run(into, image, image.manifest(), image.config(), NAME, progress)
        .mergeCommit();
  }

  private static String hex(Commit commit) {
    return HexFormat.of().formatHex(commit.bytes("ostree.composefs.digest.v0").orElseThrow());
  }

  /** Digests come from the layers' commits: nothing is read, not even when the content is gone. */
  @Test
  void digestsAreNotComputedTwice() throws IOException {
    Imported imported = run(image());
    FileTree tree = repository.readTree(imported.mergeCommit());
    tree.walk(
        (where, node) -> {
          if (node instanceof Node.File f && f.content() instanceof ObjectContent object) {
            if (f.content().size() > 0) {
              Files.write(repository.objectPath(object.checksum(), ObjectType.FILE), new byte[0]);
            }
          }
        });
    Commit commit = repository.readCommit(imported.mergeCommit());
    assertThat(HexFormat.of().formatHex(Composefs.deploymentDigest(tree))).isEqualTo(hex(commit));
  }

  /** The layer commit's tree is the one that ostree makes of the layer's tar. */
  @Test
  void layerCommitsAreOstrees() throws IOException {
    TreeBuilder b = new TreeBuilder();
    b.directory("", Metadata.directory(0755));
    b.directory("usr", Metadata.directory(0755));
    b.file("usr/file", timed(Metadata.file(04711).withOwner(3, 4)), content("file"));
    b.link("usr/file", "usr/hard");
    b.symlink("usr/link", "file");
    b.file("usr/empty", Metadata.file(0644), Content.EMPTY);
    b.directory("usr/etc", Metadata.directory(0750));
    b.file("usr/etc/conf", Metadata.file(0600), Content.of(Trees.bytes(1, 700_000)));
    Layer layer = b.layer();
    run(new TestImage().layer(layer, Compression.NONE));
    Path tar = Files.write(dir.resolve("layer.tar"), TestImage.tar(layer));
    Command.of(
            "ostree",
            "--repo=" + path,
            "commit",
            "--branch=theirs",
            "--no-bindings",
            "--tree=tar=" + tar,
            "--tar-autocreate-parents")
        .run();
    Checksum ours = repository.refs("ostree/container/blob").values().iterator().next();
    Checksum theirs = repository.resolveRef("theirs").orElseThrow();
    assertThat(repository.readCommit(ours).root()).isEqualTo(repository.readCommit(theirs).root());
  }

  @Test
  void layersComeBackAsTheyWere() throws IOException {
    run(image());
    TestImage image = image();
    List<Layer> filtered = new ArrayList<>();
    List<Layer> read = new ArrayList<>();
    try (Transaction transaction = repository.begin()) {
      for (var blob : image.layers()) {
        int index = image.layers().indexOf(blob);
        filtered.add(
            new LayerFetch(image, new slipway.archive.tar.ImageTotals("test"), Progress.NONE)
                .run(transaction, blob, image.config().diffIds().get(index), false)
                .layer());
        Checksum commit = repository.resolveRef(ContainerRefs.layer(blob.digest())).orElseThrow();
        read.add(LayerCommits.read(repository, commit));
      }
      transaction.commit();
    }
    for (int i = 0; i < 2; i++) {
      assertThat(lines(read.get(i))).isEqualTo(lines(filtered.get(i)));
    }
    assertThat(lines(read.get(1)))
        .contains(
            "usr/etc/shadow below usr/etc/resolv.conf",
            "usr/lib/removed whiteout",
            "usr/etc/removed.conf whiteout",
            "usr/lib/hidden dir 700 opaque",
            "usr/lib/sticky dir 755 implied");
  }

  private static List<String> lines(Layer layer) throws IOException {
    List<String> lines = new ArrayList<>();
    layer.walk(
        (path, node) ->
            lines.add(
                path
                    + switch (node) {
                      case Node.Directory d ->
                          " dir "
                              + Integer.toOctalString(d.metadata().permissions())
                              + (d.opaque() ? " opaque" : "")
                              + (d.implied() ? " implied" : "");
                      case Node.File f ->
                          " file "
                              + f.metadata().mode()
                              + " "
                              + f.metadata().uid()
                              + " "
                              + f.metadata().xattrs().size()
                              + " "
                              + f.content().size();
                      case Node.Symlink s -> " -> " + s.target();
                      case Node.Special s -> " special";
                      case Node.Whiteout w -> " whiteout";
                      case Node.LinkBelow l -> " below " + l.target();
                    }));
    return lines;
  }

  @Test
  void nothingComesTwice() throws IOException {
    TestImage image = image();
    Imported first = run(image);
    image.takeServed();
    Imported again = run(image);
    assertThat(again).isEqualTo(new Imported(first.mergeCommit(), 2, 0, 0));
    assertThat(image.takeServed()).isEmpty();

    TreeBuilder top = new TreeBuilder().file("usr/new", 0644, new byte[] {1, 2});
    TestImage updated = image().layer(top.layer(), Compression.GZIP);
    Imported update = run(updated);
    assertThat(update.layersPresent()).isEqualTo(2);
    assertThat(update.layersFetched()).isOne();
    assertThat(updated.takeServed())
        .containsExactly(updated.manifest().config().digest(), updated.layers().getLast().digest());
    FileTree tree = repository.readTree(update.mergeCommit());
    assertThat(tree.find("usr/new")).isPresent();
    assertThat(tree.find("usr/lib/hidden/one")).isEmpty();
    assertThat(((Metadata) tree.find("usr/lib/sticky").orElseThrow().metadata()).permissions())
        .isEqualTo(01777);
    Commit commit = repository.readCommit(update.mergeCommit());
    assertThat(hex(commit)).isEqualTo(HexFormat.of().formatHex(Composefs.deploymentDigest(tree)));

    // The same layers in another compression.
    TestImage recompressed =
        new TestImage()
            .label("new", "config")
            .layer(base(), Compression.NONE)
            .layer(second(), Compression.GZIP);
    Imported third = run(recompressed);
    assertThat(third.layersPresent()).isEqualTo(2);
    assertThat(third.bytes()).isZero();
    assertThat(repository.readCommit(third.mergeCommit()).root())
        .isEqualTo(repository.readCommit(first.mergeCommit()).root());

    ContainerImages images = new ContainerImages(repository);
    assertThat(images.removeUnusedLayers()).isEqualTo(3);
    repository.prune(Set.of());
    assertClean();
    images.remove(Set.of(NAME));
    assertThat(images.removeUnusedLayers()).isEqualTo(2);
    assertThat(repository.prune(Set.of()).removed()).isGreaterThan(20);
    assertThat(repository.prune(Set.of()).objects()).isZero();
  }

  @Test
  void theSameLayerTwiceIsFetchedOnce() throws IOException {
    TestImage image = new TestImage();
    Layer layer = new TreeBuilder().file("usr/a", 0644, new byte[] {1}).layer();
    Layer removing = new TreeBuilder().put("usr/a", Node.Whiteout.INSTANCE).layer();
    image.layer(layer, Compression.GZIP).layer(removing, Compression.GZIP);
    image.layer(layer, Compression.GZIP);
    Imported imported = run(image);
    assertThat(imported.layersFetched()).isEqualTo(2);
    assertThat(repository.readTree(imported.mergeCommit()).find("usr/a")).isPresent();
  }

  /** The second one would never be read, and what it is said to hold be believed. */
  @Test
  void theSameLayerHasOneDiffId() throws IOException {
    TestImage image = image();
    try (InputStream in = image.blob(image.layers().getFirst(), 0)) {
      image.blob(
          in.readAllBytes(),
          image.layers().getFirst().mediaType(),
          image.config().diffIds().getLast());
    }
    assertThatThrownBy(() -> run(image))
        .isInstanceOfSatisfying(
            Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.CORRUPT))
        .hasMessage(
            NAME
                + " has the layer "
                + image.layers().getFirst().digest()
                + " twice, and its config says that it holds "
                + image.config().diffIds().getFirst()
                + " and "
                + image.config().diffIds().getLast());
    assertThat(repository.refs("")).isEmpty();
  }

  /** A layer that came in parts was not held to its blob's digest, so its ref may be another's. */
  @Test
  void anImageIsExportedWithItsOwnLayersAlone() throws IOException {
    TestImage image = image();
    run(image);
    String first = ContainerRefs.layer(image.layers().getFirst().digest());
    String second = ContainerRefs.layer(image.layers().getLast().digest());
    ContainerImages.Stored stored = new ContainerImages(repository).find(NAME).orElseThrow();
    ExportedImage.open(repository, stored, NAME).close();
    try (Transaction transaction = repository.begin()) {
      transaction.setRef(second, repository.resolveRef(first).orElseThrow());
      transaction.commit();
    }
    assertThatThrownBy(() -> ExportedImage.open(repository, stored, NAME))
        .isInstanceOfSatisfying(
            Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.CORRUPT))
        .hasMessageContaining(
            image.config().diffIds().getFirst()
                + " of another image, and not "
                + image.config().diffIds().getLast());
  }

  @Test
  void namesAreEscapedAsOstreeExtDoes() {
    assertThat(ContainerImport.escapeRef("sha256:ab")).isEqualTo("sha256_3A_ab");
    assertThat(ContainerImport.escapeRef("a.b_c-d")).isEqualTo("a_2E_b__c-d");
    assertThat(ContainerImport.escapeRef("a/b//c/")).isEqualTo("a/b/_2F_c_2F_");
    assertThat(ContainerImport.escapeRef("/x")).isEqualTo("_2F_x");
    for (String text :
        new String[] {NAME, "oci:/path/to dir:tag", "__", "_", "ä/é", "a//", "x_2F_y", ""}) {
      assertThat(ContainerRefs.unescape(ContainerRefs.escape(text))).isEqualTo(text);
    }
    for (String bad : new String[] {"_", "_2", "_2F", "_2f_", "_ZZ_"}) {
      assertThatThrownBy(() -> ContainerRefs.unescape(bad)).isInstanceOf(Problem.class);
    }
  }

  /** A tree of an image goes through a tar without change. */
  @Test
  void aWholeTreeAsOneLayer() throws IOException {
    FileTree nasty = Trees.nasty();
    ByteArrayOutputStream tar = new ByteArrayOutputStream();
    TarWriter.write(tar, nasty, TarOptions.EXACT);
    Imported imported = run(new TestImage().tarLayer(tar.toByteArray(), Compression.ZSTD));
    Repository other = Repository.create(dir.resolve("other"), Repository.Mode.BARE);
    Checksum direct = RepositoryTest.commit(other, nasty, "x");
    assertThat(repository.readCommit(imported.mergeCommit()).root())
        .isEqualTo(other.readCommit(direct).root());
  }
}
