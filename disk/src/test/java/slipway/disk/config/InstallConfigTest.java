package slipway.disk.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.system.kargs.KernelArguments;
import slipway.tree.DirectoryReader;

class InstallConfigTest {
  @TempDir Path root;

  private void file(String path, String text) throws Exception {
    Path file = root.resolve(path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  private InstallConfig read() throws Exception {
    return InstallConfig.of(DirectoryReader.read(root), "amd64");
  }

  @Test
  void anImageWithoutOneSaysNothing() throws Exception {
    assertThat(read().rootfs()).isNull();
    assertThat(read().kernelArguments()).isEqualTo(KernelArguments.NONE);
  }

  /** bootc.md: later folders replace by name, names order, lists add up, scalars win late. */
  @Test
  void filesAreMergedInTheOrderOfTheirNames() throws Exception {
    file(
        "usr/lib/bootc/install/10-a.toml",
        "[install]\nroot-fs-type = \"xfs\"\nkargs = [\"a=1\", \"b=\\\"x  y\\\" c\"]\n");
    file("usr/lib/bootc/install/20-b.toml", "[install]\nkargs = [\"replaced\"]\n");
    file(
        "etc/bootc/install/20-b.toml",
        "[install]\nkargs = [\"d\"]\nkarg-deletes = [\"console=tty0\", \"b\"]\n"
            + "[install.filesystem.root]\ntype = \"btrfs\"\n");
    file(
        "usr/lib/bootc/install/30-other.toml",
        "[install]\nmatch-architectures = [\"aarch64\"]\nroot-fs-type = \"ext4\"\nkargs = [\"no\"]\n");
    file("usr/lib/bootc/install/40-block.toml", "[install]\nblock = [\"direct\"]\n");
    file("usr/lib/bootc/install/README", "not toml");
    InstallConfig config = read();
    assertThat(config.rootfs()).isEqualTo(RootFileSystem.BTRFS);
    assertThat(config.kernelArguments().list()).containsExactly("a=1", "b=\"x  y\"", "c", "d");
    assertThat(
            config.withoutDeleted(
                KernelArguments.of("rw", "console=tty0", "console=ttyS0", "b=2", "bb")))
        .isEqualTo(KernelArguments.of("rw", "console=ttyS0", "bb"));
    assertThat(config.ignored())
        .hasSize(1)
        .first()
        .asString()
        .contains("40-block", "install.block");
  }

  @Test
  void whatIsWrongIsToldWithItsFile() throws Exception {
    for (String text :
        new String[] {
          "[install]\nroot-fs-type = \"zfs\"\n",
          "[install]\nroot-fs-type = 3\n",
          "[install]\nkargs = \"a\"\n",
          "[install]\nkargs = ['a=\"b']\n",
          "install = 1\n",
          "[install\n"
        }) {
      file("usr/lib/bootc/install/50-x.toml", text);
      assertThatThrownBy(this::read)
          .describedAs(text)
          .isInstanceOf(Problem.class)
          .message()
          .matches("the image's /usr/lib/bootc/install/50-x.toml:[12]: .*");
    }
  }
}
