package slipway.ostree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.Command;
import slipway.linux.OsPath;
import slipway.linux.Posix;
import slipway.linux.Stat;
import slipway.oci.Compression;
import slipway.oci.Descriptor;
import slipway.oci.Digest;
import slipway.oci.MediaTypes;
import slipway.tree.Content;
import slipway.tree.DirectoryReader;
import slipway.tree.FileTree;
import slipway.tree.FileTrees;
import slipway.tree.Layer;
import slipway.tree.Metadata;
import slipway.tree.Node;
import slipway.tree.TarOptions;
import slipway.tree.TarWriter;
import slipway.tree.TreeBuilder;

class ContainerImportTest {
  private static final String NAME = "docker://registry.example/os/test:1";

  @TempDir Path dir;
  private Path path;
  private Repository repository;
  private final List<String> notes = new ArrayList<>();
  private final Progress progress =
      new Progress() {
        @Override
        public Task start(String name, long total) {
          return Progress.NONE.start(name, total);
        }

        @Override
        public synchronized void note(String line) {
          notes.add(line);
        }
      };

  @BeforeEach
  void create() throws IOException {
    path = dir.resolve("repo");
    repository = Repository.create(path, Repository.Mode.BARE);
  }

  private Imported run(TestImage image) throws IOException {
    return ContainerImport.run(repository, image, image.manifest(), image.config(), NAME, progress);
  }

  private void assertClean() throws IOException {
    assertThat(Command.of("ostree", "--repo=" + path, "fsck").run().text())
        .contains("no errors found");
    assertThat(repository.fsck(Progress.NONE).errors()).isEmpty();
    assertThat(Posix.list(OsPath.of(path.resolve("tmp")))).containsExactly(OsPath.of("cache"));
  }

  private static Metadata timed(Metadata metadata) {
    return metadata.withMtime(1_600_000_000, 5);
  }

  private static Layer base() {
    TreeBuilder b = new TreeBuilder();
    b.directory("", timed(Metadata.directory(0755)));
    b.directory("usr", timed(Metadata.directory(0755)));
    b.directory("usr/bin", timed(Metadata.directory(0755)));
    b.file("usr/bin/tool", timed(Metadata.file(04755)), content("tool"));
    b.link("usr/bin/tool", "usr/bin/alias");
    b.file("usr/lib/large", timed(Metadata.file(0644)), Content.of(Trees.bytes(1, 3_000_000)));
    b.file("usr/lib/removed", timed(Metadata.file(0644)), content("removed"));
    b.file("usr/lib/hidden/one", timed(Metadata.file(0644)), content("one"));
    b.file("usr/lib/hidden/two", timed(Metadata.file(0644)), content("two"));
    b.directory("usr/lib/sticky", timed(Metadata.directory(01777).withOwner(7, 8)));
    b.file("usr/lib/sticky/a", timed(Metadata.file(0600).withOwner(7, 8)), content("a"));
    b.directory("etc", timed(Metadata.directory(0755)));
    b.file("etc/passwd", timed(Metadata.file(0644)), content("root:x:0:0::/root:/bin/sh\n"));
    b.file("etc/removed.conf", timed(Metadata.file(0644)), content("x"));
    b.file("etc/hostname", timed(Metadata.file(0644)), Content.EMPTY);
    b.file("etc/resolv.conf", timed(Metadata.file(0644)), content("nameserver ::1\n"));
    b.symlink("etc/mtab", "../proc/self/mounts");
    b.file("var/lib/state", timed(Metadata.file(0644)), content("state"));
    b.file("opt/app/run", timed(Metadata.file(0755)), content("opt"));
    b.file("boot/file", timed(Metadata.file(0755)), content("boot"));
    b.directory("tmp", timed(Metadata.directory(01777)));
    b.file("tmp/junk/file", timed(Metadata.file(0644)), Content.of(Trees.bytes(2, 400_000)));
    b.directory("dev", timed(Metadata.directory(0755)));
    b.put(
        "dev/null",
        new Node.Special(
            new Metadata(Stat.S_IFCHR | 0666, 0, 0, 0, 0, List.of()), Posix.makedev(1, 3)));
    b.file("run/.containerenv", timed(Metadata.file(0644)), content("x"));
    return b.layer();
  }

  private static Layer second() {
    TreeBuilder b = new TreeBuilder();
    b.put("usr/lib/removed", Node.Whiteout.INSTANCE);
    b.put("etc/removed.conf", Node.Whiteout.INSTANCE);
    b.file("usr/lib/sticky/b", timed(Metadata.file(0644)), content("b"));
    b.directory("usr/lib/hidden", timed(Metadata.directory(0700)));
    b.opaque("usr/lib/hidden");
    b.file("usr/lib/hidden/three", timed(Metadata.file(0644)), content("three"));
    b.file("etc/passwd", timed(Metadata.file(0640)), content("changed"));
    b.put("etc/shadow", new Node.LinkBelow(OsPath.of("etc/resolv.conf"), Metadata.file(0644)));
    b.file(
        "usr/bin/ping",
        timed(
            Metadata.file(0755)
                .withXattrs(List.of(Trees.xattr("user.empty", ""), Trees.xattr("user.x", "y")))),
        content("ping"));
    return b.layer();
  }

  private static Content content(String text) {
    return Content.of(text.getBytes(StandardCharsets.UTF_8));
  }

  private static TestImage image() throws IOException {
    return new TestImage()
        .label("org.opencontainers.image.version", "7.2")
        .layer(base(), Compression.GZIP)
        .layer(second(), Compression.ZSTD);
  }

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
            new LayerFetch(transaction, image, Progress.NONE)
                .run(blob, image.config().diffIds().get(index))
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

  @Test
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
    refused(new TestImage().label("ostree.final-diffid", "sha256:0"), good, "ostree objects");
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
