package slipway.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.oci.Descriptor;
import slipway.oci.Manifest;
import slipway.oci.MediaTypes;
import slipway.oci.Platform;
import slipway.oci.Reference;

/**
 * COPY and ADD of Containerfiles, contexts and images that want to read, write or stop the host.
 */
@Timeout(120)
class HostileCopyTest {
  @TempDir Path directory;
  private Lab lab;

  @BeforeEach
  void open() throws Exception {
    lab = new Lab(directory);
  }

  @AfterEach
  void close() {
    lab.close();
  }

  /** A way from any directory of a build to a file of the machine. */
  private String up(Path file) {
    return "../".repeat(30) + file.toString().substring(1);
  }

  @Test
  void namesOfDocumentsStayInTheImage() throws Exception {
    Path pwn = directory.resolve("pwn");
    for (String name : List.of(up(pwn), pwn.toString(), "..", ".", "a/b", "\"../x\"")) {
      assertThatThrownBy(
              () ->
                  lab.build(
                      "FROM scratch\nCOPY --chmod=4755 <<"
                          + name
                          + " /d/\nx\n"
                          + name.replace("\"", "")))
          .as(name)
          .isInstanceOf(Problem.class)
          .hasMessageContaining("Containerfile:2: the document <<")
          .hasMessageContaining("becomes a file of that name");
    }
    assertThat(pwn).doesNotExist();
  }

  @Test
  void documentsOfTriggersStayInTheImage() throws Exception {
    Path pwn = directory.resolve("pwn");
    ImageDraft draft = ImageDraft.scratch(Platform.host());
    draft.onBuild.add("COPY --chmod=4755 <<" + up(pwn) + " /d/\nx\n" + up(pwn));
    Descriptor config =
        lab.store.putBlob(MediaTypes.OCI_CONFIG, draft.toConfig(null, List.of()).toJson());
    lab.store.putManifest(
        Manifest.Image.of(config, List.of(), Map.of()), Reference.parse("localhost/evil:1"));
    assertThatThrownBy(() -> lab.build("FROM localhost/evil:1\n"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("becomes a file of that name");
    assertThat(Files.exists(pwn)).isFalse();
  }

  @Test
  void documentsOfOneNameKeepTheirTexts() throws Exception {
    Manifest.Image image =
        lab.build("FROM scratch\nCOPY <<a /1/\none\na\nCOPY <<a <<b <<a /2/\nx\na\nw\nb\ny\na\n");
    assertThat(lab.text(image, "1/a")).isEqualTo("one\n");
    assertThat(lab.text(image, "2/a")).isEqualTo("y\n");
    assertThat(lab.text(image, "2/b")).isEqualTo("w\n");
  }
}
