package slipway.oci;

import java.nio.file.Path;
import java.util.Random;
import slipway.linux.process.Command;
import slipway.oci.model.Platform;
import slipway.oci.store.LocalStore;

/** A process that writes images until it is killed. */
public final class StoreWriter {
  private StoreWriter() {}

  public static Process start(Path root, long seed) {
    return Command.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            System.getProperty("java.class.path"),
            StoreWriter.class.getName(),
            root.toString(),
            Long.toString(seed))
        .start();
  }

  public static void main(String[] args) {
    Random random = new Random(Long.parseLong(args[1]));
    try (LocalStore store = LocalStore.open(Path.of(args[0]))) {
      for (int i = 0; true; i++) {
        store.putManifest(
            Images.random(store, random, Platform.parse("linux/amd64"), 3),
            LocalStore.localName("p" + args[1].replace("-", "") + "x" + i % 7));
        System.out.println("wrote " + i);
      }
    }
  }
}
