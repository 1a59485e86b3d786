package slipway.host.system;

import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;
import slipway.oci.copy.ImageSource;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Manifest;

/** A source that gives what another one does; who implements it says what it does otherwise. */
public interface OtherSource extends ImageSource {
  /** The other one. */
  ImageSource source();

  @Override
  default String describe() {
    return source().describe();
  }

  @Override
  default Manifest manifest(@Nullable String selector) throws IOException {
    return source().manifest(selector);
  }

  @Override
  default InputStream blob(Descriptor descriptor, long offset) throws IOException {
    return source().blob(descriptor, offset);
  }
}
