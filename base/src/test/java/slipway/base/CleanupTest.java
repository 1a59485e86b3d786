package slipway.base;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CleanupTest {
  @Test
  void undoesOnce() throws IOException {
    List<String> done = new ArrayList<>();
    Cleanup cleanup = Cleanup.register("x", () -> done.add("x"));
    cleanup.close();
    cleanup.close();
    assertThat(done).containsExactly("x");
  }

  @Test
  void whatIsKeptStays() throws IOException {
    List<String> done = new ArrayList<>();
    Cleanup cleanup = Cleanup.register("x", () -> done.add("x"));
    cleanup.keep();
    cleanup.close();
    assertThat(done).isEmpty();
  }
}
