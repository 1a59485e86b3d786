package slipway.distro;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.linux.process.Command;

/** The hook that a kernel's package calls, on folders in the place of an image's. */
class KernelHookTest {
  private static final String VERSION = "6.1-cloud";

  @TempDir Path folder;
  private Path boot;
  private Path modules;

  @BeforeEach
  void folders() throws IOException {
    boot = Files.createDirectories(folder.resolve("boot"));
    modules = Files.createDirectories(folder.resolve("usr/lib/modules").resolve(VERSION));
  }

  @Test
  void movesAKernelThatIsInBoot() throws IOException {
    Files.writeString(boot.resolve("vmlinuz-" + VERSION), "kernel");
    Files.writeString(boot.resolve("config-" + VERSION), "config");
    Files.writeString(boot.resolve("System.map-" + VERSION), "map");
    hook("/boot/vmlinuz-" + VERSION);
    assertThat(modules.resolve("vmlinuz")).hasContent("kernel");
    assertThat(modules.resolve("config")).hasContent("config");
    assertThat(boot).isEmptyDirectory();
  }

  /** As Debian 14 has it. */
  @Test
  void leavesAKernelThatIsInItsPlaceAndTakesTheLinkToItAway() throws IOException {
    for (String name : List.of("vmlinuz", "config", "System.map")) {
      Files.writeString(modules.resolve(name), name);
      Files.createSymbolicLink(
          boot.resolve(name + "-" + VERSION),
          Path.of("../usr/lib/modules/" + VERSION + "/" + name));
    }
    hook("/boot/vmlinuz-" + VERSION);
    assertThat(modules.resolve("vmlinuz")).hasContent("vmlinuz").isRegularFile();
    assertThat(modules.resolve("config")).hasContent("config").isRegularFile();
    assertThat(boot).isEmptyDirectory();
    // Called again, and by the name in its place.
    hook("/boot/vmlinuz-" + VERSION);
    hook("/usr/lib/modules/" + VERSION + "/vmlinuz");
    assertThat(modules.resolve("vmlinuz")).hasContent("vmlinuz");
  }

  /** Runs the hook, whose paths are led into the test's folder. */
  private void hook(String image) throws IOException {
    String script;
    try (InputStream source =
        KernelHookTest.class.getResourceAsStream(
            "base/root/usr/share/kernel/postinst.d/zz-image")) {
      script = new String(source.readAllBytes(), UTF_8);
    }
    Command.of("sh", "-c", inFolder(script), "zz-image", VERSION, inFolder(image))
        .environment("INITRD", "No")
        .run();
  }

  private String inFolder(String text) {
    return text.replace("/usr/lib/modules", folder + "/usr/lib/modules")
        .replace("/boot/", folder + "/boot/");
  }
}
