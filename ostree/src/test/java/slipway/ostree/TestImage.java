package slipway.ostree;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import slipway.archive.compress.Compression;
import slipway.archive.tar.TarOptions;
import slipway.base.CountedInput;
import slipway.oci.ChunkedBlob;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.Span;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;
import slipway.tree.Layer;
import slipway.tree.TarWriter;

/** An image in memory, made layer by layer, and a source of it that can be told to misbehave. */
public class TestImage implements ImageSource {
  private final Map<Digest, byte[]> blobs = new HashMap<>();
  private final List<Descriptor> layers = new ArrayList<>();
  private final List<Digest> diffIds = new ArrayList<>();
  private final Map<String, String> labels = new LinkedHashMap<>();
  private final List<Digest> served = new ArrayList<>();
  private String created = "2024-02-03T04:05:06Z";
  private @Nullable Digest broken;
  private CountDownLatch breaking = new CountDownLatch(0);
  private Set<Digest> stalled = Set.of();
  private boolean givesParts = true;

  public static byte[] tar(Layer layer) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    TarWriter.write(out, layer, TarOptions.EXACT);
    return out.toByteArray();
  }

  public TestImage layer(Layer layer, Compression compression) throws IOException {
    return tarLayer(tar(layer), compression);
  }

  public TestImage tarLayer(byte[] tar, Compression compression) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (OutputStream compressor = compression.compress(out, Compression.DEFAULT_LEVEL)) {
      compressor.write(tar);
    }
    return blob(out.toByteArray(), MediaTypes.layer(compression), Digest.sha256(tar));
  }

  public TestImage blob(byte[] bytes, String mediaType, Digest diffId) {
    Descriptor descriptor = Descriptor.of(mediaType, bytes);
    blobs.put(descriptor.digest(), bytes);
    layers.add(descriptor);
    diffIds.add(diffId);
    return this;
  }

  /** A layer of which parts can be fetched. */
  public TestImage chunkedLayer(byte[] tar, ChunkedBlob packed) {
    Descriptor descriptor = packed.descriptor();
    blobs.put(descriptor.digest(), packed.bytes());
    layers.add(descriptor);
    diffIds.add(Digest.sha256(tar));
    return this;
  }

  /** Gives whole blobs only. */
  public TestImage withoutParts() {
    givesParts = false;
    return this;
  }

  public TestImage label(String name, String value) {
    labels.put(name, value);
    return this;
  }

  public TestImage created(String time) {
    created = time;
    return this;
  }

  public List<Descriptor> layers() {
    return layers;
  }

  public ImageConfig config() {
    return ImageConfig.of(new Platform("linux", "amd64", null), created, labels, diffIds);
  }

  public Manifest.Image manifest() {
    byte[] config = config().toJson();
    Descriptor descriptor = Descriptor.of(MediaTypes.OCI_CONFIG, config);
    blobs.put(descriptor.digest(), config);
    return Manifest.Image.of(descriptor, layers, Map.of());
  }

  /** Makes a blob break off with an error half way. */
  public void breakOff(Digest blob) {
    broken = blob;
  }

  /** Makes a blob come half way and break off with an error when the latch opens. */
  public void breakOff(Digest blob, CountDownLatch when) {
    broken = blob;
    breaking = when;
  }

  /** Makes blobs never come, until their reader is interrupted. */
  public void stall(Set<Digest> blobs) {
    stalled = blobs;
  }

  private static void await(CountDownLatch latch) throws IOException {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new InterruptedIOException("the reader was interrupted");
    }
  }

  /** Serves other bytes for a blob than its digest says. */
  public void forge(Digest blob, byte[] bytes) {
    blobs.put(blob, bytes);
  }

  /** The blobs that were asked for since the last call. */
  public List<Digest> takeServed() {
    List<Digest> taken = List.copyOf(served);
    served.clear();
    return taken;
  }

  @Override
  public String describe() {
    return "test image";
  }

  @Override
  public Manifest manifest(@Nullable String selector) {
    return manifest();
  }

  @Override
  public synchronized InputStream blob(Descriptor descriptor, long offset) {
    served.add(descriptor.digest());
    byte[] bytes = java.util.Objects.requireNonNull(blobs.get(descriptor.digest()));
    int begin = Math.toIntExact(offset);
    InputStream in = new ByteArrayInputStream(bytes, begin, bytes.length - begin);
    if (stalled.contains(descriptor.digest())) {
      return new InputStream() {
        @Override
        public int read() throws IOException {
          await(new CountDownLatch(1));
          return -1;
        }
      };
    }
    if (!descriptor.digest().equals(broken)) {
      return in;
    }
    return new InputStream() {
      private int left = bytes.length / 2;

      @Override
      public int read() throws IOException {
        if (left-- <= 0) {
          await(breaking);
          throw new IOException("the connection broke");
        }
        return in.read();
      }
    };
  }

  @Override
  public Optional<InputStream> parts(
      Descriptor descriptor, List<Span> spans, LongConsumer fetched) {
    if (!givesParts) {
      return Optional.empty();
    }
    byte[] bytes = java.util.Objects.requireNonNull(blobs.get(descriptor.digest()));
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    spans.forEach(s -> all.write(bytes, (int) s.offset(), (int) s.length()));
    return Optional.of(new CountedInput(new ByteArrayInputStream(all.toByteArray()), fetched));
  }

  /** Writes the image as an OCI layout, for other tools. */
  public Path layout(Path directory) throws IOException {
    Manifest.Image manifest = manifest();
    Path sha256 = Files.createDirectories(directory.resolve("blobs/sha256"));
    for (Map.Entry<Digest, byte[]> blob : blobs.entrySet()) {
      Files.write(sha256.resolve(blob.getKey().hex()), blob.getValue());
    }
    Files.write(sha256.resolve(manifest.digest().hex()), manifest.bytes());
    Files.writeString(directory.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
    String index =
        """
        {"schemaVersion":2,"manifests":[{"mediaType":"%s","digest":"%s","size":%d,
         "annotations":{"org.opencontainers.image.ref.name":"latest"}}]}
        """
            .formatted(manifest.mediaType(), manifest.digest(), manifest.bytes().length);
    Files.write(directory.resolve("index.json"), index.getBytes(StandardCharsets.UTF_8));
    return directory;
  }
}
