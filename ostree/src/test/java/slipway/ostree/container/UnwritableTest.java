package slipway.ostree.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import slipway.archive.compress.Compression;
import slipway.archive.tar.Metadata;
import slipway.base.Problem;
import slipway.linux.mount.Mount;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Xattrs;
import slipway.linux.process.Command;
import slipway.ostree.TestImage;
import slipway.ostree.Trees;
import slipway.ostree.repo.Repository;
import slipway.tree.TreeBuilder;

/** Images with what the file system of the repository cannot take. */
class UnwritableTest extends ImportCase {
  private @Nullable Path mounted;

  @AfterEach
  void unmount() {
    if (mounted != null) {
      Command.of("umount", mounted.toString()).run();
    }
  }

  /** Puts the repository on a file system of its own. */
  private void on(String type, int mebibytes) throws IOException {
    Path image = dir.resolve("image");
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(mebibytes * 1024L * 1024);
    }
    Command.of("mkfs." + type, "-q", image.toString()).run();
    Path place = Files.createDirectory(dir.resolve("mounted"));
    Command.of("mount", "-o", "loop", image.toString(), place.toString()).run();
    mounted = place;
    path = place.resolve("repo");
    repository = Repository.create(path, Repository.Mode.BARE);
  }

  private static TestImage with(TreeBuilder tree) throws IOException {
    return new TestImage().layer(base(), Compression.NONE).layer(tree.layer(), Compression.NONE);
  }

  private void refused(TestImage image, String... parts) throws IOException {
    assertThatThrownBy(() -> run(image))
        .isInstanceOfSatisfying(
            Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.ENVIRONMENT))
        .hasMessageContainingAll(parts)
        .message()
        .doesNotContain("\n");
    assertThat(repository.refs("ostree/container/image")).isEmpty();
  }

  @Test
  void tellsOfALinkThatIsTooLong() throws IOException {
    on("xfs", 320);
    refused(
        with(new TreeBuilder().symlink("usr/lib/long", "x".repeat(1500))),
        "cannot write \"usr/lib/long\" into " + path,
        "File name too long");
  }

  @Test
  void tellsOfAttributesThatAreTooLarge() throws IOException {
    on("ext4", 32);
    Metadata large =
        Metadata.file(0644).withXattrs(List.of(Trees.xattr("user.large", "x".repeat(5000))));
    refused(
        with(new TreeBuilder().file("usr/lib/attributes", large, content("x"))),
        "cannot write \"usr/lib/attributes\" into " + path,
        "No space left on device");
  }

  @Test
  void tellsThatInodesAreExhausted() throws IOException {
    Path place = Files.createDirectory(dir.resolve("mounted"));
    try (Mount disk = Mount.of("tmpfs", place, "tmpfs", 0, "nr_inodes=200")) {
      path = place.resolve("repo");
      repository = Repository.create(path, Repository.Mode.BARE);
      TreeBuilder files = new TreeBuilder();
      TreeBuilder links = new TreeBuilder();
      TreeBuilder directories = new TreeBuilder();
      for (int i = 0; i < 300; i++) {
        files.file(
            "usr/f/" + i, 0644, ("file " + i).getBytes(java.nio.charset.StandardCharsets.UTF_8));
        links.symlink("usr/l/" + i, "target " + i);
        directories.symlink("usr/d/" + i + "/x", "same");
        directories.directory("usr/d/" + i, Metadata.directory(0700).withOwner(i, i));
      }
      for (TreeBuilder tree : List.of(files, links, directories)) {
        refused(
            new TestImage().layer(tree.layer(), Compression.NONE),
            "cannot write \"",
            "\" into " + path,
            "the file system of " + path + " has no inodes left");
      }
    }
  }

  @Test
  void leavesOutAttributesThatLinuxLacks() throws IOException {
    TreeBuilder tree = new TreeBuilder();
    Metadata odd =
        Metadata.file(0644)
            .withXattrs(
                List.of(
                    Trees.xattr("com.apple.quarantine", "q"),
                    Trees.xattr("system.unknown", "s"),
                    Trees.xattr("user.", "u"),
                    Trees.xattr("user.kept", "k")));
    tree.file("usr/lib/a", odd, content("a"));
    tree.file("usr/lib/b", odd, content("b"));
    tree.directory("usr/lib/odd", Metadata.directory(0755).withXattrs(odd.xattrs()));
    Imported imported = run(with(tree));
    assertThat(notes)
        .contains(
            "left out, because Linux has no such extended attributes: com.apple.quarantine (3),"
                + " system.unknown (3), user. (3)");
    Path checkout = dir.resolve("checkout");
    repository.checkout(repository.readTree(imported.mergeCommit()), checkout);
    for (String name : List.of("a", "b", "odd")) {
      assertThat(Xattrs.llistxattr(OsPath.of(checkout.resolve("usr/lib").resolve(name))))
          .contains(OsPath.of("user.kept"))
          .noneMatch(x -> x.startsWith("com.") || x.startsWith("system."));
    }
    assertClean();
  }

  @Test
  void refusesAnEtcThatIsNoDirectory() throws IOException {
    TestImage image =
        new TestImage()
            .layer(
                new TreeBuilder()
                    .file("usr/etc/x", 0644, new byte[1])
                    .symlink("etc", "usr/etc")
                    .layer(),
                Compression.NONE);
    assertThatThrownBy(() -> run(image))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("etc is no directory");
  }

  @Test
  void leavesWhatALayerBringsBesideItsWhiteoutOfEtc() throws IOException {
    TreeBuilder tree = new TreeBuilder();
    tree.put("etc", slipway.tree.Node.Whiteout.INSTANCE);
    tree.file("usr/etc/own", 0644, new byte[1]);
    Imported imported = run(with(tree));
    var merged = repository.readTree(imported.mergeCommit());
    assertThat(merged.find("usr/etc/own")).isPresent();
    assertThat(merged.find("usr/etc/passwd")).isEmpty();
  }
}
