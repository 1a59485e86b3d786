package slipway.distro;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.process.Command;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Manifest;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;
import slipway.oci.store.LocalStore;

/** Builds the base image, which takes minutes, and holds it against other people's tools. */
class BaseImageTest {
  private static final String TAG = "localhost/debian-bootc:trixie";

  @TempDir Path folder;

  @Test
  @Tag("soak")
  void buildsTheSameImageTwice() throws IOException {
    Path state = folder.resolve("state");
    try (LocalStore store = LocalStore.open(state.resolve("store"))) {
      Manifest.Image image =
          BaseImage.build(request(store, state, false), Progress.NONE, InstantSource.system());
      Manifest.Image again =
          BaseImage.build(request(store, state, false), Progress.NONE, InstantSource.system());
      assertThat(again.digest()).isEqualTo(image.digest());
    }
  }

  @Test
  @Tag("vm")
  void buildsABootableImage() throws IOException {
    Path state = folder.resolve("state");
    Path root = Files.createDirectories(folder.resolve("root"));
    try (LocalStore store = LocalStore.open(state.resolve("store"))) {
      Manifest.Image image =
          BaseImage.build(request(store, state, true), Progress.NONE, InstantSource.system());
      for (Descriptor layer : image.layers()) {
        Command.of("tar", "--zstd", "--xattrs", "--xattrs-include=*", "--numeric-owner", "-xpf")
            .with(store.blobPath(layer.digest()).toString(), "-C", root.toString())
            .run();
      }
      assertThat(
              Command.of("skopeo", "inspect", "--format", "{{.Labels}}")
                  .with("oci:" + store.root() + ":" + TAG)
                  .output())
          .contains("containers.bootc:1");
      assertThat(inside(root, "ostree", "--version")).contains("- composefs");
      assertThat(inside(root, "grub-mkimage", "--version")).contains("2.14");
      assertThat(root.resolve("usr/lib/grub/i386-pc/blsuki.mod")).exists();
      assertThat(root.resolve("usr/lib/grub/x86_64-efi/blsuki.mod")).exists();
      assertThat(inside(root, "dpkg", "--audit")).isEmpty();
      inside(root, "apt-get", "check");
      String version;
      try (var versions = Files.list(root.resolve("usr/lib/modules"))) {
        version = versions.findFirst().orElseThrow().getFileName().toString();
      }
      assertThat(inside(root, "lsinitrd", "/usr/lib/modules/" + version + "/initramfs.img"))
          .contains("ostree-prepare-root", "erofs.ko", "overlay.ko", "prepare-root.conf");
      assertThat(Files.readSymbolicLink(root.resolve("opt"))).hasToString("var/opt");
      assertThat(Files.readSymbolicLink(root.resolve("usr/local"))).hasToString("../var/usrlocal");
      boots(root);
    } finally {
      Posix.removeTree(OsPath.of(root));
    }
  }

  @Test
  void anAgentIsForThisComputersProcessor() throws IOException {
    String own = Platform.host().architecture();
    String other = own.equals("arm64") ? "amd64" : "arm64";
    try (LocalStore store = LocalStore.open(folder.resolve("store"))) {
      Platform platform = Platform.ofLinux(other);
      assertThat(BaseImage.defaultKernel(platform)).isEqualTo("linux-image-cloud-" + other);
      assertThat(request(store, platform, null).platform()).isEqualTo(platform);
      assertThatThrownBy(() -> request(store, platform, folder))
          .isInstanceOf(Problem.class)
          .hasMessage(
              "the host agent's Java runtime is that of this computer and runs on "
                  + own
                  + " alone: add --no-agent, or build the image on a computer of "
                  + other);
    }
  }

  private BaseRequest request(LocalStore store, Platform platform, @Nullable Path product) {
    return new BaseRequest(
        "trixie",
        platform,
        Reference.parse(TAG),
        null,
        BaseImage.defaultKernel(platform),
        List.of(),
        false,
        product,
        store,
        folder,
        null);
  }

  private static BaseRequest request(LocalStore store, Path state, boolean writableOpt) {
    return new BaseRequest(
        "trixie",
        Platform.host(),
        Reference.parse(TAG),
        null,
        BaseImage.defaultKernel(Platform.host()),
        List.of(),
        writableOpt,
        null,
        store,
        state,
        null);
  }

  private static String inside(Path root, String... command) {
    return Command.of("chroot", root.toString()).with(command).output();
  }

  /** systemd starts everything that is enabled, and all is well. */
  private void boots(Path root) throws IOException {
    Path out = Files.createDirectories(folder.resolve("out"));
    Command.of(
            "systemd-nspawn",
            "--quiet",
            "--register=no",
            "--keep-unit",
            "--console=pipe",
            "--private-network",
            "--volatile=overlay",
            "--directory=" + root,
            "--bind=" + out + ":/mnt",
            "--set-credential=passwd.hashed-password.root:x",
            "--boot",
            "systemd.run=/bin/sh -c '(systemctl --failed --no-legend --plain | sed s/^/failed:/;"
                + " ls -d /root/ /home/ /opt/ /srv/ /usr/local/bin/ /var/lib/dpkg/;"
                + " grep -q ^root:x: /etc/shadow && echo /root-has-its-password)"
                + " > /mnt/result 2>&1'")
        .timeout(Duration.ofMinutes(3))
        .tryRun();
    assertThat(Files.readAllLines(out.resolve("result")))
        .containsExactly(
            "/home/",
            "/opt/",
            "/root/",
            "/srv/",
            "/usr/local/bin/",
            "/var/lib/dpkg/",
            "/root-has-its-password");
  }
}
