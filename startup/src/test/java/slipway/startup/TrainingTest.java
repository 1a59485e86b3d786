package slipway.startup;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainingTest {
  @Test
  void readsTheMadeUpMachine(@TempDir Path directory) throws IOException {
    Training.status(directory);
  }

  @Test
  @Tag("slow")
  void upgradesTheMadeUpMachine(@TempDir Path directory) throws IOException {
    Training.upgrade(directory);
  }
}
