package slipway.cli.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.archive.compress.Compression;
import slipway.archive.tar.Metadata;
import slipway.archive.tar.TarOptions;
import slipway.base.Notes;
import slipway.base.Progress;
import slipway.linux.process.Command;
import slipway.oci.DockerRegistry;
import slipway.oci.chunked.PartialLayer;
import slipway.oci.copy.Transfer;
import slipway.oci.layout.OciLayout;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;
import slipway.oci.registry.RegistryClient;
import slipway.oci.registry.RegistryOptions;
import slipway.ostree.container.ContainerImport;
import slipway.ostree.container.Imported;
import slipway.ostree.object.Checksum;
import slipway.ostree.repo.Repository;
import slipway.registry.RegistryServer;
import slipway.tree.Content;
import slipway.tree.TarWriter;
import slipway.tree.TreeBuilder;

/**
 * Images whose layers skopeo packs as zstd:chunked, as podman does by the same library, fetched
 * from docker's registry and from ours; what goes over the network is counted.
 */
@Tag("slow")
class PartialUpgradeTest {
  private static final int FILES = 400;
  private static final int CHANGED = 20;
  private static final int SIZE = 40_000;

  @TempDir Path dir;

  /** Passes a connection on and counts what comes back, headers included. */
  private static final class CountingProxy implements AutoCloseable {
    private final ServerSocket socket;
    private final int target;
    private final AtomicLong bytes = new AtomicLong();
    private final AtomicLong requests = new AtomicLong();

    CountingProxy(int target) throws IOException {
      this.target = target;
      this.socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
      Thread.ofVirtual().start(this::accept);
    }

    String host() {
      return "127.0.0.1:" + socket.getLocalPort();
    }

    private void accept() {
      try {
        while (true) {
          Socket client = socket.accept();
          Socket server = new Socket(InetAddress.getLoopbackAddress(), target);
          Thread.ofVirtual().start(() -> pump(client, server, requests));
          Thread.ofVirtual().start(() -> pump(server, client, bytes));
        }
      } catch (IOException e) {
        // It is closed.
      }
    }

    private static void pump(Socket from, Socket to, AtomicLong count) {
      byte[] buffer = new byte[64 * 1024];
      try (from;
          to) {
        InputStream in = from.getInputStream();
        OutputStream out = to.getOutputStream();
        for (int n; (n = in.read(buffer)) >= 0; ) {
          out.write(buffer, 0, n);
          count.addAndGet(n);
        }
      } catch (IOException e) {
        // One of them ended.
      }
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }

  private static byte[] file(int index, int version) {
    byte[] bytes = new byte[SIZE];
    new Random(index * 100L + (index % (FILES / CHANGED) == 0 ? version : 0)).nextBytes(bytes);
    return bytes;
  }

  private static byte[] tar(int version) throws IOException {
    TreeBuilder b = new TreeBuilder();
    for (int i = 0; i < FILES; i++) {
      String name = "usr/lib/part" + i % 7 + "/file" + i;
      b.file(name, Metadata.file(0644), Content.of(file(i, version)));
    }
    ByteArrayOutputStream tar = new ByteArrayOutputStream();
    TarWriter.write(tar, b.layer(), TarOptions.EXACT);
    return tar.toByteArray();
  }

  /** What the files that are others in this version take when they are packed. */
  private static long packedChanges(int version) throws IOException {
    long packed = 0;
    for (int i = 0; i < FILES; i += FILES / CHANGED) {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      try (OutputStream zstd = Compression.ZSTD.compress(out, Compression.DEFAULT_LEVEL)) {
        zstd.write(file(i, version));
      }
      packed += out.size();
    }
    return packed;
  }

  /** Lets skopeo send a version as zstd:chunked. */
  private void push(String skopeo, int version, String host) throws Exception {
    Path layout = dir.resolve("layout" + version);
    if (!Files.exists(layout)) {
      byte[] tar = tar(version);
      byte[] config =
          ImageConfig.of(
                  Platform.host(), "2024-05-01T10:00:00Z", Map.of(), List.of(Digest.sha256(tar)))
              .toJson();
      Descriptor layer = Descriptor.of(MediaTypes.layer(Compression.NONE), tar);
      Descriptor description = Descriptor.of(MediaTypes.OCI_CONFIG, config);
      try (OciLayout oci = OciLayout.create(layout, "x")) {
        oci.putBlob(layer, at -> new ByteArrayInputStream(tar));
        oci.putBlob(description, at -> new ByteArrayInputStream(config));
        oci.putManifest(Manifest.Image.of(description, List.of(layer), Map.of()), "x");
      }
    }
    Command.of(
            skopeo,
            "--insecure-policy",
            "copy",
            "--dest-tls-verify=false",
            "--dest-compress-format",
            "zstd:chunked",
            "oci:" + layout + ":x",
            "docker://" + host + "/os:" + version)
        .run();
  }

  private static Imported pull(Repository repository, String host, int version, List<String> notes)
      throws IOException {
    Reference name = Reference.parse(host + "/os:" + version);
    Progress progress = new Notes(notes::add);
    try (RegistryClient source = new RegistryClient(name, RegistryOptions.anonymous(Map.of()))) {
      Manifest.Image manifest = Transfer.resolve(source, null, Platform.host());
      assertThat(manifest.layers()).allMatch(PartialLayer::isOffered);
      ImageConfig config = ImageConfig.parse(Transfer.config(source, manifest));
      return ContainerImport.run(
          repository, source, manifest, config, "docker://registry.example/os:1", progress);
    }
  }

  /** The commits of all layers. */
  private static List<Checksum> layers(Repository repository) throws IOException {
    return new ArrayList<>(repository.refs("ostree/container/blob").values());
  }

  private void assertLittleComes(int port, String skopeo) throws Exception {
    push(skopeo, 1, "127.0.0.1:" + port);
    push(skopeo, 2, "127.0.0.1:" + port);
    List<String> notes = new ArrayList<>();
    Repository repository = Repository.create(dir.resolve("repo"), Repository.Mode.BARE);
    pull(repository, "127.0.0.1:" + port, 1, notes);
    List<Checksum> before = layers(repository);
    Imported second;
    long wire;
    long asked;
    try (CountingProxy proxy = new CountingProxy(port)) {
      second = pull(repository, proxy.host(), 2, notes);
      wire = proxy.bytes.get();
      asked = proxy.requests.get();
    }
    assertThat(notes).isEmpty();
    long changes = packedChanges(2);
    System.out.printf(
        "%s: changed files packed %d, fetched %d (%.3f), over the wire %d (%.3f), asked with %d%n",
        skopeo,
        changes,
        second.bytes(),
        (double) second.bytes() / changes,
        wire,
        (double) wire / changes,
        asked);
    assertThat(wire).isBetween(changes, changes * 12 / 10);

    List<Checksum> after = layers(repository);
    after.removeAll(before);
    Repository other = Repository.create(dir.resolve("other"), Repository.Mode.BARE);
    Imported whole = pull(other, "127.0.0.1:" + port, 2, notes);
    assertThat(whole.bytes()).isGreaterThan((long) FILES * SIZE);
    assertThat(after).isEqualTo(layers(other));
    assertThat(second.mergeCommit()).isEqualTo(whole.mergeCommit());
    assertThat(Command.of("ostree", "--repo=" + repository.path(), "fsck").output())
        .contains("no errors found");
  }

  private static String newestSkopeo() {
    Path script = Path.of("tools/peers").toAbsolutePath();
    if (!Files.exists(script)) {
      script = Path.of("../tools/peers").toAbsolutePath().normalize();
    }
    return Command.of(script.toString(), "skopeo").output() + "/skopeo";
  }

  @Test
  void littleComesFromDockersRegistry() throws Exception {
    Path data = Files.createDirectory(dir.resolve("data"));
    try (DockerRegistry registry = DockerRegistry.start(data, null)) {
      String port = registry.host().substring(registry.host().indexOf(':') + 1);
      assertLittleComes(Integer.parseInt(port), newestSkopeo());
    }
  }

  /** The distribution's skopeo keeps no tar-split, so all headers come, too. */
  @Test
  void littleComesFromOurRegistry() throws Exception {
    try (RegistryServer registry =
        RegistryServer.start(dir.resolve("data"), new InetSocketAddress("127.0.0.1", 0))) {
      assertLittleComes(registry.address().getPort(), "skopeo");
    }
  }
}
