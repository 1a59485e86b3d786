package slipway.host.system;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import slipway.oci.copy.ImageSource;
import slipway.oci.model.Manifest;

/** Does something when the manifest of an image is asked for first. */
public final class Meanwhile implements OtherSource {
  private final ImageSource source;
  private @Nullable Runnable work;

  public Meanwhile(ImageSource source, Runnable work) {
    this.source = source;
    this.work = work;
  }

  @Override
  public ImageSource source() {
    return source;
  }

  @Override
  public Manifest manifest(@Nullable String other) throws IOException {
    Runnable first = work;
    work = null;
    if (first != null) {
      first.run();
    }
    return source.manifest(other);
  }
}
