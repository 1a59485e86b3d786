package slipway.media;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * A whole system in a boot sector: it prints the prompt {@code ready> } on the first serial port
 * and echoes what it is sent.
 */
final class EchoSystem {
  private static final byte[] SYSTEM =
      HexFormat.of()
          .parseHex(
              "fa31c08ed8be347cac84c07405e81300ebf6bafd03eca80174fbbaf803ece80200ebef88c4bafd03eca82074fbbaf80388e0eec30d0a72656164793e2000");

  private EchoSystem() {}

  /** Writes a raw disk that starts it. */
  static Path write(Path disk) throws IOException {
    byte[] image = Arrays.copyOf(SYSTEM, 1024 * 1024);
    image[510] = 0x55;
    image[511] = (byte) 0xaa;
    return Files.write(disk, image);
  }
}
