package slipway.oci;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.Span;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;

/** A source of one image in memory, whose blobs are whatever a stranger sends. */
public class MemorySource implements ImageSource {
  private final Map<Digest, byte[]> blobs = new HashMap<>();
  private Manifest.@Nullable Image image;

  /** Puts a blob. */
  public Descriptor add(String mediaType, byte[] bytes) {
    Descriptor d = Descriptor.of(mediaType, bytes);
    blobs.put(d.digest(), bytes);
    return d;
  }

  /** Sends other bytes for a blob than its digest promises. */
  public void forge(Descriptor blob, byte[] bytes) {
    blobs.put(blob.digest(), bytes);
  }

  /** Makes an image of this config and these layers the one that the source has. */
  public Manifest.Image offer(byte[] config, String type, Descriptor... layers) {
    image = Manifest.Image.of(add(type, config), List.of(layers), Map.of());
    return image;
  }

  @Override
  public String describe() {
    return "memory";
  }

  @Override
  public Manifest manifest(@Nullable String selector) {
    return image;
  }

  @Override
  public InputStream blob(Descriptor descriptor, long offset) {
    byte[] bytes = blobs.get(descriptor.digest());
    return new ByteArrayInputStream(bytes, (int) offset, bytes.length);
  }

  @Override
  public Optional<InputStream> parts(
      Descriptor descriptor, List<Span> spans, LongConsumer fetched) {
    byte[] bytes = blobs.get(descriptor.digest());
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    spans.forEach(s -> all.write(bytes, (int) s.offset(), (int) s.length()));
    fetched.accept(all.size());
    return Optional.of(new ByteArrayInputStream(all.toByteArray()));
  }
}
