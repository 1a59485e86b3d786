package slipway.oci.podman;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.archive.compress.Compression;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.process.Command;
import slipway.oci.copy.ImageSource;
import slipway.oci.layout.OciLayout;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;

/** What podman and skopeo make of a store that they have not written. Layers are GNU tar's. */
class PodmanStoreTest {
  private static final InstantSource CLOCK = InstantSource.system();

  @TempDir Path dir;
  private int images;

  private Path graph() {
    return dir.resolve("graph");
  }

  private PodmanStore store() throws IOException {
    return PodmanStore.create(graph(), CLOCK);
  }

  @AfterEach
  void unmount() {
    Command.of("umount", graph().resolve("overlay").toString()).tryRun();
    Command.of("umount", dir.resolve("own/overlay").toString()).tryRun();
  }

  private static byte[] tar(Path folder, String... options) {
    return Command.of("tar", "--sort=name", "-C", folder.toString())
        .with(options)
        .with("-c", ".")
        .run()
        .stdout();
  }

  /** A layer with a shell, names of every sort, links, a sparse file and attributes. */
  private byte[] low() throws IOException {
    Path low = dir.resolve("low");
    Path deep = low.resolve("etc/deep/" + "d".repeat(90) + "/" + "e".repeat(90));
    Files.createDirectories(deep);
    Files.createDirectories(low.resolve("bin"));
    Files.copy(Path.of("/bin/busybox"), low.resolve("bin/sh"));
    Files.writeString(low.resolve("etc/passwd"), "root:x:0:0::/root:/bin/sh\n");
    Files.createFile(low.resolve("etc/empty"));
    Files.createSymbolicLink(low.resolve("etc/link"), Path.of("passwd"));
    Files.createLink(low.resolve("etc/hard"), low.resolve("etc/passwd"));
    byte[] random = new byte[300_000];
    new Random(1).nextBytes(random);
    Files.write(deep.resolve("big"), random);
    Command.of(
            "bash",
            "-c",
            "chmod 755 bin/sh; printf x > $'etc/caf\\xe9'; ln -s etc sub; truncate -s 1M etc/holes;"
                + " printf end >> etc/holes; setfattr -n user.a -v b etc; chown 7:8 etc/empty")
        .directory(low)
        .run();
    return tar(low, "--format=pax", "--xattrs", "--sparse");
  }

  private byte[] high() throws IOException {
    Path high = Files.createDirectories(dir.resolve("high/etc"));
    Files.writeString(high.resolve("passwd"), "root:x:0:0::/root:/bin/bash\n");
    Files.createFile(high.resolve(".wh.link"));
    return tar(high.getParent(), "--format=gnu", "--blocking-factor=40", "--sparse");
  }

  /** An image of these layers. */
  private OciLayout image(Compression compression, byte[]... tars) throws IOException {
    Path path = dir.resolve("layout" + images++);
    List<Digest> diffIds = Stream.of(tars).map(Digest::sha256).toList();
    byte[] config =
        ImageConfig.draft(Platform.host())
            .diffIds(diffIds)
            .cmd(List.of("/bin/sh", "-c", "echo run"))
            .build()
            .toJson();
    try (OciLayout sink = OciLayout.create(path, "x")) {
      List<Descriptor> descriptors = new ArrayList<>();
      for (byte[] layer : tars) {
        byte[] packed = packed(layer, compression);
        Descriptor descriptor = Descriptor.of(MediaTypes.layer(compression), packed);
        sink.putBlob(descriptor, offset -> new ByteArrayInputStream(packed));
        descriptors.add(descriptor);
      }
      Descriptor c = Descriptor.of(MediaTypes.OCI_CONFIG, config);
      sink.putBlob(c, offset -> new ByteArrayInputStream(config));
      sink.putManifest(Manifest.Image.of(c, descriptors, java.util.Map.of()), "x");
    }
    return OciLayout.open(path, "x");
  }

  private static byte[] packed(byte[] layer, Compression compression) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (OutputStream out = compression.compress(bytes, Compression.DEFAULT_LEVEL)) {
      out.write(layer);
    }
    return bytes.toByteArray();
  }

  private String add(String name, Compression compression, byte[]... tars) throws IOException {
    try (OciLayout source = image(compression, tars)) {
      return store().add(source, name, Progress.NONE);
    }
  }

  private String podman(String... words) {
    return Command.of("podman", "--root", graph().toString())
        .with("--runroot", dir.resolve("run").toString(), "--storage-driver", "overlay")
        .with("--cgroup-manager", "cgroupfs", "--events-backend", "none")
        .with(words)
        .run()
        .text();
  }

  private String transport(String name) {
    return "containers-storage:[overlay@" + graph() + "+" + dir.resolve("run") + "]" + name;
  }

  @Test
  void podmanAndSkopeoReadIt() throws Exception {
    byte[] low = low();
    byte[] high = high();
    String id = add("example.org/app:1", Compression.GZIP, low, high);
    assertThat(podman("images", "--no-trunc", "--format", "{{.ID}} {{.Repository}}:{{.Tag}}"))
        .isEqualTo("sha256:" + id + " example.org/app:1\n");
    assertThat(podman("image", "inspect", "--format", "{{.Architecture}}", "app:1"))
        .isEqualTo(Platform.host().architecture() + "\n");
    // Every byte of both layers comes out again.
    Path copy = dir.resolve("copy");
    Command.of("skopeo", "copy", "--quiet", "--insecure-policy", transport("example.org/app:1"))
        .with("--dest-oci-accept-uncompressed-layers", "oci:" + copy + ":x")
        .run();
    try (OciLayout layout = OciLayout.open(copy, "x")) {
      Manifest.Image image = (Manifest.Image) layout.manifest(null);
      assertThat(image.layers().stream().map(Descriptor::digest).toList())
          .containsExactly(Digest.sha256(low), Digest.sha256(high));
    }
    try (ImageSource source = PodmanSource.open(transport("example.org/app:1").substring(19))) {
      Manifest.Image image = (Manifest.Image) source.manifest(null);
      try (InputStream in = source.blob(image.layers().getFirst(), 0)) {
        assertThat(in.readAllBytes()).isEqualTo(low);
      }
    }
    // The file system is that of both layers.
    String mounted = podman("image", "mount", "app:1").strip();
    try {
      Path etc = Path.of(mounted, "etc");
      assertThat(Files.readString(etc.resolve("passwd"))).endsWith("/bin/bash\n");
      assertThat(Files.exists(etc.resolve("link"), java.nio.file.LinkOption.NOFOLLOW_LINKS))
          .isFalse();
      assertThat(Files.getAttribute(etc.resolve("empty"), "unix:uid")).isEqualTo(7);
      assertThat(Files.size(etc.resolve("holes"))).isEqualTo((1 << 20) + 3);
    } finally {
      podman("image", "umount", "app:1");
    }
  }

  @Test
  void podmanRunsItOutOfAnAdditionalStore() throws Exception {
    add("example.org/app:1", Compression.ZSTD, low(), high());
    String said =
        Command.of("podman", "--root", dir.resolve("own").toString())
            .with("--runroot", dir.resolve("run").toString(), "--storage-driver", "overlay")
            .with("--storage-opt", "additionalimagestore=" + graph())
            .with("--cgroup-manager", "cgroupfs", "--events-backend", "none", "--runtime", "runc")
            .with("run", "--rm", "--network=none", "--pull=never")
            // Not those of podman, which a container's own limits may not allow.
            .with("--ulimit", "nofile=512:512", "--ulimit", "nproc=512:512")
            .with("example.org/app:1")
            .run()
            .text();
    assertThat(said).isEqualTo("run\n");
  }

  @Test
  void layersAreStoredOnceAndGoWithTheLastImage() throws Exception {
    byte[] low = low();
    byte[] high = high();
    add("example.org/app:1", Compression.GZIP, low, high);
    add("example.org/base", Compression.ZSTD, low);
    PodmanStore store = store();
    assertThat(store.list().stream().map(PodmanStore.Held::names))
        .containsExactlyInAnyOrder(
            List.of("example.org/app:1"), List.of("example.org/base:latest"));
    assertThat(folders("overlay")).as("two layers, and the links").hasSize(3);
    // Another image takes the name; the first is left without.
    String second = add("example.org/app:1", Compression.NONE, high);
    assertThat(store.find("example.org/app:1")).contains(second);
    assertThat(store.keepOnly(Set.of("example.org/app:1"))).hasSize(2);
    assertThat(podman("images", "-a", "--format", "{{.Repository}}:{{.Tag}}"))
        .isEqualTo("example.org/app:1\n");
    assertThat(folders("overlay")).hasSize(2);
    assertThat(folders("overlay/l")).hasSize(1);
    assertThat(folders("overlay-images")).hasSize(3);
    // What podman itself adds and removes beside ours.
    podman("tag", "example.org/app:1", "localhost/other:1");
    assertThat(store.list().getFirst().names())
        .containsExactlyInAnyOrder("example.org/app:1", "localhost/other:1");
    podman("rmi", "--force", second);
    assertThat(store.list()).isEmpty();
    add("example.org/app:1", Compression.NONE, high);
    // Who wants it by its digest wants this one, by whatever name it came.
    String digest = podman("images", "--digests", "--format", "{{.Digest}}").strip();
    assertThat(store.find("example.org/app@" + digest)).isPresent();
    assertThat(store.keepOnly(Set.of("example.org/app@" + digest))).isEmpty();
    assertThat(store.keepOnly(Set.of())).hasSize(1);
    assertThat(folders("overlay")).hasSize(1);
  }

  @Test
  @Tag("slow")
  void aContainersImageStays() throws Exception {
    add("example.org/app:1", Compression.GZIP, low(), high());
    podman("create", "--network=none", "--name", "c", "example.org/app:1");
    assertThat(store().keepOnly(Set.of())).isEmpty();
    podman("rm", "c");
    assertThat(store().keepOnly(Set.of())).hasSize(1);
  }

  @Test
  void aDamagedLayerLeavesNoImage() throws Exception {
    byte[] low = low();
    byte[] high = high();
    try (OciLayout source = image(Compression.GZIP, low, high)) {
      ImageSource forged =
          new ImageSource() {
            private int blobs;

            @Override
            public String describe() {
              return "forged";
            }

            @Override
            public Manifest manifest(@org.jspecify.annotations.Nullable String selector)
                throws IOException {
              return source.manifest(selector);
            }

            @Override
            public InputStream blob(Descriptor descriptor, long offset) throws IOException {
              byte[] bytes = source.blob(descriptor, offset).readAllBytes();
              if (++blobs == 3) {
                bytes[bytes.length / 2] ^= 1;
              }
              return new ByteArrayInputStream(bytes);
            }
          };
      assertThatThrownBy(() -> store().add(forged, "example.org/app:1", Progress.NONE))
          .isInstanceOfSatisfying(
              Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.CORRUPT));
      assertThat(store().list()).isEmpty();
      assertThat(folders("overlay")).as("the layer that came whole").hasSize(2);
      assertThat(graph().resolve("slipway")).as("the one that did not").doesNotExist();
      // It is not fetched again.
      List<String> tasks = new ArrayList<>();
      store()
          .add(
              source,
              "example.org/app:1",
              new Progress() {
                @Override
                public Task start(String name, long total) {
                  tasks.add(name);
                  return Progress.NONE.start(name, total);
                }

                @Override
                public void note(String line) {}
              });
      assertThat(tasks).hasSize(1);
    }
    assertThat(podman("images", "--format", "{{.Repository}}")).isEqualTo("example.org/app\n");
  }

  @Test
  void whatCannotBePutTogetherAgainIsRefused() throws Exception {
    Path folder = Files.createDirectories(dir.resolve("twice"));
    Files.writeString(folder.resolve("f"), "one");
    Path archive = dir.resolve("twice.tar");
    Command.of("tar", "-C", folder.toString(), "-cf", archive.toString(), "f").run();
    Files.writeString(folder.resolve("f"), "two");
    Command.of("tar", "-C", folder.toString(), "-rf", archive.toString(), "f").run();
    byte[] twice = Files.readAllBytes(archive);
    assertThatThrownBy(() -> add("example.org/app:1", Compression.NONE, twice))
        .hasMessageEndingWith("has the file \"f\" twice, which podman's store cannot hold");
  }

  private List<Path> folders(String folder) throws IOException {
    try (Stream<Path> all = Files.list(graph().resolve(folder))) {
      return all.filter(f -> !f.getFileName().toString().startsWith(".")).toList();
    }
  }
}
