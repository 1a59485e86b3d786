package slipway.builder.engine;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** What tests of whole builds share: a {@link Lab} of each test's own, whose store is empty. */
public abstract class LabCase {
  @TempDir protected Path directory;
  protected Lab lab;

  @BeforeEach
  final void openLab() throws Exception {
    lab = newLab(directory);
  }

  @AfterEach
  final void closeLab() {
    lab.close();
  }

  Lab newLab(Path state) throws IOException {
    return new Lab(state);
  }
}
