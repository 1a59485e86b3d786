package slipway.oci.copy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;

/**
 * Writes of an image what those lack who have another one: its layers that the other has too, in
 * the same or in other packing, are left out. Manifest and config are written whole, so that
 * whoever has both parts can tell that they fit. Closing it closes the sink.
 */
public final class DeltaSink implements ImageSink {
  private final ImageSink sink;
  private final Set<Digest> leftOut;

  private DeltaSink(ImageSink sink, Set<Digest> leftOut) {
    this.sink = sink;
    this.leftOut = Set.copyOf(leftOut);
  }

  /**
   * What an image shares with another one.
   *
   * @param config of the image, whole
   * @param otherConfig of the other one
   * @return the layers of the image that the other one has, each once
   * @throws Problem of kind CORRUPT when a config does not fit its manifest
   */
  public static List<Descriptor> shared(
      Manifest.Image image, byte[] config, Manifest.Image other, byte[] otherConfig) {
    List<Digest> diffIds = Validate.diffIds(image, config);
    Set<Digest> plain = new HashSet<>(Validate.diffIds(other, otherConfig));
    Set<Digest> packed = new HashSet<>();
    other.layers().forEach(l -> packed.add(l.digest()));
    Map<Digest, Descriptor> shared = new TreeMap<>();
    for (int i = 0; i < image.layers().size(); i++) {
      Descriptor layer = image.layers().get(i);
      if (packed.contains(layer.digest())
          || (i < diffIds.size() && plain.contains(diffIds.get(i)))) {
        shared.put(layer.digest(), layer);
      }
    }
    return new ArrayList<>(shared.values());
  }

  /**
   * @param sink where the rest goes
   * @param leftOut layers that are not written
   */
  public static DeltaSink of(ImageSink sink, List<Descriptor> leftOut) {
    Set<Digest> digests = new HashSet<>();
    leftOut.forEach(l -> digests.add(l.digest()));
    return new DeltaSink(sink, digests);
  }

  @Override
  public String describe() {
    return sink.describe();
  }

  @Override
  public boolean concurrent() {
    return sink.concurrent();
  }

  @Override
  public boolean hasBlob(Descriptor descriptor) throws IOException {
    return leftOut.contains(descriptor.digest()) || sink.hasBlob(descriptor);
  }

  /** {@inheritDoc} What is left out is none of those that are told as present. */
  @Override
  public boolean wrote(Digest blob) {
    return leftOut.contains(blob) || sink.wrote(blob);
  }

  @Override
  public boolean takeBlob(Descriptor descriptor, ImageSource from) throws IOException {
    return sink.takeBlob(descriptor, from);
  }

  @Override
  public void putBlob(Descriptor descriptor, BlobSupplier content) throws IOException {
    sink.putBlob(descriptor, content);
  }

  @Override
  public void abandon() {
    sink.abandon();
  }

  @Override
  public List<String> notes() {
    return sink.notes();
  }

  @Override
  public @Nullable String defaultTag() {
    return sink.defaultTag();
  }

  @Override
  public boolean names(Digest manifest) {
    return sink.names(manifest);
  }

  @Override
  public void putManifest(Manifest manifest, @Nullable String tag) throws IOException {
    sink.putManifest(manifest, tag);
  }

  @Override
  public void close() throws IOException {
    sink.close();
  }
}
