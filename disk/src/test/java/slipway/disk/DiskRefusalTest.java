package slipway.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.base.Problem;
import slipway.disk.config.DiskConfig;
import slipway.disk.config.RootFileSystem;
import slipway.linux.loop.LoopDevice;
import slipway.linux.mount.Mount;
import slipway.linux.mount.Mounts;
import slipway.linux.process.Command;
import slipway.oci.model.Manifest;

/** Images that no disk is made of, and what an image may not do to the machine that makes one. */
class DiskRefusalTest extends DiskCase {
  @Test
  void whatIsNoBootableImageIsRefusedBeforeAnythingIsMade() throws Exception {
    Manifest.Image plain = TestImage.store(store, tree, Map.of());
    assertThatThrownBy(() -> build(TestImage.request(store, plain, output)))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("containers.bootc=1");
    assertThat(output).doesNotExist();
  }

  @ParameterizedTest
  @Tag("slow")
  @ValueSource(
      strings = {
        "usr/lib/grub/i386-pc/boot.img",
        "usr/lib/grub/x86_64-efi/kernel.img",
        "usr/lib/grub/x86_64-efi/blscfg.mod",
        "usr/lib/grub/i386-pc/kernel.img",
        "usr/lib/grub/x86_64-efi/moddep.lst",
        "usr/lib/modules/" + TestImage.KERNEL + "/vmlinuz",
        "usr/lib/os-release"
      })
  void anImageWithoutWhatItNeedsToStartIsRefused(String missing) throws Exception {
    Files.delete(tree.resolve(missing));
    assertThatThrownBy(() -> build(request())).isInstanceOf(Problem.class).message().isNotBlank();
    assertThat(output.resolve("image/disk.raw")).doesNotExist();
  }

  @Test
  void aTimezoneThatTheImageLacksIsRefused() throws Exception {
    Path file =
        Files.writeString(
            directory.resolve("config.toml"),
            "[customizations.timezone]\ntimezone = \"Mars/Olympus\"\n");
    DiskRequest wrong = with(request(), RootFileSystem.EXT4, DiskConfig.parse(file));
    assertThatThrownBy(() -> build(wrong))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("Mars/Olympus");
  }

  /** Links and pipes where the image's files are read: neither followed out nor waited for. */
  @ParameterizedTest
  @Tag("slow")
  @ValueSource(
      strings = {
        "usr/lib/grub/x86_64-efi",
        "usr/lib/grub/x86_64-efi/normal.mod",
        "usr/lib/grub/i386-pc/boot.img",
        "usr/lib/os-release",
        "usr/lib/ostree/prepare-root.conf"
      })
  @Timeout(60)
  void whatLeadsOutOfTheImageIsNotRead(String path) throws Exception {
    Path outside = Files.createDirectory(directory.resolve("outside"));
    Path good = outside.resolve("good");
    Files.move(tree.resolve(path), good);
    Files.createSymbolicLink(tree.resolve(path), good);
    if (path.endsWith("prepare-root.conf")) {
      // Read as the machine will read it, where the link leads nowhere.
      Path disk = build(request());
      assertThat(composefsImage(disk)).isFalse();
    } else {
      assertThatThrownBy(() -> build(request())).isInstanceOf(Problem.class);
    }
    Files.delete(tree.resolve(path));
    Command.of("mkfifo", tree.resolve(path).toString()).run();
    assertThatThrownBy(() -> build(request()))
        .isInstanceOf(Problem.class)
        .hasMessageContaining(path);
  }

  private boolean composefsImage(Path disk) throws IOException {
    Path at = Files.createDirectory(directory.resolve("mnt"));
    try (LoopDevice loop = loop(disk, table(disk).get(3));
        Mount m = Mount.of(loop.device().toString(), at, "ext4", Mounts.MS_RDONLY, null)) {
      return Files.exists(deployment(m.target()).resolve(".ostree.cfs"));
    }
  }

  /** The image's own grub-mkimage would write into the open folder, were it started. */
  @Test
  void noProgramOfTheImageIsRun() throws Exception {
    Files.copy(Path.of("/bin/busybox"), tree.resolve("usr/bin/busybox"));
    Path program =
        Files.writeString(
            tree.resolve("usr/bin/grub-mkimage"),
            "#!/usr/bin/busybox sh\necho ran > /usr/open/evidence\n");
    Path open = Files.createDirectory(tree.resolve("usr/open"));
    Command.of("chmod", "755", program.toString(), tree + "/usr/bin/busybox").run();
    Command.of("chmod", "1777", open.toString()).run();
    Path disk = build(request());
    Path at = Files.createDirectory(directory.resolve("mnt"));
    try (LoopDevice loop = loop(disk, table(disk).get(3));
        Mount m = Mount.of(loop.device().toString(), at, "ext4", Mounts.MS_RDONLY, null)) {
      assertThat(deployment(m.target()).resolve("usr/open")).isEmptyDirectory();
    }
  }

  /** Modules that are no modules make one sentence, not a disk that does not start. */
  @Test
  void damagedModulesAreRefused() throws Exception {
    Files.write(tree.resolve("usr/lib/grub/i386-pc/kernel.img"), new byte[4096]);
    assertThatThrownBy(() -> build(request()))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("grub-mkimage")
        .hasMessageContaining("i386-pc");
    assertThat(output).isEmptyDirectory();
  }
}
