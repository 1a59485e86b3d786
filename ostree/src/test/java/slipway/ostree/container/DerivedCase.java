package slipway.ostree.container;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import slipway.archive.compress.Compression;
import slipway.archive.tar.Metadata;
import slipway.linux.process.Command;
import slipway.oci.model.Digest;
import slipway.ostree.TestImage;
import slipway.ostree.Trees;
import slipway.ostree.object.Checksum;
import slipway.tree.Content;
import slipway.tree.FileTree;
import slipway.tree.Layer;
import slipway.tree.Node;
import slipway.tree.TreeBuilder;

/**
 * Images as Fedora, CentOS and RHEL have them: lower layers encapsulate a commit that ostree made,
 * in chunks; upper ones are derived from it. The lower ones are written by a script that knows
 * ostree-ext's layout and nothing of ours.
 */
abstract class DerivedCase extends ImportCase {
  static final String USR = "system_u:object_r:usr_t:s0";
  static final String BIN = "system_u:object_r:bin_t:s0";
  static final String ETC = "system_u:object_r:etc_t:s0";
  static final String POLICY =
      """
      /.*                     system_u:object_r:default_t:s0
      /usr(/.*)?              system_u:object_r:usr_t:s0
      /usr/bin(/.*)?          system_u:object_r:bin_t:s0
      /usr/etc(/.*)?          system_u:object_r:etc_t:s0
      /tmp/.*                 <<none>>
      """;

  Path tree;
  Path source;

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
  void label(String below, String type) {
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

  Checksum commit(String... options) {
    return new Checksum(
        Command.of("ostree", "commit", "--repo=" + source, "--branch=os", "--tree=dir=" + tree)
            .with(options)
            .with("--add-metadata-string=version=40", "--timestamp=2024-01-02 03:04:05 +0000")
            .with("--add-detached-metadata-string=signed=by them")
            .output()
            .strip());
  }

  /** The commit in three layers, and layers above them. */
  TestImage image(Checksum commit, Layer... derived) throws IOException {
    Path out = Files.createTempDirectory(dir, "layers");
    Path script = out.resolve("encapsulate.py");
    try (InputStream in =
        java.util.Objects.requireNonNull(DerivedCase.class.getResourceAsStream("encapsulate.py"))) {
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
  static Layer derived() {
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

  String ls(Checksum commit, Path repo) {
    return Command.of("ostree", "ls", "-RCX", "--repo=" + repo, commit.hex()).output();
  }

  String label(FileTree tree, String path) {
    return tree.find(path)
        .flatMap(node -> node.metadata().xattr("security.selinux"))
        .map(v -> new String(v, StandardCharsets.UTF_8))
        .orElse("none");
  }

  static String text(FileTree tree, String path) throws IOException {
    try (InputStream in = ((Node.File) tree.find(path).orElseThrow()).content().open()) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
