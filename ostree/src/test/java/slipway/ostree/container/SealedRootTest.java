package slipway.ostree.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.composefs.ComposefsDump;
import slipway.composefs.ErofsImage;
import slipway.linux.process.Command;
import slipway.ostree.Peers;
import slipway.tree.DirectoryReader;

/** The image that a sealed kernel names; fsverity(1) and mkcomposefs are the judges. */
class SealedRootTest {
  @TempDir Path dir;

  /** A root with files of both sorts, a hard link, and what does not count. */
  private Path root() throws IOException {
    Path root = Files.createDirectories(dir.resolve("root"));
    for (String folder : "boot/EFI/Linux sysroot/x usr/bin etc run/y var".split(" ")) {
      Files.createDirectories(root.resolve(folder));
    }
    Files.writeString(root.resolve("boot/EFI/Linux/k.efi"), "a kernel, which names the digest");
    Files.writeString(root.resolve("usr/bin/small"), "x".repeat(64));
    Files.writeString(root.resolve("usr/bin/large"), "y".repeat(65));
    Files.createLink(root.resolve("usr/bin/other"), root.resolve("usr/bin/large"));
    Files.createFile(root.resolve("etc/empty"));
    Files.createSymbolicLink(root.resolve("etc/link"), Path.of("empty"));
    Command.of("setfattr", "-n", "user.build", "-v", "host", root.resolve("etc/empty").toString())
        .run();
    Command.of("setcap", "cap_net_raw+ep", root.resolve("usr/bin/small").toString()).run();
    Command.of("bash", "-c", "find . -exec touch -h -d @1700000000 {} + ; touch -d @1600000000 usr")
        .directory(root)
        .run();
    return root;
  }

  private String digest(Path root) throws IOException {
    return SealedRoot.digest(DirectoryReader.read(root));
  }

  @Test
  void itIsTheDigestOfTheImage() throws Exception {
    Path root = root();
    Path image = dir.resolve("image.cfs");
    try (OutputStream out = Files.newOutputStream(image)) {
      SealedRoot.write(DirectoryReader.read(root), out);
    }
    String theirs =
        Command.of("fsverity", "digest", "--compact", "--hash-alg=sha512", image.toString())
            .output()
            .strip();
    assertThat(digest(root)).isEqualTo(theirs).hasSize(128);
    String dump = Peers.composefsInfo().with("dump", image.toString()).output();
    String large =
        Command.of("fsverity", "digest", "--compact", "--hash-alg=sha512")
            .with(root.resolve("usr/bin/large").toString())
            .output()
            .strip();
    assertThat(dump.lines())
        .as("%s", dump)
        .anyMatch(l -> l.startsWith("/ ") && l.contains(" 1600000000.0 "))
        .anyMatch(l -> l.startsWith("/run ") && l.contains(" 1600000000.0 "))
        .anyMatch(l -> l.startsWith("/usr/bin/large ") && l.contains(large.substring(2)))
        .anyMatch(l -> l.startsWith("/usr/bin/small ") && l.contains("x".repeat(64)))
        .anyMatch(l -> l.startsWith("/usr/bin/small ") && l.contains("security.capability="))
        .noneMatch(l -> l.contains("user.build"))
        .noneMatch(l -> l.startsWith("/boot/") || l.startsWith("/run/"))
        .noneMatch(l -> l.startsWith("/sysroot/"));
  }

  /** mkcomposefs knows no sha512, but all else of the image is what it makes of the same dump. */
  @Test
  void allButTheAlgorithmIsWhatMkcomposefsWrites() throws Exception {
    Path root = root();
    Files.delete(root.resolve("usr/bin/large"));
    Files.delete(root.resolve("usr/bin/other"));
    Path image = dir.resolve("image.cfs");
    try (OutputStream out = Files.newOutputStream(image)) {
      SealedRoot.write(DirectoryReader.read(root), out);
    }
    Path dump = dir.resolve("dump");
    StringBuilder text = new StringBuilder();
    ComposefsDump.write(ErofsImage.read(Files.readAllBytes(image), "image"), text);
    Files.writeString(dump, text);
    Path theirs = dir.resolve("theirs.cfs");
    Peers.mkcomposefs()
        .with("--min-version=1", "--from-file", dump.toString(), theirs.toString())
        .run();
    assertThat(HexFormat.of().formatHex(Files.readAllBytes(theirs)))
        .isEqualTo(HexFormat.of().formatHex(Files.readAllBytes(image)));
  }

  @Test
  void whatDiffersInAContainerDoesNotCount() throws Exception {
    Path root = root();
    String before = digest(root);
    Files.writeString(root.resolve("run/secret"), "of the build");
    Files.writeString(root.resolve("boot/EFI/Linux/k.efi"), "another kernel");
    Command.of("touch", "-d", "@1", root.toString(), root.resolve("boot").toString()).run();
    Command.of("setfattr", "-n", "user.a", "-v", "b", root.resolve("usr").toString()).run();
    assertThat(digest(root)).isEqualTo(before);
    Files.writeString(root.resolve("usr/bin/large"), "z".repeat(65));
    assertThat(digest(root)).isNotEqualTo(before);
  }

  @Test
  void aRootThatCannotBeSealedIsRefused() throws Exception {
    Path root = root();
    Files.createDirectories(root.resolve("etc/selinux"));
    Files.writeString(root.resolve("etc/selinux/config"), "SELINUXTYPE=targeted\n");
    assertThatThrownBy(() -> digest(root)).hasMessageContaining("policy for SELinux");
    Files.delete(root.resolve("etc/selinux/config"));
    Command.of("rm", "-r", root.resolve("sysroot").toString()).run();
    assertThatThrownBy(() -> digest(root)).hasMessage("the root has no folder sysroot");
  }
}
