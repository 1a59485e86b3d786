package slipway.disk;

import java.io.IOException;
import java.nio.file.Path;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.disk.config.DiskConfig;
import slipway.disk.config.RootFileSystem;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.oci.store.LocalStore;

/**
 * A program for {@link UsersDiskTest}: builds a disk as whoever it is run by. Arguments: store,
 * digest of the image, output, root file system, configuration, owner. A refusal is printed.
 */
final class UsersBuild {
  private UsersBuild() {}

  public static void main(String[] args) throws IOException {
    try (LocalStore store = LocalStore.open(Path.of(args[0]))) {
      Manifest.Image image = (Manifest.Image) store.manifest(Digest.parse(args[1]));
      DiskRequest r = TestImage.request(store, image, Path.of(args[2]));
      RootFileSystem fs = RootFileSystem.parse(args[3]);
      DiskConfig config = args.length > 4 ? DiskConfig.parse(Path.of(args[4])) : DiskConfig.EMPTY;
      FileAccess access = FileAccess.parse(null, args.length > 5 ? args[5] : null, 0);
      DiskBuilder.build(
          new DiskRequest(
              r.source(),
              image,
              r.config(),
              r.target(),
              r.types(),
              fs,
              r.bootLoader(),
              config,
              r.size(),
              access,
              r.output()),
          Progress.NONE);
    } catch (Problem e) {
      System.out.println(e.sentence());
    }
  }
}
