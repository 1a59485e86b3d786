package slipway.oci.copy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.oci.model.Reference;

/** A source of one image, whose manifest and config were made or read before; layers are opened. */
public abstract class OneImageSource implements ImageSource {
  private final String name;
  private final Manifest.Image manifest;
  private final byte[] config;

  /**
   * Takes what is known.
   *
   * @param name for messages: {@code blob sha256:… is not in NAME}
   * @param config as the manifest has its digest and size
   */
  protected OneImageSource(String name, Manifest.Image manifest, byte[] config) {
    this.name = name;
    this.manifest = manifest;
    this.config = config;
  }

  /** Opens a layer at its beginning; null when the image has none of that digest. */
  protected abstract @Nullable InputStream layer(Digest digest) throws IOException;

  @Override
  public String describe() {
    return name;
  }

  @Override
  public final Manifest manifest(@Nullable String selector) {
    Reference.requireDigest(selector, manifest.digest());
    return manifest;
  }

  @Override
  public final InputStream blob(Descriptor descriptor, long offset) throws IOException {
    InputStream in =
        descriptor.digest().equals(manifest.config().digest())
            ? new ByteArrayInputStream(config)
            : layer(descriptor.digest());
    if (in == null) {
      throw Problem.notFound("blob " + descriptor.digest() + " is not in " + name);
    }
    try {
      in.skipNBytes(offset);
      return in;
    } catch (IOException | RuntimeException e) {
      in.close();
      throw e;
    }
  }
}
