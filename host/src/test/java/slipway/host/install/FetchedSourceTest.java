package slipway.host.install;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import slipway.base.Progress;
import slipway.host.system.HostMachine;
import slipway.host.system.OtherSource;
import slipway.oci.copy.ImageSource;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;

class FetchedSourceTest {
  /** A registry that tells which blobs it was asked for. */
  private record Registry(ImageSource source, Manifest.Image image, List<Digest> asked)
      implements OtherSource {
    @Override
    public Manifest manifest(@Nullable String selector) throws IOException {
      return image.digest().toString().equals(selector) ? image : source.manifest(selector);
    }

    @Override
    public InputStream blob(Descriptor descriptor, long offset) throws IOException {
      asked.add(descriptor.digest());
      return source.blob(descriptor, offset);
    }
  }

  @Test
  void whatIsReadTwiceComesOverTheNetworkOnce() throws Exception {
    List<Digest> asked = Collections.synchronizedList(new ArrayList<>());
    try (HostMachine machine = new HostMachine()) {
      Manifest.Image image = machine.publish(HostMachine.NAME, HostMachine.Image.of("1"));
      Registry registry = new Registry(machine.source(HostMachine.NAME), image, asked);
      try (FetchedSource source = new FetchedSource(registry, image, Progress.NONE)) {
        assertThat(asked).as("before it is asked for").isEmpty();
        for (int i = 0; i < 2; i++) {
          for (Descriptor layer : image.layers()) {
            try (InputStream in = source.blob(layer, 0)) {
              assertThat(Digest.sha256(in.readAllBytes())).isEqualTo(layer.digest());
            }
          }
        }
      }
    }
    assertThat(asked).hasSize(3).doesNotHaveDuplicates();
  }
}
