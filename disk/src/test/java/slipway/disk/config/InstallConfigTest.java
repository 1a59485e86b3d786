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
    return InstallConfig.of(DirectoryReader.read(root), "amd64", null);
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
    file("usr/lib/bootc/install/40-block.toml", "[install]\nblocks = [\"direct\"]\n");
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
        .contains("40-block", "install.blocks is not known");
  }

  /** Every key of bootc-install-config(5); what is wanted and not done is said. */
  @Test
  void everyKeyIsUnderstood() throws Exception {
    file(
        "usr/lib/bootc/install/10-all.toml",
        """
        [install]
        root-fs-type = "xfs"
        block = ["tpm2-luks", "direct"]
        stateroot = "mine"
        root-mount-spec = "LABEL=root"
        boot-mount-spec = ""
        bootloader = "none"
        discoverable-partitions = true
        enforce-container-sigpolicy = true
        match-architectures = ["x86_64"]
        kargs = ["a=1"]
        karg-deletes = ["b"]
        [install.ostree]
        bls-append-except-default = "grub_users=\\"\\""
        [install.bootupd]
        skip-boot-uuid = true
        """);
    InstallConfig config = read();
    assertThat(config.stateroot()).isEqualTo("mine");
    assertThat(config.rootMountSpec()).isEqualTo("LABEL=root");
    assertThat(config.bootMountSpec()).isEmpty();
    assertThat(config.bootLoader()).isEqualTo(BootLoader.NONE);
    assertThat(config.blsAppendExceptDefault()).isEqualTo("grub_users=\"\"");
    assertThat(config.skipBootId()).isTrue();
    assertThat(config.blockSetup()).isEqualTo(BlockSetup.TPM2_LUKS);
    assertThat(String.join("\n", config.notFollowed(true))).doesNotContain("tpm2-luks");
    assertThat(config.ignored()).isEmpty();
    assertThat(config.enforcesSignatures()).isTrue();
    assertThat(String.join("\n", config.notFollowed(false)))
        .contains("block tpm2-luks", "discoverable", "bls-append-except-default");
    file("usr/lib/bootc/install/20-other.toml", "[install]\nbootloader = \"systemd\"\n");
    assertThat(read().bootLoader()).isEqualTo(BootLoader.SYSTEMD);
    file("usr/lib/bootc/install/20-other.toml", "[install]\nbootloader = \"grub-cc\"\n");
    assertThat(read().bootLoader()).isNull();
    assertThat(String.join("\n", read().notFollowed(false)))
        .contains("grub-cc is not there yet; GRUB");
  }

  /** The canonical name of a key wins over its older one, in whichever file it stands. */
  @Test
  void aRunningSystemHasAFolderMore() throws Exception {
    file("usr/lib/bootc/install/10-a.toml", "[install.filesystem.root]\ntype = \"btrfs\"\n");
    file("etc/bootc/install/15-b.toml", "[install]\nroot-fs-type = \"xfs\"\n");
    file("etc/bootc/install/20-b.toml", "[install]\nstateroot = \"etc\"\n");
    file("run/bootc/install/20-b.toml", "[install]\nstateroot = \"run\"\n");
    file("run/bootc/install/30-c.toml", "[install]\nkargs = [\"c\"]\n");
    InstallConfig config = InstallConfig.ofSystem(root, "amd64");
    assertThat(config.merged())
        .hasToString(
            "{\"filesystem\":{\"root\":{\"type\":\"btrfs\"}},\"root-fs-type\":\"btrfs\","
                + "\"stateroot\":\"run\",\"kargs\":[\"c\"],\"block\":[\"direct\"]}");
    assertThat(
            InstallConfig.of(DirectoryReader.read(root), "amd64", root.resolve("run")).stateroot())
        .isEqualTo("run");
    assertThat(InstallConfig.ofSystem(root.resolve("usr"), "amd64").merged()).isEmpty();
  }

  @Test
  void whatIsWrongIsToldWithItsFile() throws Exception {
    for (String text :
        new String[] {
          "[install]\nroot-fs-type = \"zfs\"\n",
          "[install]\nroot-fs-type = 3\n",
          "[install]\nkargs = \"a\"\n",
          "[install]\nkargs = ['a=\"b']\n",
          "[install]\nstateroot = 3\n",
          "[install]\nboot-mount-spec = \"a\\nb\"\n",
          "[install]\ndiscoverable-partitions = \"yes\"\n",
          "[install]\nbootloader = \"lilo\"\n",
          "[install]\nblock = [\"raid\"]\n",
          "[install]\nostree = true\n",
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
