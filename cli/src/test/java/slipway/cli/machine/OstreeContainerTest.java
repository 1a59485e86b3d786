package slipway.cli.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.cli.Ran;
import slipway.linux.process.Command;

/** The words of {@code ostree container}, on repositories of ostree's and an image of umoci's. */
class OstreeContainerTest {
  @TempDir Path dir;
  private Path repo;
  private String image;

  private static Ran container(String... arguments) {
    return Ran.of("bootc", List.of("internals", "ostree-container"), arguments);
  }

  @BeforeEach
  void image() throws IOException {
    repo = dir.resolve("repo");
    Command.of("ostree", "init", "--mode=bare", "--repo=" + repo).run();
    Path tree = Files.createDirectories(dir.resolve("tree/usr/bin"));
    Files.writeString(tree.resolve("a"), "a");
    String layout = dir.resolve("layout").toString();
    Command.of("umoci", "init", "--layout", layout).run();
    Command.of("umoci", "new", "--image", layout + ":x").run();
    Path bundle = dir.resolve("bundle");
    Command.of("umoci", "unpack", "--image", layout + ":x", bundle.toString()).run();
    Files.createDirectories(bundle.resolve("rootfs/usr/bin"));
    Files.writeString(bundle.resolve("rootfs/usr/bin/a"), "a");
    Command.of("umoci", "repack", "--image", layout + ":x", bundle.toString()).run();
    image = "oci:" + layout + ":x";
  }

  @Test
  void imagesComeAndGo() throws Exception {
    Path check = dir.resolve("newer");
    Path digest = dir.resolve("digest");
    assertThat(container("image", "pull", "--check", check.toString(), repo.toString(), image))
        .isEqualTo(new Ran(0, "", ""));
    assertThat(Files.readString(check)).startsWith("{").contains("\"layers\"");
    Ran pulled =
        container(
            "image",
            "pull",
            "--quiet",
            "--ostree-digestfile",
            digest.toString(),
            repo.toString(),
            image);
    assertThat(pulled.status()).as(pulled.err()).isZero();
    String commit = Files.readString(digest);
    assertThat(pulled.out())
        .isEqualTo("Wrote: ostree-unverified-image:" + image + " => " + commit + "\n");
    assertThat(container("image", "pull", "--quiet", repo.toString(), image).out())
        .startsWith("No changes in ostree-unverified-image:oci:");
    assertThat(container("image", "list", "--repo", repo.toString()).out()).isEqualTo(image + "\n");
    assertThat(container("image", "history", "--repo", repo.toString(), image).out())
        .containsPattern("ID +SIZE +CREATED BY\\n[0-9a-f]{20} ");
    assertThat(container("image", "metadata", "--repo", repo.toString(), image).out())
        .isEqualTo(Files.readString(check) + "\n");
    assertThat(container("image", "metadata", "--config", "--repo", repo.toString(), image).out())
        .contains("\"diff_ids\"");
    assertThat(Command.of("ostree", "ls", "--repo=" + repo, commit, "/usr/bin/a").output())
        .startsWith("-00644 ");
    assertThat(container("image", "remove", "--repo", repo.toString(), image).out())
        .isEqualTo("Removed images: 1 layers: 1\n");
    assertThat(container("image", "prune-layers", "--repo", repo.toString()).out())
        .isEqualTo("Removed layers: 0\n");
    assertThat(container("image", "history", "--repo", repo.toString(), image).err())
        .startsWith("error: No such image: oci:");
  }

  /** Told before anything is done, and not after. */
  @Test
  void aFileThatCannotBeWrittenKeepsTheImageOut() throws Exception {
    String file = dir.resolve("missing/digest").toString();
    assertThat(
            container("image", "pull", "--ostree-digestfile", file, repo.toString(), image).err())
        .contains(file + " cannot be written: its folder is missing");
    assertThat(container("image", "list", "--repo", repo.toString()).out()).isEmpty();
  }

  @Test
  void aCommitGoesThroughAnImage() throws Exception {
    String commit =
        Command.of("ostree", "commit", "--repo=" + repo, "--branch=os/x")
            .with("--tree=dir=" + dir.resolve("tree"))
            .output();
    String to = "oci:" + dir.resolve("out") + ":x";
    Ran packed = container("encapsulate", "--repo", repo.toString(), "-l", "a=b", "os/x", to);
    assertThat(packed.out()).startsWith("sha256:");
    assertThat(
            Command.of("skopeo", "inspect", "--format", "{{.Digest}} {{.Labels.a}}", to).output())
        .isEqualTo(packed.out().strip() + " b");
    Path other = dir.resolve("other");
    Command.of("ostree", "init", "--mode=bare", "--repo=" + other).run();
    assertThat(
            container(
                    "unencapsulate",
                    "--quiet",
                    "--repo",
                    other.toString(),
                    "--write-ref",
                    "os/y",
                    "ostree-unverified-image:" + to)
                .out())
        .isEqualTo("Imported: os/y => " + commit + "\n");
    assertThat(Command.of("ostree", "rev-parse", "--repo=" + other, "os/y").output())
        .isEqualTo(commit);
    assertThat(container("unencapsulate", "--repo", other.toString(), image).err())
        .contains("error: the image encapsulates no commit");
    assertThat(container("encapsulate", "--repo", repo.toString(), "no/such", to).err())
        .contains("has no ref and no commit no/such");
  }

  @Test
  void wrongUsageIsOneSentence() {
    assertThat(container().err())
        .isEqualTo(
            "error: ostree container needs to know what to do: image, encapsulate or"
                + " unencapsulate\n");
    assertThat(container("image", "deploy").err())
        .isEqualTo("error: deploy takes one of --imgref and --image\n");
    assertThat(container("image", "pull", repo.toString(), "quay.io/x/y").status()).isEqualTo(2);
    assertThat(
            container(
                    "encapsulate", "--repo", repo.toString(), "--label", "x", "os/x", "oci:/tmp/x")
                .err())
        .contains("--label takes NAME=VALUE, not \"x\"");
  }
}
