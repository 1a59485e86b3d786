package slipway.registry.catalog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.AtomicFile;
import slipway.base.Problem;
import slipway.oci.model.Digest;
import slipway.oci.model.MediaTypes;
import slipway.registry.catalog.Change.DeleteManifest;
import slipway.registry.catalog.Change.DeleteTag;
import slipway.registry.catalog.Change.LinkBlob;
import slipway.registry.catalog.Change.ManifestEntry;
import slipway.registry.catalog.Change.PutManifest;
import slipway.registry.catalog.Change.PutTag;
import slipway.registry.catalog.Change.ReferrerFields;
import slipway.registry.catalog.Change.UnlinkBlob;

class JournalTest {
  private static final Digest A = Digest.sha256(new byte[] {1});
  private static final Digest B = Digest.parse("sha512:" + "ab".repeat(64));
  private static final String ID = "00000000-0000-0000-0000-000000000001";
  private static final ReferrerFields FIELDS =
      new ReferrerFields("a/b; c", Map.of("k ;\n", "ü\0", "", ""));
  private static final List<Change> ALL =
      List.of(
          new LinkBlob("a/b", A, 0),
          new LinkBlob("a/b", B, Long.MAX_VALUE),
          new UnlinkBlob("a/b", A),
          new PutManifest("c", A, new ManifestEntry(MediaTypes.OCI_MANIFEST, 12, null, null)),
          new PutManifest("c", B, new ManifestEntry(MediaTypes.OCI_INDEX, 12, A, FIELDS)),
          new PutTag("c", "latest", A),
          new DeleteTag("c", "latest"),
          new DeleteManifest("c", A));

  @TempDir Path dir;
  private Path file = Path.of("");

  @BeforeEach
  void create() throws IOException {
    file = dir.resolve("journal");
    Journal.create(file, ID);
  }

  private List<Change> replay() throws IOException {
    List<Change> changes = new ArrayList<>();
    Journal.open(file, changes::add).close();
    return changes;
  }

  @Test
  void changesComeBack() throws IOException {
    for (Change change : ALL) {
      assertThat(Change.decode(change.encode(), new HashMap<>())).isEqualTo(change);
    }
    try (Journal journal = Journal.open(file, c -> {})) {
      journal.append(ALL.subList(0, 3));
      journal.append(ALL.subList(3, 8));
      assertThat(journal.length()).isEqualTo(Files.size(file));
    }
    assertThat(replay()).isEqualTo(ALL);
  }

  @Test
  void aTornLastLineIsCutOffWhereverItTears() throws IOException {
    long whole;
    try (Journal journal = Journal.open(file, c -> {})) {
      journal.append(ALL.subList(0, 3));
      whole = journal.length();
      journal.append(ALL.subList(3, 8));
    }
    byte[] bytes = Files.readAllBytes(file);
    for (int length = (int) whole; length < bytes.length; length += 1 + length % 13) {
      Files.write(file, Arrays.copyOf(bytes, length));
      assertThat(replay()).as("cut at %d", length).isEqualTo(ALL.subList(0, 3));
      assertThat(Files.size(file)).isEqualTo(whole);
      if (length > whole) {
        Path aside = dir.resolve("journal.cut-1");
        assertThat(aside).hasBinaryContent(Arrays.copyOfRange(bytes, (int) whole, length));
        Files.delete(aside);
      }
    }
    byte[] zeros = bytes.clone();
    Arrays.fill(zeros, (int) whole + 20, bytes.length - 20, (byte) 0);
    Files.write(file, zeros);
    assertThat(replay()).isEqualTo(ALL.subList(0, 3));
  }

  @Test
  void oneGoesOnBehindATornLine() throws IOException {
    try (Journal journal = Journal.open(file, c -> {})) {
      journal.append(ALL.subList(0, 3));
    }
    Files.writeString(file, "deadbeef blob x", StandardOpenOption.APPEND);
    try (Journal journal = Journal.open(file, c -> {})) {
      journal.append(ALL.subList(3, 8));
    }
    assertThat(replay()).isEqualTo(ALL);
  }

  @Test
  void damageIsRefusedWhereverItIs() throws IOException {
    try (Journal journal = Journal.open(file, c -> {})) {
      journal.append(ALL.subList(0, 3));
      journal.append(ALL.subList(3, 8));
    }
    byte[] bytes = Files.readAllBytes(file);
    for (int i = 0; i < bytes.length - 1; i++) {
      byte[] flipped = bytes.clone();
      flipped[i] ^= 1;
      Files.write(file, flipped);
      boolean inId = i >= 27 && i < 63;
      if (inId) {
        continue; // compared with the mark of the blobs, see RegistryDamageTest
      }
      assertThatThrownBy(this::replay)
          .as("bit %d", i)
          .isInstanceOf(Problem.class)
          .hasMessageContaining(file.toString());
      assertThat(file).hasBinaryContent(flipped);
    }
  }

  @Test
  void theSentenceSaysWhereAndWhatToDo() throws IOException {
    try (Journal journal = Journal.open(file, c -> {})) {
      journal.append(ALL.subList(0, 3));
      journal.append(ALL.subList(3, 8));
    }
    byte[] bytes = Files.readAllBytes(file);
    bytes[90] ^= 1;
    Files.write(file, bytes);
    assertThatThrownBy(this::replay)
        .hasMessage(
            file
                + ":2 is damaged; nothing was changed; restore it from a backup, or run: slipway"
                + " registry repair --storage "
                + dir);
    Files.writeString(file, "slipway-registry-journal 3 x\n");
    assertThatThrownBy(this::replay).hasMessageContaining("was written by a newer version");
  }

  /** A machine that loses its power again and again does not fill its disk by that. */
  @Test
  void theNewestTornLinesAreKept() throws IOException {
    for (int i = 1; i <= 12; i++) {
      try (Journal journal = Journal.open(file, c -> {})) {
        journal.append(ALL.subList(0, 1));
      }
      Files.writeString(file, "torn " + i, StandardOpenOption.APPEND);
      replay();
      for (Path cut : cuts()) {
        FileTime time = Files.getLastModifiedTime(cut);
        Files.setLastModifiedTime(cut, FileTime.fromMillis(time.toMillis() - 5000));
      }
    }
    List<String> left = new ArrayList<>();
    for (Path cut : cuts()) {
      left.add(Files.readString(cut));
    }
    assertThat(left).hasSize(10).contains("torn 12", "torn 3").doesNotContain("torn 1", "torn 2");
  }

  private List<Path> cuts() throws IOException {
    try (Stream<Path> all = Files.list(dir)) {
      return all.filter(p -> p.getFileName().toString().startsWith("journal.cut-")).toList();
    }
  }

  @Test
  void rewrittenItMeansTheSameAndGoesOn() throws IOException {
    try (Journal journal = Journal.open(file, c -> {})) {
      for (int i = 0; i < 100; i++) {
        journal.append(ALL);
      }
      long before = journal.length();
      journal.rewrite(
          ID,
          sink -> {
            sink.accept(ALL.subList(0, 2));
            sink.accept(List.of());
          });
      assertThat(journal.length()).isLessThan(before / 50);
      journal.append(ALL.subList(2, 3));
    }
    assertThat(replay()).isEqualTo(ALL.subList(0, 3));
  }

  private static void onlyTheFirstTwo(java.util.function.Consumer<List<Change>> sink) {
    sink.accept(ALL.subList(0, 2));
  }

  @Test
  void aRewriteWhoseDirectoryIsNotSyncedTakesNoMoreWrites() throws IOException {
    try (Journal journal = Journal.open(file, c -> {})) {
      journal.append(ALL.subList(0, 3));
      assertThatThrownBy(
              () ->
                  journal.rewrite(
                      ID,
                      JournalTest::onlyTheFirstTwo,
                      file -> {
                        file.commit();
                        throw new AtomicFile.NotSynced(this.file, new IOException("EIO"));
                      }))
          .isInstanceOf(AtomicFile.NotSynced.class);
      // Else this would go into a file that has no name, or that a power cut replaces.
      assertThat(journal.isBroken()).isTrue();
      assertThatThrownBy(() -> journal.append(ALL.subList(3, 8))).isInstanceOf(IOException.class);
    }
    assertThat(replay()).isEqualTo(ALL.subList(0, 2));
  }

  @Test
  void aRewriteThatFailsBeforeItsRenameLeavesAllAsItWas() throws IOException {
    try (Journal journal = Journal.open(file, c -> {})) {
      journal.append(ALL.subList(0, 3));
      assertThatThrownBy(
              () ->
                  journal.rewrite(
                      ID,
                      JournalTest::onlyTheFirstTwo,
                      file -> {
                        throw new IOException("No space left on device");
                      }))
          .hasMessage("No space left on device");
      assertThat(journal.isBroken()).isFalse();
      journal.append(ALL.subList(3, 8));
    }
    assertThat(replay()).isEqualTo(ALL);
    assertThat(dir.toFile().list()).containsExactly("journal");
  }
}
