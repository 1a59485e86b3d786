package slipway.ostree.container;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import slipway.archive.compress.Compression;
import slipway.archive.tar.Metadata;
import slipway.base.Notes;
import slipway.base.Progress;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.linux.process.Command;
import slipway.ostree.TestImage;
import slipway.ostree.Trees;
import slipway.ostree.repo.Repository;
import slipway.tree.Content;
import slipway.tree.Layer;
import slipway.tree.Node;
import slipway.tree.TreeBuilder;

/** A repository to import into, and an image of two layers with one of each kind of entry. */
abstract class ImportCase {
  static final String NAME = "docker://registry.example/os/test:1";

  @TempDir Path dir;
  Path path;
  Repository repository;
  final List<String> notes = new ArrayList<>();
  final Progress progress = new Notes(notes::add);

  @BeforeEach
  void create() throws IOException {
    path = dir.resolve("repo");
    repository = Repository.create(path, Repository.Mode.BARE);
  }

  Imported run(TestImage image) throws IOException {
    return ContainerImport.run(repository, image, image.manifest(), image.config(), NAME, progress);
  }

  void assertClean() throws IOException {
    assertThat(Command.of("ostree", "--repo=" + path, "fsck").run().text())
        .contains("no errors found");
    assertThat(repository.fsck(Progress.NONE).errors()).isEmpty();
    assertThat(Posix.list(OsPath.of(path.resolve("tmp")))).containsExactly(OsPath.of("cache"));
  }

  static Metadata timed(Metadata metadata) {
    return metadata.withMtime(1_600_000_000, 5);
  }

  static Layer base() {
    TreeBuilder b = new TreeBuilder();
    b.directory("", timed(Metadata.directory(0755)));
    b.directory("usr", timed(Metadata.directory(0755)));
    b.directory("usr/bin", timed(Metadata.directory(0755)));
    b.file("usr/bin/tool", timed(Metadata.file(04755)), content("tool"));
    b.link("usr/bin/tool", "usr/bin/alias");
    b.file("usr/lib/large", timed(Metadata.file(0644)), Content.of(Trees.bytes(1, 3_000_000)));
    b.file(
        "usr/lib/ostree/prepare-root.conf",
        timed(Metadata.file(0644)),
        content("[composefs]\nenabled = verity\n"));
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

  static Layer second() {
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

  static Content content(String text) {
    return Content.of(text.getBytes(StandardCharsets.UTF_8));
  }

  static TestImage image() throws IOException {
    return new TestImage()
        .label("org.opencontainers.image.version", "7.2")
        .layer(base(), Compression.GZIP)
        .layer(second(), Compression.ZSTD);
  }

  /** An image with a policy of SELinux above its layers. */
  static TestImage withPolicy(TestImage image) throws IOException {
    TreeBuilder b = new TreeBuilder();
    b.file(
        "etc/selinux/config",
        timed(Metadata.file(0644)),
        content("SELINUX=enforcing\nSELINUXTYPE=t\n"));
    b.file(
        "etc/selinux/t/contexts/files/file_contexts",
        timed(Metadata.file(0644)),
        content("/.* system_u:object_r:default_t:s0\n/usr/lib/f1 <<none>>\n"));
    return image.tarLayer(TestImage.tar(b.layer()), Compression.GZIP);
  }
}
