package slipway.ostree.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.archive.compress.Compression;
import slipway.archive.tar.Metadata;
import slipway.base.Limit;
import slipway.base.Notes;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.process.Command;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.Transfer;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;
import slipway.ostree.TestImage;
import slipway.ostree.object.Checksum;
import slipway.ostree.repo.Repository;
import slipway.tree.Content;
import slipway.tree.TreeBuilder;

/** A commit that ostree made goes into an image and comes out of it, the same to the last bit. */
class EncapsulationTest {
  @TempDir Path dir;
  private Path repo;
  private Checksum commit;

  @BeforeEach
  void commit() throws IOException {
    Path tree = dir.resolve("tree");
    for (String folder : "usr/bin usr/etc/app var sysroot/x empty/a empty/b".split(" ")) {
      Files.createDirectories(tree.resolve(folder));
    }
    Files.writeString(tree.resolve("usr/bin/a"), "content");
    Files.writeString(tree.resolve("usr/bin/b"), "content");
    Files.createFile(tree.resolve("usr/bin/none"));
    Files.createFile(tree.resolve("usr/etc/none"));
    Files.writeString(tree.resolve("usr/etc/app/conf"), "x".repeat(100_000));
    Files.createSymbolicLink(tree.resolve("usr/bin/link"), Path.of("..//bin/a"));
    Command.of(
            "bash",
            "-c",
            "setfattr -n user.x -v y usr/bin/a; setfattr -n security.selinux -v l:a:b:c usr/bin/b;"
                + " chown 3:4 usr/bin/b; chmod 4755 usr/bin/b; chmod 700 empty/b")
        .directory(tree)
        .run();
    repo = dir.resolve("repo");
    Command.of("ostree", "init", "--mode=bare", "--repo=" + repo).run();
    String checksum =
        Command.of("ostree", "commit", "--repo=" + repo, "--branch=os/x", "--tree=dir=" + tree)
            .with("--subject=A version", "--body=of it", "--add-metadata-string=version=7")
            .with("--add-metadata=ostree.bootable=true", "--timestamp=2024-01-02 03:04:05 +0000")
            .with("--add-detached-metadata-string=signed=by me")
            .output()
            .strip();
    commit = new Checksum(checksum);
  }

  private EncapsulatedCommit image() throws IOException {
    return EncapsulatedCommit.of(
        Repository.open(repo),
        commit,
        new EncapsulatedCommit.Options(
            Map.of("who", "me"), List.of(), List.of("version", "no"), List.of("/bin/a"), 1));
  }

  private static Checksum bring(Path into, ImageSource image, @Nullable String ref)
      throws IOException {
    return bring(into, image, ref, Progress.NONE);
  }

  private static Checksum bring(
      Path into, ImageSource image, @Nullable String ref, Progress progress) throws IOException {
    Manifest.Image manifest = (Manifest.Image) image.manifest(null);
    ImageConfig config = ImageConfig.parse(Transfer.config(image, manifest));
    return EncapsulatedImport.run(Repository.open(into), image, manifest, config, ref, progress);
  }

  private Path fresh(String mode) {
    Path other = dir.resolve("other-" + mode);
    Command.of("ostree", "init", "--mode=" + mode, "--repo=" + other).run();
    return other;
  }

  private static String ls(Path repo, String ref) {
    return Command.of("ostree", "ls", "-RCX", "--repo=" + repo, ref).output();
  }

  @Test
  void theSameCommitComesOut() throws Exception {
    Path other = fresh("bare");
    try (EncapsulatedCommit image = image()) {
      assertThat(bring(other, image, "os/y")).isEqualTo(commit);
    }
    Command.of("ostree", "fsck", "--quiet", "--repo=" + other).run();
    assertThat(ls(other, "os/y")).isEqualTo(ls(repo, "os/x"));
    assertThat(
            Command.of("ostree", "show", "--repo=" + other, "os/y")
                .with("--print-detached-metadata-key=signed")
                .output())
        .isEqualTo("'by me'");
  }

  /** The commit is there without its signatures. */
  @Test
  void signaturesThatCannotBeKeptAreTold() throws Exception {
    Path other = fresh("bare");
    String name = commit.hex();
    Files.createDirectories(
        other.resolve(
            "objects/" + name.substring(0, 2) + "/" + name.substring(2) + ".commitmeta/x"));
    List<String> notes = new ArrayList<>();
    Progress progress = new Notes(notes::add);
    try (EncapsulatedCommit image = image()) {
      assertThat(bring(other, image, "os/y", progress)).isEqualTo(commit);
    }
    assertThat(notes)
        .singleElement()
        .asString()
        .startsWith("warning: the signatures of the commit " + name + " could not be kept: ");
    assertThat(Repository.open(other).resolveRef("os/y")).contains(commit);
  }

  /** What ostree-ext reads is a repository that ostree itself reads, when it is unpacked. */
  @Test
  void theLayerIsARepositoryAndARoot() throws Exception {
    Path root = Files.createDirectory(dir.resolve("root"));
    try (EncapsulatedCommit image = image()) {
      Manifest.Image manifest = (Manifest.Image) image.manifest(null);
      ImageConfig config = ImageConfig.parse(Transfer.config(image, manifest));
      assertThat(config.labels())
          .containsEntry("ostree.commit", commit.hex())
          .containsEntry("ostree.final-diffid", config.diffIds().getFirst().toString())
          .containsEntry("ostree.bootable", "true")
          .containsEntry("containers.bootc", "1")
          .containsEntry("org.opencontainers.image.version", "7")
          .containsEntry("who", "me")
          .doesNotContainKey("no");
      assertThat(config.cmd()).containsExactly("/bin/a");
      assertThat(config.created()).isEqualTo("2024-01-02T03:04:05Z");
      try (InputStream in = image.blob(manifest.layers().getFirst(), 0)) {
        Command.of("tar", "--xattrs", "-xpzf", "-", "-C", root.toString())
            .stdin(in.readAllBytes())
            .run();
      }
    }
    Path inside = root.resolve("sysroot/ostree/repo");
    Path copy = fresh("bare-user");
    Command.of("ostree", "fsck", "--quiet", "--repo=" + inside).run();
    Command.of("ostree", "pull-local", "--repo=" + copy, inside.toString(), commit.hex()).run();
    Command.of("ostree", "fsck", "--quiet", "--repo=" + copy).run();
    assertThat(Files.readString(root.resolve("usr/bin/b"))).isEqualTo("content");
    assertThat(Files.size(root.resolve("etc/app/conf"))).isEqualTo(100_000);
    assertThat(root.resolve("usr/etc")).doesNotExist();
    assertThat(Files.getAttribute(root.resolve("usr/bin/b"), "unix:mode")).isEqualTo(0104755);
    assertThat(Files.getAttribute(root.resolve("usr/bin/none"), "unix:nlink")).isEqualTo(1);
    assertThat(Files.readSymbolicLink(root.resolve("usr/bin/link"))).hasToString("../bin/a");
    assertThat(Files.getAttribute(root.resolve("var/tmp"), "unix:mode")).isEqualTo(0041777);
  }

  /** An image whose layer somebody changed, with digests that fit. */
  private ImageSource changed(Change change) throws IOException {
    byte[] tar;
    ImageConfig config;
    try (EncapsulatedCommit image = image()) {
      Manifest.Image manifest = (Manifest.Image) image.manifest(null);
      config = ImageConfig.parse(Transfer.config(image, manifest));
      try (InputStream in =
          Compression.decompressAny(image.blob(manifest.layers().getFirst(), 0))) {
        tar = in.readAllBytes();
      }
    }
    byte[] bytes = change.of(tar);
    Descriptor layer = Descriptor.of(MediaTypes.OCI_LAYER, bytes);
    byte[] json =
        ImageConfig.of(
                Platform.host(),
                null,
                Map.of("ostree.final-diffid", layer.digest().toString()),
                List.of(layer.digest()))
            .toJson();
    Descriptor described = Descriptor.of(MediaTypes.OCI_CONFIG, json);
    Manifest.Image manifest = Manifest.Image.of(described, List.of(layer), Map.of());
    assertThat(config.diffIds()).isNotEmpty();
    return new ImageSource() {
      @Override
      public String describe() {
        return "changed";
      }

      @Override
      public Manifest manifest(@Nullable String selector) {
        return manifest;
      }

      @Override
      public InputStream blob(Descriptor descriptor, long offset) {
        return new ByteArrayInputStream(
            descriptor.digest().equals(described.digest()) ? json : bytes);
      }
    };
  }

  /** What sends a layer otherwise than the manifest says. */
  private static ImageSource sending(ImageSource good, Descriptor layer, Change change) {
    return new ImageSource() {
      @Override
      public String describe() {
        return good.describe();
      }

      @Override
      public Manifest manifest(@Nullable String selector) throws IOException {
        return good.manifest(selector);
      }

      @Override
      public InputStream blob(Descriptor descriptor, long offset) throws IOException {
        try (InputStream in = good.blob(descriptor, offset)) {
          byte[] bytes = in.readAllBytes();
          return new ByteArrayInputStream(descriptor.equals(layer) ? change.of(bytes) : bytes);
        }
      }
    };
  }

  private interface Change {
    byte[] of(byte[] tar) throws IOException;
  }

  /** Replaces text of the same length in the layer. */
  private static byte[] replaced(byte[] tar, String from, String to) {
    String text = new String(tar, StandardCharsets.ISO_8859_1);
    assertThat(text).contains(from);
    return text.replace(from, to).getBytes(StandardCharsets.ISO_8859_1);
  }

  private static byte[] without(byte[] tar, String pattern) throws IOException {
    Path file = Files.createTempFile("layer", ".tar");
    try {
      Files.write(file, tar);
      return Command.of("bsdtar", "--format=pax", "-cf", "-", "--exclude", pattern, "@" + file)
          .run()
          .stdout();
    } finally {
      Files.delete(file);
    }
  }

  private void refused(Change change, String message) throws IOException {
    Path other = dir.resolve("hostile");
    if (!Files.exists(other)) {
      Command.of("ostree", "init", "--mode=bare", "--repo=" + other).run();
    }
    ImageSource source = changed(change);
    assertThatThrownBy(() -> bring(other, source, "os/y"))
        .isInstanceOfSatisfying(
            Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.CORRUPT))
        .hasMessageContaining(message);
    assertThat(Repository.open(other).resolveRef("os/y")).isEmpty();
    Command.of("ostree", "fsck", "--quiet", "--repo=" + other).run();
  }

  /** A layer with a list of so many attributes without name and value. */
  private static byte[] attributes(int count) throws IOException {
    return layer("sysroot/ostree/repo/xattrs/x", attributeList(count));
  }

  private static byte[] attributeList(int count) {
    ByteBuffer list = ByteBuffer.allocate(4 * count).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) {
      list.put((byte) 0).put((byte) 1); // An empty text, and where it ends.
    }
    for (int i = 1; i <= count; i++) {
      list.putShort((short) (2 * i));
    }
    return list.array();
  }

  private static byte[] layer(String file, byte[] content) throws IOException {
    TreeBuilder b = new TreeBuilder();
    b.file(file, Metadata.file(0644), Content.of(content));
    return TestImage.tar(b.layer());
  }

  @Test
  void whatIsNotWhatItIsCalledIsRefused() throws Exception {
    refused(tar -> replaced(tar, "x".repeat(100), "y".repeat(100)), "it was damaged or forged");
    refused(tar -> replaced(tar, "A version", "Another!!"), "it was damaged or forged");
    refused(tar -> without(tar, "*.file-xattrs-link"), "comes without its attributes");
    refused(tar -> without(tar, "*.dirtree"), ".dirtree, which its commit names");
    refused(tar -> without(tar, "*.commit"), "the image has no commit");
    refused(tar -> new byte[1024], "the image has no commit");
    refused(tar -> attributes(1025), "an object has more than 1024 attributes");
    refused(tar -> attributes(1024), "the image has no commit");
    byte[] list = attributeList(1025);
    byte[] directory = new byte[12 + list.length];
    System.arraycopy(list, 0, directory, 12, list.length);
    String name = Checksum.sha256(directory).hex();
    refused(
        tar ->
            layer(
                "sysroot/ostree/repo/objects/"
                    + name.substring(0, 2)
                    + "/"
                    + name.substring(2)
                    + ".dirmeta",
                directory),
        "an object has more than 1024 attributes");
  }

  /** And not by the object, or the entry, that a reader stumbled over. */
  @Test
  void whatWasDamagedOnItsWayIsToldByItsDigest() throws Exception {
    Path other = fresh("bare");
    for (String place : List.of("objects/", "xxxxx", "A version")) {
      ImageSource good = changed(tar -> tar);
      Descriptor layer = ((Manifest.Image) good.manifest(null)).layers().getFirst();
      ImageSource damaged =
          sending(good, layer, tar -> replaced(tar, place, place.toUpperCase(Locale.ROOT)));
      assertThatThrownBy(() -> bring(other, damaged, null))
          .isInstanceOf(Problem.class)
          .hasMessageMatching(
              "blob " + layer.digest() + " has the digest sha256:.*; it was damaged or forged");
    }
  }

  @Test
  void theContentOfAnImageHasATotal() throws Exception {
    Limit.set("image-bytes=90k", "test");
    try {
      refused(tar -> tar, "--limit image-bytes");
    } finally {
      Limit.set("image-bytes=" + Limit.IMAGE_BYTES.preset(), "test");
    }
  }

  /** Attributes without name and value are two bytes each, and far more in memory. */
  @Test
  void attributesTakeMemory() throws Exception {
    Limit.set("tree-bytes=64k", "test");
    try {
      refused(tar -> attributes(1000), "--limit tree-bytes");
    } finally {
      Limit.set("tree-bytes=" + Limit.TREE_BYTES.preset(), "test");
    }
  }

  /**
   * A directory that is named again and again makes a large tree of a small layer, which needs no
   * names of its own.
   */
  @Test
  void directoriesThatAreSharedTakeMemory() throws Exception {
    Path shared = Files.createDirectories(dir.resolve("shared"));
    for (int i = 0; i < 100; i++) {
      Path folder = Files.createDirectory(shared.resolve("folder" + i));
      for (int n = 0; n < 100; n++) {
        Files.createFile(folder.resolve("file" + n));
      }
    }
    commit =
        new Checksum(
            Command.of("ostree", "commit", "--repo=" + repo, "--branch=os/shared")
                .with("--tree=dir=" + shared)
                .output()
                .strip());
    Limit.set("tree-bytes=1m", "test");
    try {
      refused(tar -> without(tar, "folder*"), "--limit tree-bytes");
    } finally {
      Limit.set("tree-bytes=" + Limit.TREE_BYTES.preset(), "test");
    }
  }

  @Test
  void anImageOfFilesIsNoCommit() throws Exception {
    byte[] json =
        ImageConfig.of(Platform.host(), null, Map.of(), List.of(Digest.sha256(new byte[0])))
            .toJson();
    Manifest.Image manifest =
        Manifest.Image.of(Descriptor.of(MediaTypes.OCI_CONFIG, json), List.of(), Map.of());
    ByteArrayOutputStream none = new ByteArrayOutputStream();
    try (EncapsulatedCommit any = image();
        OutputStream out = none) {
      out.flush();
      assertThatThrownBy(
              () ->
                  EncapsulatedImport.run(
                      Repository.open(repo),
                      any,
                      manifest,
                      ImageConfig.parse(json),
                      null,
                      Progress.NONE))
          .hasMessageStartingWith("the image encapsulates no commit");
    }
  }
}
