package slipway.build;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.oci.Manifest;

class BuilderTest {
  @TempDir Path directory;
  private Lab lab;

  @BeforeEach
  void open() throws Exception {
    lab = Lab.withBase(directory);
  }

  @AfterEach
  void close() {
    lab.close();
  }

  @Test
  void runsACommand() throws Exception {
    Manifest.Image image = lab.build("FROM base:1\nENV A=b\nRUN echo hello $A > /greeting\n");
    assertThat(lab.text(image, "greeting")).isEqualTo("hello b\n");
  }
}
