package slipway.ostree.repo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.process.Command;
import slipway.ostree.Peers;
import slipway.ostree.Trees;
import slipway.ostree.gvariant.GVariant;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.Commit;
import slipway.ostree.object.CommitSpec;
import slipway.ostree.object.ObjectType;
import slipway.ostree.object.TreeRoot;
import slipway.tree.DirectoryReader;
import slipway.tree.FileTree;

/** Our repositories under the eyes of ostree's own tool, and the reverse. */
public class RepositoryTest {
  private static FileTree nasty;
  private static List<String> nastyLines;

  @TempDir Path dir;

  @BeforeAll
  static void tree() throws IOException {
    nasty = Trees.nasty();
    // ostree has no attribute with an empty value.
    nastyLines =
        Trees.describe(nasty).stream().map(line -> line.replace(" user.a= ", " ")).toList();
  }

  private static Command ostree(Path repo, String... arguments) {
    return Command.of("ostree", "--repo=" + repo).with(arguments);
  }

  public static Checksum commit(Repository repository, FileTree tree, String ref)
      throws IOException {
    try (Transaction transaction = repository.begin()) {
      Map<String, GVariant> metadata = new LinkedHashMap<>();
      metadata.put("version", GVariant.string("42"));
      Checksum commit =
          transaction.writeCommit(
              new CommitSpec(
                  metadata, null, "subject", "body", 1_700_000_000, transaction.writeTree(tree)));
      transaction.setRef(ref, commit);
      transaction.commit();
      return commit;
    }
  }

  @ParameterizedTest
  @Tag("slow")
  @EnumSource
  void ostreeAcceptsWhatWeWrite(Repository.Mode mode) throws IOException {
    Path path = dir.resolve("repo");
    Repository repository = Repository.create(path, mode);
    Checksum commit = commit(repository, nasty, "os/test");
    assertThat(ostree(path, "fsck").run().text()).contains("no errors found");
    assertThat(Peers.ostree(path, "fsck").run().text()).contains("no errors found");
    assertThat(ostree(path, "refs", "--list").output()).isEqualTo("os/test");
    assertThat(ostree(path, "rev-parse", "os/test").output()).isEqualTo(commit.hex());
    assertThat(ostree(path, "show", "--print-metadata-key=version", "os/test").output())
        .isEqualTo("'42'");
    assertThat(ostree(path, "ls", "-RCX", "os/test").run().text().lines().count())
        .isGreaterThan(3000);
    assertThat(Trees.describe(repository.readTree(commit))).isEqualTo(nastyLines);
    assertThat(repository.fsck(Progress.NONE).errors()).isEmpty();
    assertThat(Posix.list(OsPath.of(path.resolve("tmp")))).containsExactly(OsPath.of("cache"));
  }

  /** Every object of a commit by ostree of the same files is ours too, byte for byte. */
  @ParameterizedTest
  @Tag("slow")
  @EnumSource
  void objectsAreOstrees(Repository.Mode mode) throws IOException {
    Path ours = dir.resolve("ours");
    Repository repository = Repository.create(ours, mode);
    commit(repository, nasty, "os/test");
    Path files = dir.resolve("files");
    checkedOut(nasty, files);

    Path newest = dir.resolve("newest");
    commitWith(Peers.ostree(newest), files, mode);
    assertSameLines(objects(ours), objects(newest));
    Path theirs = dir.resolve("theirs");
    commitWith(ostree(theirs), files, mode);
    assertSameLines(objects(ours), objects(theirs));
    Checksum commit = repository.resolveRef("os/test").orElseThrow();
    assertThat(ostree(theirs, "rev-parse", "os/test").output()).isEqualTo(commit.hex());

    Repository read = Repository.open(theirs);
    assertThat(read.mode()).isEqualTo(mode);
    assertThat(Trees.describe(read.readTree(commit))).isEqualTo(nastyLines);
    assertThat(read.fsck(Progress.NONE).errors()).isEmpty();
    Commit parsed = read.readCommit(commit);
    assertThat(parsed.subject()).isEqualTo("subject");
    assertThat(parsed.body()).isEqualTo("body");
    assertThat(parsed.timestamp()).isEqualTo(1_700_000_000);
    assertThat(parsed.string("version")).contains("42");
    assertThat(parsed.parent()).isNull();
  }

  private static void commitWith(Command ostree, Path files, Repository.Mode mode) {
    ostree.with("init", "--mode=" + mode.label()).run();
    ostree
        .with(
            "commit",
            "--branch=os/test",
            "--no-bindings",
            "--subject=subject",
            "--body=body",
            "--timestamp=2023-11-14 22:13:20 +0000",
            "--add-metadata-string=version=42",
            "--tree=dir=" + files)
        .run();
  }

  /** Lays the tree out with our own checkout of a throw-away bare repository. */
  private void checkedOut(FileTree tree, Path target) throws IOException {
    Repository scratch = Repository.create(dir.resolve("scratch"), Repository.Mode.BARE);
    Checksum commit = commit(scratch, tree, "scratch");
    scratch.checkout(scratch.readTree(commit), target);
  }

  /** As isEqualTo, but tells only the lines that differ. */
  static void assertSameLines(List<String> actual, List<String> expected) {
    List<String> more = new ArrayList<>(actual);
    more.removeAll(Set.copyOf(expected));
    List<String> less = new ArrayList<>(expected);
    less.removeAll(Set.copyOf(actual));
    assertThat(more).as("lines that should not be there; missing are %s", less).isEmpty();
    assertThat(less).as("missing lines").isEmpty();
    assertThat(actual).isEqualTo(expected);
  }

  /**
   * Name, attributes and content of every object; not the time of metadata and of symbolic links,
   * where ostree leaves the time of writing, and of compressed objects not the bytes.
   */
  private static List<String> objects(Path repo) throws IOException {
    String script =
        """
        cd "$1/objects" && find . -type f -o -type l | LC_ALL=C sort | while IFS= read -r f; do
          stat -c '%n %f %u:%g %s %Y' "$f" | sed '/\\.filez /s/ [0-9]* [0-9]*$//; /\\.\\(commit\\|dirtree\\|dirmeta\\) /s/ [0-9]*$//; / a1ff /s/ [0-9]*$//'
          getfattr -h -d -m - -e hex "$f" 2>/dev/null | LC_ALL=C sort
          case $f in *.filez) ;; *) if [ -L "$f" ]; then readlink "$f"; else sha256sum < "$f"; fi;; esac
        done
        """;
    return Command.of("sh", "-c", script, "objects", repo.toString()).run().text().lines().toList();
  }

  /** What ostree pulls out of our archive is what we wrote. */
  @Test
  void ostreePullsFromOurArchive() throws IOException {
    Path archive = dir.resolve("archive");
    Repository repository = Repository.create(archive, Repository.Mode.ARCHIVE);
    Checksum commit = commit(repository, nasty, "os/test");
    Path pulled = dir.resolve("pulled");
    ostree(pulled, "init", "--mode=bare").run();
    ostree(pulled, "pull-local", archive.toString(), "os/test").run();
    Repository bare = Repository.open(pulled);
    assertThat(Trees.describe(bare.readTree(commit))).isEqualTo(nastyLines);
    assertThat(bare.fsck(Progress.NONE).errors()).isEmpty();
    assertThat(ostree(pulled, "fsck").run().text()).contains("no errors found");
  }

  @Test
  void checkoutIsWhatOstreeChecksOut() throws IOException {
    Path path = dir.resolve("repo");
    Repository repository = Repository.create(path, Repository.Mode.BARE);
    Checksum commit = commit(repository, nasty, "os/test");
    repository.checkout(repository.readTree(commit), dir.resolve("ours"));
    ostree(path, "checkout", "os/test", dir.resolve("theirs").toString()).run();
    assertSameLines(listing(dir.resolve("ours")), listing(dir.resolve("theirs")));
    assertThat(Command.of("diff", "-r", "--no-dereference", "ours", "theirs").directory(dir).run())
        .satisfies(r -> assertThat(r.text()).isEmpty());
    Path linked = dir.resolve("ours/usr/bin/setuid");
    assertThat(Posix.lstat(OsPath.of(linked)).nlink()).isEqualTo(3);
  }

  /** Everything lstat and getfattr tell; inodes of files, because they are links to objects. */
  private static List<String> listing(Path root) {
    String script =
        """
        cd "$1" && {
          find . -type d -printf '%p %m %U:%G %T@ %n\\0'
          # ostree makes empty files anew and leaves their time.
          find . -type f -size 0 -printf '%p %m %U:%G %n\\0'
          find . -not -type d -size +0 -printf '%p %m %U:%G %s %i %T@ %n %l\\0'
        } | tr '\\n\\0' '\\1\\n' | LC_ALL=C sort
        find . -print0 | LC_ALL=C sort -z | xargs -0 getfattr -h -d -m - -e hex 2>/dev/null
        """;
    return Command.of("sh", "-c", script, "listing", root.toString()).run().text().lines().toList();
  }

  @Test
  void damageIsFoundAndNamedByBoth() throws IOException {
    Path path = dir.resolve("repo");
    Repository repository = Repository.create(path, Repository.Mode.BARE);
    Checksum commit = commit(repository, nasty, "os/test");
    String line = ostree(path, "ls", "-C", "os/test", "/usr/bin/plain").output();
    String hex = line.replaceFirst(".* ([0-9a-f]{64}) .*", "$1");
    Files.writeString(repository.objectPath(new Checksum(hex), ObjectType.FILE), "#!/bin/s!\n");
    FsckReport report = repository.fsck(Progress.NONE);
    assertThat(report.commits()).isOne();
    assertThat(report.errors()).singleElement().asString().contains(hex, "damaged");
    Command.Result theirs = ostree(path, "fsck").tryRun();
    assertThat(theirs.status()).isNotZero();
    assertThat(theirs.stderr() + theirs.text()).contains(hex);

    Files.delete(repository.objectPath(new Checksum(hex), ObjectType.FILE));
    assertThat(repository.fsck(Progress.NONE).errors())
        .singleElement()
        .asString()
        .contains(hex, "lacks");
    TreeRoot root = repository.readCommit(commit).root();
    Files.delete(repository.objectPath(root.dirtree(), ObjectType.DIRTREE));
    assertThat(repository.fsck(Progress.NONE).errors())
        .singleElement()
        .asString()
        .contains(root.dirtree().hex());
    assertThatThrownBy(() -> repository.prune(Set.of()))
        .isInstanceOf(Problem.class)
        .hasMessageContaining(root.dirtree().hex())
        .hasMessageContaining("fsck --repair");
  }

  @Test
  void pruneLeavesWhatOstreesPruneLeaves() throws IOException {
    Path path = dir.resolve("repo");
    Repository repository = Repository.create(path, Repository.Mode.BARE);
    Checksum old = commit(repository, nasty, "os/test");
    FileTree second =
        new Trees.Builder()
            .file("usr/bin/plain", 0755, "#!/bin/sh\n")
            .file("usr/new", 0644, "new")
            .build();
    Checksum kept = commit(repository, second, "os/kept");
    Checksum extra =
        commit(repository, new Trees.Builder().file("extra", 0600, "extra").build(), "os/extra");
    repository.addDetachedMetadata(old, Map.of("k", GVariant.string("v")));
    try (Transaction transaction = repository.begin()) {
      transaction.setRef("os/test", null);
      transaction.setRef("os/extra", null);
      transaction.commit();
    }
    Command.of("cp", "-a", path.toString(), dir.resolve("copy").toString()).run();
    ostree(dir.resolve("copy"), "prune", "--refs-only", "--depth=0").run();

    Repository.Pruned first = repository.prune(Set.of(extra));
    assertThat(first.removed()).isGreaterThan(30).isLessThan(first.objects());
    assertThat(first.bytes()).isGreaterThan(5_000_000);
    assertThat(repository.has(extra, ObjectType.COMMIT)).isTrue();
    repository.prune(Set.of());
    assertThat(names(path)).isEqualTo(names(dir.resolve("copy")));
    assertThat(repository.has(kept, ObjectType.COMMIT)).isTrue();
    assertThat(repository.has(old, ObjectType.COMMITMETA)).isFalse();
    assertThat(ostree(path, "fsck").run().text()).contains("no errors found");
  }

  private static List<String> names(Path repo) {
    return Command.of("find", "objects", "-not", "-type", "d")
        .directory(repo)
        .run()
        .text()
        .lines()
        .sorted()
        .toList();
  }

  @Test
  void refsAreOstrees() throws IOException {
    Path path = dir.resolve("repo");
    Repository repository = Repository.create(path, Repository.Mode.BARE);
    Checksum commit = commit(repository, new Trees.Builder().build(), "ostree/container/a_2E_b");
    ostree(path, "refs", "--create=other/ref", commit.hex()).run();
    assertThat(repository.refs("").keySet())
        .containsExactly("ostree/container/a_2E_b", "other/ref");
    assertThat(repository.refs("ostree").keySet()).containsExactly("ostree/container/a_2E_b");
    assertThat(repository.refs("ost")).isEmpty();
    assertThat(repository.resolveRef("other/ref")).contains(commit);
    assertThat(repository.resolveRef("other")).isEmpty();
    assertThat(repository.resolveRef("other/ref/more")).isEmpty();
    for (String bad : new String[] {"", "/", "a//b", "../x", "a/..", "a b", "a/", "é", "a\n"}) {
      assertThatThrownBy(() -> repository.resolveRef(bad)).as(bad).isInstanceOf(Problem.class);
    }
    try (Transaction transaction = repository.begin()) {
      transaction.setRef("other/ref/below", commit);
      assertThatThrownBy(transaction::commit).isInstanceOf(Problem.class);
    }
    Files.writeString(path.resolve("refs/heads/broken"), "zz\n");
    assertThatThrownBy(() -> repository.refs("")).isInstanceOf(Problem.class);
  }

  /** The object is what ostree makes of the file, and as small on the disk as the file. */
  @ParameterizedTest
  @Tag("slow")
  @EnumSource(names = {"BARE", "BARE_USER"})
  void holesStayHoles(Repository.Mode mode) throws IOException {
    Path files = Files.createDirectories(dir.resolve("files"));
    Path sparse = Files.writeString(files.resolve("sparse"), "begin");
    Command.of("truncate", "-s", "300M", sparse.toString()).run();
    Files.writeString(sparse, "end", java.nio.file.StandardOpenOption.APPEND);
    Path path = dir.resolve("repo");
    Repository repository = Repository.create(path, mode);
    commit(repository, DirectoryReader.read(files), "x");
    assertThat(Long.parseLong(Command.of("du", "-sk", path.toString()).output().split("\\s")[0]))
        .isLessThan(2048);
    assertThat(ostree(path, "fsck").run().text()).contains("no errors found");
  }

  @Test
  void anAbandonedTransactionLeavesNothing() throws IOException {
    Path path = dir.resolve("repo");
    Repository repository = Repository.create(path, Repository.Mode.BARE);
    try (Transaction transaction = repository.begin()) {
      TreeRoot root = transaction.writeTree(nasty);
      transaction.setRef(
          "x", transaction.writeCommit(new CommitSpec(Map.of(), null, "", "", 0, root)));
    }
    assertThat(names(path)).isEmpty();
    assertThat(repository.refs("")).isEmpty();
    assertThat(Posix.list(OsPath.of(path.resolve("tmp")))).containsExactly(OsPath.of("cache"));
  }

  @Test
  void leftoversOfDeadWritersAreSwept() throws IOException {
    Path path = dir.resolve("repo");
    Repository repository = Repository.create(path, Repository.Mode.BARE);
    Files.createDirectories(path.resolve("tmp/slipway-dead/aa"));
    Files.createDirectories(path.resolve("tmp/staging-0000-abc/aa"));
    String boot = Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip();
    Path theirs = Files.createDirectories(path.resolve("tmp/staging-" + boot + "-abc"));
    try (Transaction first = repository.begin()) {
      assertThat(path.resolve("tmp/slipway-dead")).doesNotExist();
      assertThat(path.resolve("tmp/staging-0000-abc")).doesNotExist();
      assertThat(theirs).exists();
      // A second writer does not sweep the first away.
      TreeRoot root = first.writeTree(new Trees.Builder().file("a", 0644, "a").build());
      try (Transaction second = repository.begin()) {
        second.commit();
      }
      first.setRef("a", first.writeCommit(new CommitSpec(Map.of(), null, "", "", 0, root)));
      first.commit();
    }
    assertThat(ostree(path, "fsck").run().text()).contains("no errors found");
  }

  @Test
  @Tag("slow")
  void manyThreadsMayStore() throws Exception {
    Repository repository = Repository.create(dir.resolve("repo"), Repository.Mode.BARE);
    List<FileTree> trees = new ArrayList<>();
    try (Transaction transaction = repository.begin()) {
      List<Thread> threads = new ArrayList<>();
      for (int t = 0; t < 8; t++) {
        int number = t;
        threads.add(
            Thread.ofVirtual()
                .start(
                    () -> {
                      try {
                        Trees.Builder b = new Trees.Builder();
                        for (int i = 0; i < 400; i++) {
                          byte[] bytes = Trees.bytes(i % 7 + number % 2, i * 1000);
                          b.put(
                              "f" + i, Trees.file(slipway.archive.tar.Metadata.file(0644), bytes));
                        }
                        FileTree tree = b.build();
                        TreeRoot root = transaction.writeTree(tree);
                        Checksum c =
                            transaction.writeCommit(
                                new CommitSpec(Map.of(), null, "", "", number, root));
                        transaction.setRef("t/" + number, c);
                        synchronized (trees) {
                          trees.add(tree);
                        }
                      } catch (IOException e) {
                        throw new java.io.UncheckedIOException(e);
                      }
                    }));
      }
      for (Thread t : threads) {
        t.join();
      }
      transaction.commit();
    }
    assertThat(trees).hasSize(8);
    assertThat(repository.refs("t")).hasSize(8);
    assertThat(repository.fsck(Progress.NONE).errors()).isEmpty();
  }

  @Test
  void whatOstreeCannotHoldIsNamed() throws IOException {
    Repository repository = Repository.create(dir.resolve("repo"), Repository.Mode.BARE);
    FileTree device =
        new Trees.Builder()
            .put(
                "usr/null",
                new slipway.tree.Node.Special(
                    new slipway.archive.tar.Metadata(020666, 0, 0, 0, 0, List.of()),
                    Posix.makedev(1, 3)))
            .build();
    assertThatThrownBy(() -> commit(repository, device, "x"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("usr/null");
    FileTree latin =
        new Trees.Builder()
            .put(
                OsPath.ofBytes(new byte[] {'a', (byte) 0xe9}),
                Trees.file(slipway.archive.tar.Metadata.file(0644), ""))
            .build();
    assertThatThrownBy(() -> commit(repository, latin, "x"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("UTF-8");
  }

  @Test
  void openingSaysWhatIsWrong() throws IOException {
    assertThatThrownBy(() -> Repository.open(dir.resolve("none")))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("no ostree repository");
    Path path = dir.resolve("repo");
    Repository.create(path, Repository.Mode.BARE);
    assertThatThrownBy(() -> Repository.create(path, Repository.Mode.ARCHIVE))
        .isInstanceOf(Problem.class);
    Files.writeString(path.resolve("config"), "[core]\nrepo_version=1\nmode=bare-split-xattrs\n");
    assertThatThrownBy(() -> Repository.open(path)).hasMessageContaining("bare-split-xattrs");
    Files.writeString(path.resolve("config"), "[core]\nrepo_version=2\n");
    assertThatThrownBy(() -> Repository.open(path)).hasMessageContaining("repo_version");
  }

  @Test
  void theReserveIsKept() throws IOException {
    Path path = dir.resolve("repo");
    Repository repository = Repository.create(path, Repository.Mode.BARE);
    repository.writeConfig(repository.config().with("core", "min-free-space-size", "900000TB"));
    assertThatThrownBy(() -> commit(repository, nasty, "x"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("min-free-space");
    assertThat(names(path)).isEmpty();
    repository.writeConfig(repository.config().with("core", "min-free-space-size", "plenty"));
    assertThatThrownBy(repository::begin).hasMessageContaining("plenty");
  }

  @Test
  void detachedMetadataIsOstrees() throws IOException {
    Path path = dir.resolve("repo");
    Repository repository = Repository.create(path, Repository.Mode.BARE);
    Checksum commit = commit(repository, new Trees.Builder().build(), "a");
    repository.addDetachedMetadata(commit, Map.of("key", GVariant.string("value")));
    assertThat(ostree(path, "show", "--print-detached-metadata-key=key", commit.hex()).output())
        .isEqualTo("'value'");
    assertThat(repository.readDetachedMetadata(commit).get("key"))
        .isEqualTo(GVariant.string("value"));
    repository.changeDetachedMetadata(commit, Map::clear);
    assertThat(repository.readDetachedMetadata(commit)).isEmpty();
  }

  /** An image that brings a commit again takes no signature of it away. */
  @Test
  void whatComesBesideACommitIsAddedToWhatIsThere() throws IOException {
    Repository repository = Repository.create(dir.resolve("repo"), Repository.Mode.BARE);
    Checksum commit = commit(repository, new Trees.Builder().build(), "a");
    GVariant ours = GVariant.bytes(new byte[] {1});
    GVariant theirs = GVariant.bytes(new byte[] {2});
    repository.addDetachedMetadata(
        commit,
        Map.of(
            "ostree.sign.ed25519",
            GVariant.array("ay", List.of(ours)),
            "key",
            GVariant.string("ours")));
    repository.addDetachedMetadata(
        commit,
        Map.of(
            "ostree.sign.ed25519",
            GVariant.array("ay", List.of(theirs, ours)),
            "key",
            GVariant.string("theirs"),
            "more",
            GVariant.string("new")));
    Map<String, GVariant> all = repository.readDetachedMetadata(commit);
    assertThat(all.get("ostree.sign.ed25519"))
        .isEqualTo(GVariant.array("ay", List.of(ours, theirs)));
    assertThat(all.get("key")).isEqualTo(GVariant.string("ours"));
    assertThat(all.get("more")).isEqualTo(GVariant.string("new"));
    repository.addDetachedMetadata(
        commit, Map.of("ostree.sign.ed25519", GVariant.array("ay", List.of())));
    assertThat(repository.readDetachedMetadata(commit)).isEqualTo(all);
  }

  /** Two machines' tools, or one beside an upgrade, bring signatures of the same commit. */
  @Test
  void signaturesThatComeAtOnceAreAllKept() throws Exception {
    Path path = dir.resolve("repo");
    Checksum commit =
        commit(Repository.create(path, Repository.Mode.BARE), new Trees.Builder().build(), "a");
    int writers = 4;
    int each = 10;
    List<Future<?>> running = new ArrayList<>();
    try (var threads = Executors.newFixedThreadPool(writers)) {
      for (int w = 0; w < writers; w++) {
        byte writer = (byte) w;
        Repository repository = Repository.open(path);
        running.add(
            threads.submit(
                () -> {
                  for (byte i = 0; i < each; i++) {
                    GVariant signature = GVariant.bytes(new byte[] {writer, i});
                    repository.addDetachedMetadata(
                        commit, Map.of("signed", GVariant.array("ay", List.of(signature))));
                  }
                  return null;
                }));
      }
    }
    for (Future<?> writer : running) {
      writer.get();
    }
    Map<String, GVariant> all = Repository.open(path).readDetachedMetadata(commit);
    assertThat(all.get("signed").count()).isEqualTo(writers * each);
  }

  /** What came first, under the makers' key, is no list of signatures, too much, or damaged. */
  @Test
  void nothingKeepsSignaturesOut() throws Exception {
    Repository repository = Repository.create(dir.resolve("repo"), Repository.Mode.BARE);
    Checksum commit = commit(repository, new Trees.Builder().build(), "a");
    GVariant signatures = GVariant.array("ay", List.of(GVariant.bytes(new byte[] {1})));
    repository.addDetachedMetadata(commit, Map.of("ostree.gpgsigs", GVariant.string("none")));
    repository.addDetachedMetadata(commit, Map.of("ostree.gpgsigs", signatures));
    repository.addDetachedMetadata(commit, Map.of("ostree.gpgsigs", GVariant.string("none")));
    assertThat(repository.readDetachedMetadata(commit))
        .containsOnly(Map.entry("ostree.gpgsigs", signatures));
    GVariant large = GVariant.bytes(new byte[6 << 20]);
    repository.addDetachedMetadata(commit, Map.of("large", large));
    assertThatThrownBy(() -> repository.addDetachedMetadata(commit, Map.of("more", large)))
        .hasMessageContaining("more than 10 MiB");
    assertThat(repository.readDetachedMetadata(commit)).doesNotContainKey("more");
    Path file = repository.objectPath(commit, ObjectType.COMMITMETA);
    try (var huge = Files.newByteChannel(file, java.nio.file.StandardOpenOption.WRITE)) {
      huge.position(200L << 20).write(java.nio.ByteBuffer.wrap(new byte[1]));
    }
    repository.addDetachedMetadata(commit, Map.of("ostree.gpgsigs", signatures));
    assertThat(repository.readDetachedMetadata(commit))
        .containsOnly(Map.entry("ostree.gpgsigs", signatures));
  }
}
