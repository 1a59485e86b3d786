package slipway.disk;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import slipway.base.Progress;
import slipway.oci.copy.ImageSource;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.oci.store.LocalStore;

/**
 * A program for {@link DiskFailureTest}: builds a disk, says {@code now} at a certain point and
 * stays there until it is ended. Arguments: store, digest of the image, output, and the point: 0
 * reads the config, 1 begins the layer, 2 is in the middle of the layer.
 */
final class EndedBuild {
  private EndedBuild() {}

  public static void main(String[] args) throws IOException {
    int stage = Integer.parseInt(args[3]);
    try (LocalStore store = LocalStore.open(Path.of(args[0]))) {
      Manifest.Image image = (Manifest.Image) store.manifest(Digest.parse(args[1]));
      DiskRequest r = TestImage.request(store, image, Path.of(args[2]));
      DiskBuilder.build(
          new DiskRequest(
              new Stopping(r.source(), image, stage),
              image,
              r.config(),
              r.target(),
              r.types(),
              r.rootfs(),
              r.bootLoader(),
              r.customizations(),
              r.size(),
              r.access(),
              r.output()),
          Progress.NONE);
    }
  }

  private record Stopping(ImageSource source, Manifest.Image image, int stage)
      implements ImageSource {
    @Override
    public String describe() {
      return source.describe();
    }

    @Override
    public Manifest manifest(@Nullable String selector) throws IOException {
      return source.manifest(selector);
    }

    @Override
    public InputStream blob(Descriptor descriptor, long offset) throws IOException {
      boolean layer = !descriptor.digest().equals(image.config().digest());
      if (stage == (layer ? 1 : 0)) {
        stop();
      }
      InputStream in = source.blob(descriptor, offset);
      return layer && stage == 2 ? new Half(in, descriptor.size() / 2) : in;
    }
  }

  private static void stop() {
    System.out.println("now");
    System.out.flush();
    while (true) {
      java.util.concurrent.locks.LockSupport.park();
    }
  }

  private static final class Half extends java.io.FilterInputStream {
    private long left;

    Half(InputStream in, long left) {
      super(in);
      this.left = left;
    }

    @Override
    public int read() throws IOException {
      return passed(1) ? super.read() : -1;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      return passed(length) ? super.read(buffer, offset, length) : -1;
    }

    private boolean passed(int bytes) {
      left -= bytes;
      if (left < 0) {
        stop();
      }
      return true;
    }
  }
}
