package slipway.ostree.repo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.archive.tar.Metadata;
import slipway.base.Problem;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.Objects;

class CheckedObjectTest {
  private static final Metadata METADATA = new Metadata(0100644, 0, 0, 0, 0, List.of());
  private static final String TEXT = "content";

  @TempDir Path dir;

  private Repository repository;

  @BeforeEach
  void makeRepository() throws IOException {
    repository = Repository.create(dir.resolve("repo"), Repository.Mode.BARE);
  }

  private InputStream open(String content, String is, long size) {
    MessageDigest hash = Checksum.newDigest();
    hash.update(Objects.fileHeader(METADATA, null));
    hash.update(content.getBytes(StandardCharsets.UTF_8));
    return new CheckedObject(
        new ByteArrayInputStream(is.getBytes(StandardCharsets.UTF_8)),
        repository,
        Checksum.of(hash.digest()),
        METADATA,
        size);
  }

  /** The first reader stops with the last byte, the other one asks for the end, and again. */
  @Test
  void readersMayAskForTheEndOrNot() throws IOException {
    for (String text : List.of(TEXT, "")) {
      try (InputStream in = open(text, text, text.length())) {
        assertThat(in.readNBytes(text.length())).hasSize(text.length());
      }
      try (InputStream in = open(text, text, text.length())) {
        assertThat(in.readAllBytes()).asString(StandardCharsets.UTF_8).isEqualTo(text);
        assertThat(in.read()).isEqualTo(-1);
      }
    }
  }

  @Test
  void whatIsOtherwiseLongerOrShorterIsDamaged() {
    for (String damaged : List.of("cOntent", "content and", "cont", "")) {
      assertThatThrownBy(
              () -> {
                try (InputStream in = open(TEXT, damaged, TEXT.length())) {
                  in.readAllBytes();
                }
              })
          .isInstanceOfSatisfying(
              Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.CORRUPT))
          .hasMessageEndingWith(" is damaged; on a machine, bootc fsck --repair mends it");
    }
  }
}
