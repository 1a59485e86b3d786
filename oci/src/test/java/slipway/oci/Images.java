package slipway.oci;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import slipway.archive.compress.Compression;
import slipway.oci.layout.BlobWriter;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;
import slipway.oci.store.LocalStore;

/** Images for tests, and what must hold for a store. */
public final class Images {
  private Images() {}

  /** Writes the blobs of an image with layers that are real, small tars; puts no manifest. */
  public static Manifest.Image random(
      LocalStore store, Random random, Platform platform, int layers) {
    List<Descriptor> descriptors = new ArrayList<>();
    List<Digest> diffIds = new ArrayList<>();
    List<ImageConfig.History> history = new ArrayList<>();
    for (int i = 0; i < layers; i++) {
      byte[] content = new byte[1000 + random.nextInt(200_000)];
      random.nextBytes(content);
      byte[] tar = tar("file" + i, content);
      diffIds.add(Digest.sha256(tar));
      history.add(new ImageConfig.History("2026-01-01T00:00:00Z", "test", null, false));
      try (BlobWriter writer = store.newBlob()) {
        try (OutputStream gzip = Compression.GZIP.compress(writer, 1)) {
          gzip.write(tar);
        }
        descriptors.add(writer.commit(MediaTypes.OCI_LAYER_GZIP));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    ImageConfig config =
        ImageConfig.draft(platform)
            .created("2026-01-01T00:00:00Z")
            .env(List.of("A=b"))
            .cmd(List.of("/bin/true"))
            .labels(Map.of("test", "yes"))
            .diffIds(diffIds)
            .history(history)
            .build();
    return Manifest.Image.of(
        store.putBlob(MediaTypes.OCI_CONFIG, config.toJson()), descriptors, Map.of());
  }

  public static Descriptor entry(Manifest image, Platform platform) {
    return new Descriptor(
        image.mediaType(), image.digest(), image.bytes().length, Map.of(), platform, null);
  }

  public static Descriptor entry(String mediaType, byte[] content, Platform platform) {
    return new Descriptor(
        mediaType, Digest.sha256(content), content.length, Map.of(), platform, null);
  }

  /** A ustar archive with one file. */
  public static byte[] tar(String name, byte[] content) {
    byte[] tar = new byte[512 + (content.length + 511) / 512 * 512 + 1024];
    field(tar, 0, name);
    field(tar, 100, "0000644");
    field(tar, 108, "0000000");
    field(tar, 116, "0000000");
    field(tar, 124, String.format("%011o", content.length));
    field(tar, 136, "00000000000");
    field(tar, 148, "        ");
    field(tar, 156, "0");
    field(tar, 257, "ustar");
    field(tar, 263, "00");
    int sum = 0;
    for (int i = 0; i < 512; i++) {
      sum += tar[i] & 0xff;
    }
    field(tar, 148, String.format("%06o", sum));
    tar[154] = 0;
    System.arraycopy(content, 0, tar, 512, content.length);
    return tar;
  }

  private static void field(byte[] tar, int at, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(bytes, 0, tar, at, bytes.length);
  }

  /** Every blob has the content that its name promises, and every named image is whole. */
  public static void verify(LocalStore store) {
    for (LocalStore.Named named : store.list()) {
      if (named.manifest() instanceof Manifest.Image image) {
        image.layers().forEach(l -> assertThat(store.has(l.digest())).isTrue());
        assertThat(store.config(image).diffIds()).hasSameSizeAs(image.layers());
      }
    }
    try (Stream<Path> blobs = Files.list(store.root().resolve("blobs/sha256"))) {
      for (Path blob : blobs.toList()) {
        assertThat(Digest.sha256(Files.readAllBytes(blob)).hex())
            .isEqualTo(blob.getFileName().toString());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
