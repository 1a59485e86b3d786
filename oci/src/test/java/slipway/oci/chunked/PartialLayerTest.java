package slipway.oci.chunked;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.archive.tar.Metadata;
import slipway.archive.tar.TarOptions;
import slipway.base.BlockInput;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.oci.ChunkedBlob;
import slipway.oci.MemorySource;
import slipway.oci.Seeds;
import slipway.oci.copy.Span;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.tree.Content;
import slipway.tree.TarWriter;
import slipway.tree.TreeBuilder;

class PartialLayerTest {
  private static final Random RANDOM = new Random(7);
  private static final byte[] TAR = tar();

  private final MemorySource source = new MemorySource();
  private final AtomicLong fetched = new AtomicLong();
  private final Known known = new Known();

  /** Contents by digest, which may be wrong. */
  private static final class Known implements KnownContents {
    private final Map<Digest, byte[]> contents = new HashMap<>();
    private int distrusted;

    /** Reads of a content that go well before one fails. */
    private int badSector = -1;

    @Override
    public boolean has(Digest content, long size) {
      byte[] bytes = contents.get(content);
      return bytes != null && bytes.length == size;
    }

    @Override
    public InputStream open(Digest content) throws IOException {
      if (badSector == 0) {
        throw new IOException("Input/output error");
      }
      if (badSector == 1) {
        return new BlockInput() {
          @Override
          public int read(byte[] buffer, int offset, int length) throws IOException {
            throw new IOException("Input/output error");
          }
        };
      }
      return new ByteArrayInputStream(contents.get(content));
    }

    @Override
    public void distrust(Digest content) {
      distrusted++;
    }
  }

  private static byte[] random(int size) {
    byte[] bytes = new byte[size];
    RANDOM.nextBytes(bytes);
    return bytes;
  }

  private static byte[] tar() {
    TreeBuilder b = new TreeBuilder();
    for (int i = 0; i < 40; i++) {
      b.file("usr/lib/small" + i, Metadata.file(0644), Content.of(random(3_000 + i)));
    }
    b.file("usr/bin/large", Metadata.file(0755), Content.of(random(300_000)));
    b.file("usr/bin/other", Metadata.file(0755), Content.of(random(200_000)));
    byte[] holes = new byte[400_000];
    System.arraycopy(random(100), 0, holes, 399_000, 100);
    b.file("var/holes", Metadata.file(0600), Content.of(holes));
    b.file("var/empty", Metadata.file(0600), Content.EMPTY);
    b.symlink("usr/lib/link", "small1");
    b.link("usr/bin/large", "usr/bin/z-link");
    try (ByteArrayOutputStream out = new ByteArrayOutputStream()) {
      TarWriter.write(out, b.layer(), TarOptions.EXACT);
      return out.toByteArray();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private Descriptor serve(ChunkedBlob blob) {
    source.add("x", blob.bytes());
    return blob.descriptor();
  }

  private void know(ChunkedBlob blob, String... but) {
    blob.contents()
        .forEach(
            (name, bytes) -> {
              if (!List.of(but).contains(name)) {
                known.contents.put(Digest.sha256(bytes), bytes);
              }
            });
  }

  private byte[] read(Descriptor layer) throws IOException {
    PartialLayer partial =
        PartialLayer.find(source, layer, known, fetched::addAndGet, memory -> {}).orElseThrow();
    try (InputStream in = partial.open(fetched::addAndGet)) {
      return in.readAllBytes();
    }
  }

  /** An answer of a registry that nobody closes keeps its connection. */
  @Test
  void aTableThatIsTooLargeLeavesNothingOpen() throws IOException {
    AtomicInteger open = new AtomicInteger();
    MemorySource counting =
        new MemorySource() {
          @Override
          public Optional<InputStream> parts(
              Descriptor descriptor, List<Span> spans, LongConsumer fetched) {
            return super.parts(descriptor, spans, fetched)
                .map(
                    in -> {
                      open.incrementAndGet();
                      return new FilterInputStream(in) {
                        @Override
                        public void close() throws IOException {
                          open.decrementAndGet();
                          super.close();
                        }
                      };
                    });
          }
        };
    ChunkedBlob blob = ChunkedBlob.of(TAR, true);
    counting.add("x", blob.bytes());
    for (int refused = 1; refused <= 2; refused++) {
      AtomicInteger left = new AtomicInteger(refused);
      assertThatThrownBy(
              () ->
                  PartialLayer.find(
                      counting,
                      blob.descriptor(),
                      known,
                      fetched::addAndGet,
                      memory -> {
                        if (left.decrementAndGet() == 0) {
                          throw Problem.input("too much");
                        }
                      }))
          .hasMessage("too much");
      assertThat(open).hasValue(0);
    }
  }

  private void find(ChunkedBlob blob, LongConsumer memory) throws IOException {
    assertThat(PartialLayer.find(source, serve(blob), known, fetched::addAndGet, memory))
        .isPresent();
  }

  /** Also the texts of a file's further chunks, which nobody needs. */
  @Test
  void allTextsOfATableCount() throws IOException {
    AtomicLong plain = new AtomicLong();
    find(ChunkedBlob.of(TAR, true), plain::addAndGet);
    AtomicLong longer = new AtomicLong();
    String text = "x".repeat(900_000);
    find(
        ChunkedBlob.of(
            TAR,
            true,
            65_536,
            table -> table.replaceFirst("\"type\":\"chunk\"", "$0,\"digest\":\"" + text + "\"")),
        longer::addAndGet);
    assertThat(longer.get() - plain.get()).isGreaterThan(2 * 900_000);
  }

  /** Names that nobody knows are forgotten; a million of them take more than 100 MB. */
  @Test
  void unknownNamesOfATableTakeNoMemory() throws IOException {
    StringBuilder names = new StringBuilder("{");
    for (int i = 0; i < 1_000_000; i++) {
      names.append("\"n").append(i).append("\":0,");
    }
    ChunkedBlob blob = ChunkedBlob.of(TAR, true, 65_536, table -> names + table.substring(1));
    names.setLength(0);
    names.trimToSize();
    long before = used();
    AtomicLong most = new AtomicLong();
    AtomicInteger calls = new AtomicInteger();
    find(
        blob,
        bytes -> {
          if (calls.getAndIncrement() == 1) {
            most.set(used());
          }
        });
    assertThat(calls).hasValueGreaterThan(1);
    assertThat(most.get() - before).isLessThan(40_000_000);
  }

  private static long used() {
    System.gc();
    return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void theTarIsTheSameWhateverIsThere(boolean tarSplit) throws IOException {
    ChunkedBlob blob = ChunkedBlob.of(TAR, tarSplit);
    Descriptor layer = serve(blob);
    assertThat(read(layer)).isEqualTo(TAR);
    know(blob, "usr/bin/other", "usr/lib/small7", "usr/lib/small8", "usr/lib/small30");
    fetched.set(0);
    assertThat(read(layer)).isEqualTo(TAR);
    // 209,000 bytes that nothing makes smaller; the rest tells how the tar is put together.
    assertThat(fetched).hasValueBetween(209_000L, 225_000L);
    know(blob);
    fetched.set(0);
    assertThat(read(layer)).isEqualTo(TAR);
    assertThat(fetched).hasValueLessThan(16_000L);
  }

  @Test
  void aFileIsFoundHoweverItsNameBegins() throws IOException {
    ChunkedBlob blob =
        ChunkedBlob.of(TAR, true, 50_000, table -> table.replace("\"usr/", "\"./usr/"));
    Descriptor layer = serve(blob);
    know(blob);
    PartialLayer partial =
        PartialLayer.find(source, layer, known, fetched::addAndGet, memory -> {}).orElseThrow();
    assertThat(partial.content(OsPath.of("usr/bin/large")))
        .contains(Digest.sha256(blob.contents().get("usr/bin/large")));
    assertThat(partial.content(OsPath.of("usr/lib/link"))).isEmpty();
    assertThat(read(layer)).isEqualTo(TAR);
  }

  /** Each of a name's first characters may be one that does not count. */
  @Test
  @Timeout(30)
  void aNameOfSlashesTakesNoLongerThanAnother() throws IOException {
    String slashes = "/".repeat(1_000_000);
    find(
        ChunkedBlob.of(TAR, true, 65_536, table -> table.replace("\"usr/bin/large", '"' + slashes)),
        memory -> {});
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aContentThatIsAnotherIsRefused(boolean tarSplit) throws IOException {
    ChunkedBlob blob = ChunkedBlob.of(TAR, tarSplit);
    Descriptor layer = serve(blob);
    know(blob, "usr/bin/other");
    byte[] large = blob.contents().get("usr/bin/large");
    known.contents.put(Digest.sha256(large), new byte[large.length]);
    assertThatThrownBy(() -> read(layer))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("the content of usr/bin/large that is here is not the one");
    assertThat(known.distrusted).isEqualTo(1);

    know(blob, "usr/bin/other");
    byte[] forged = blob.bytes().clone();
    int[] other = blob.place("usr/bin/other");
    forged[(other[0] + other[1]) / 2] ^= 1;
    source.forge(layer, forged);
    assertThatThrownBy(() -> read(layer)).isInstanceOf(Problem.class);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void aContentThatCannotBeReadIsAsGoodAsAnother(int badSector) throws IOException {
    ChunkedBlob blob = ChunkedBlob.of(TAR, true);
    Descriptor layer = serve(blob);
    know(blob);
    known.badSector = badSector;
    assertThatThrownBy(() -> read(layer))
        .isInstanceOfSatisfying(
            Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.CORRUPT))
        .hasMessageContaining("that is here cannot be read: Input/output error");
    assertThat(known.distrusted).isEqualTo(1);
  }

  @Test
  void whatTarSplitKeptIsBounded() throws IOException {
    String line = "{\"type\":1,\"name\":\"x\"" + " ".repeat(4_000_000) + "}\n";
    assertThat(read(serve(ChunkedBlob.withTarSplit(TAR, line, 2)))).isEqualTo(TAR);
    Descriptor layer = serve(ChunkedBlob.withTarSplit(TAR, line, 70));
    assertThatThrownBy(() -> read(layer))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("is longer than 256 MiB");
  }

  @Test
  void aTableThatIsDamagedOrLiesIsRefused() throws IOException {
    for (String[] change :
        new String[][] {
          {"\"version\":1", "\"version\":2"},
          {"\"version\":1,", ""},
          {"\"version\":1,", "\"version\":1,\"version\":1,"},
          {"\"size\":300000", "\"size\":300000,\"size\":300000"},
          {"\"entries\":[", "\"entries\":{"},
          {"\"size\":300000", "\"size\":300001"},
          {"\"size\":300000", "\"size\":99999999999999999999999"},
          {"\"chunkOffset\":65536", "\"chunkOffset\":65535"},
          {"\"endOffset\":", "\"endOffset\":9999999"},
          {"\"endOffset\":", "\"endOffset\":-"},
          {"\"name\":\"usr/lib/small3\"", "\"name\":\"usr/lib/small4\""},
          {"\"name\":\"usr/lib/small3\"", "\"name\":\"usr/lib/another\""},
          {"\"digest\":\"sha256:", "\"digest\":\"sha512:"},
          {"\"type\":\"reg\"", "\"type\":\"chunk\""},
          {"]", ""},
        }) {
      ChunkedBlob blob =
          ChunkedBlob.of(TAR, true, 65_536, table -> table.replace(change[0], change[1]));
      Descriptor layer = serve(blob);
      assertThatThrownBy(() -> read(layer))
          .as("%s as %s", change[0], change[1])
          .isInstanceOfSatisfying(
              Problem.class,
              p -> assertThat(p.kind()).isIn(Problem.Kind.CORRUPT, Problem.Kind.INPUT));
    }
  }

  @Test
  void whatTheManifestSaysOfTheTableIsBounded() throws IOException {
    ChunkedBlob blob = ChunkedBlob.of(TAR, true);
    Descriptor layer = serve(blob);
    for (String position :
        new String[] {"", "1:2", "0:0:0:1", "-1:5:5:1", "5:99999999999:1:1", "1:50000000:9:1"}) {
      Map<String, String> annotations = new HashMap<>(layer.annotations());
      annotations.put("io.github.containers.zstd-chunked.manifest-position", position);
      assertThatThrownBy(() -> read(layer.withAnnotations(annotations)))
          .as(position)
          .isInstanceOf(Problem.class)
          .hasMessageContaining("lies nowhere in it");
    }
    Map<String, String> annotations = new HashMap<>(layer.annotations());
    annotations.put(
        "io.github.containers.zstd-chunked.manifest-checksum",
        Digest.sha256(new byte[0]).toString());
    assertThatThrownBy(() -> read(layer.withAnnotations(annotations)))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("is damaged");
    assertThat(PartialLayer.isOffered(layer.withAnnotations(Map.of()))).isFalse();
    assertThat(
            PartialLayer.find(
                source, layer.withAnnotations(Map.of()), known, fetched::addAndGet, memory -> {}))
        .isEmpty();
  }

  /** Whatever is changed in transit, the outcome is the tar, or a sentence. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void damageGivesTheSameTarOrAProblem(boolean tarSplit) throws IOException {
    ChunkedBlob blob = ChunkedBlob.of(TAR, tarSplit);
    Descriptor layer = serve(blob);
    know(blob, "usr/lib/small7", "usr/lib/small30", "var/holes");
    Random random = Seeds.random("PartialLayerTest");
    for (int round = 0; round < 60; round++) {
      byte[] forged = blob.bytes().clone();
      int at = random.nextInt(forged.length);
      forged[at] = (byte) random.nextInt();
      source.forge(layer, forged);
      try {
        byte[] read = read(layer);
        if (tarSplit) {
          assertThat(read).as("byte %d", at).isEqualTo(TAR);
        }
      } catch (Problem e) {
        assertThat(e.kind()).isIn(Problem.Kind.CORRUPT, Problem.Kind.INPUT);
      }
    }
  }
}
