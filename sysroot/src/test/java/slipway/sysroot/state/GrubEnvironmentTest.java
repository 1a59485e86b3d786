package slipway.sysroot.state;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.linux.process.Command;

/** GRUB's environment block, with GRUB's own tool on the other side. */
class GrubEnvironmentTest {
  @TempDir Path directory;

  private String editenv(Path file, String... arguments) {
    return Command.of("grub-editenv", file.toString()).with(arguments).run().text();
  }

  private static GrubEnvironment read(Path file) throws Exception {
    return GrubEnvironment.parse(Files.readAllBytes(file)).orElseThrow();
  }

  @Test
  void grubReadsOursAndWeReadItsOwn() throws Exception {
    Path file = directory.resolve("grubenv");
    GrubEnvironment ours =
        GrubEnvironment.empty().with("boot_counter", "3").with("a", "back\\slash").with("b", "x=y");
    Files.write(file, ours.toBytes());
    assertThat(editenv(file, "list").lines())
        .containsExactly("boot_counter=3", "a=back\\slash", "b=x=y");
    assertThat(read(file)).isEqualTo(ours);

    editenv(file, "set", "boot_counter=-1", "c=two words", "a=other\\\\");
    editenv(file, "unset", "b");
    assertThat(read(file).variables())
        .isEqualTo(Map.of("boot_counter", "-1", "c", "two words", "a", "other\\\\"));
    assertThat(read(file).size()).isEqualTo(GrubEnvironment.SIZE);
    assertThat(read(file).without("c").with("boot_counter", "2").toBytes())
        .hasSize(GrubEnvironment.SIZE);
  }

  @Test
  void aNewBlockOfGrubHasNoVariables() throws Exception {
    Path file = directory.resolve("new");
    editenv(file, "create");
    assertThat(read(file).variables()).isEmpty();
    Files.write(file, read(file).with("x", "1").toBytes());
    assertThat(editenv(file, "list").strip()).isEqualTo("x=1");
  }

  @Test
  void aLineEndInAValueIsNoEndOfIt() {
    GrubEnvironment block = GrubEnvironment.empty().with("a", "1\n2\\").with("b", "3");
    assertThat(GrubEnvironment.parse(block.toBytes())).contains(block);
  }

  @Test
  void whatIsNoBlockIsNone() {
    assertThat(GrubEnvironment.parse(new byte[0])).isEmpty();
    assertThat(GrubEnvironment.parse(new byte[1024])).isEmpty();
    assertThat(GrubEnvironment.parse("# GRUB Environment Block".getBytes(UTF_8))).isEmpty();
    assertThat(GrubEnvironment.parse("boot_counter=3\n".getBytes(UTF_8))).isEmpty();
    assertThat(
            GrubEnvironment.parse("# GRUB Environment Block\nno value\n=x\na=1\\".getBytes(UTF_8))
                .orElseThrow()
                .variables())
        .isEqualTo(Map.of("a", "1\\"));
    assertThatThrownBy(() -> GrubEnvironment.empty().with("a", "x".repeat(1000)).toBytes())
        .isInstanceOf(IllegalArgumentException.class);
  }
}
