package slipway.oci;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.oci.copy.Span;
import slipway.oci.model.Descriptor;
import slipway.oci.model.MediaTypes;
import slipway.oci.registry.RegistryClient;
import slipway.oci.registry.RegistryOptions;

/** Parts of a blob, of registries that give many at once, one at a time, joined, or none. */
class PartsTest extends HostileCase {
  @TempDir Path dir;

  private final List<String> ranges = new CopyOnWriteArrayList<>();
  private final AtomicLong fetched = new AtomicLong();

  private static List<Span> spans(int count, int step, int length) {
    List<Span> spans = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      long begin = 100L + (long) i * step;
      spans.add(new Span(begin, begin + length));
    }
    return spans;
  }

  private static byte[] expected(List<Span> spans) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    spans.forEach(s -> all.write(BLOB, (int) s.offset(), (int) s.length()));
    return all.toByteArray();
  }

  private static List<Span> asked(HttpExchange exchange) {
    List<Span> asked = new ArrayList<>();
    String header = exchange.getRequestHeaders().getFirst("Range");
    for (String range : header.substring("bytes=".length()).split(",", -1)) {
      String[] ends = range.split("-", -1);
      asked.add(new Span(Long.parseLong(ends[0]), Long.parseLong(ends[1]) + 1));
    }
    return asked;
  }

  private static void single(HttpExchange exchange, Span span) throws IOException {
    HostileRegistry.header(exchange, "Content-Range", contentRange(span));
    HostileRegistry.answer(
        exchange, 206, Arrays.copyOfRange(BLOB, (int) span.offset(), (int) span.end()));
  }

  private static String contentRange(Span span) {
    return "bytes " + span.offset() + "-" + (span.end() - 1) + "/" + BLOB.length;
  }

  /** As Go's server writes it: a boundary of 60 digits, the type first. */
  private static byte[] multipart(List<Span> spans, String boundary) {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    for (Span span : spans) {
      String head =
          "\r\n--%s\r\ncontent-type: a/b\r\nCONTENT-RANGE:  %s\r\n\r\n"
              .formatted(boundary, contentRange(span));
      body.writeBytes(head.getBytes(StandardCharsets.US_ASCII));
      body.write(BLOB, (int) span.offset(), (int) span.length());
    }
    body.writeBytes(("\r\n--" + boundary + "--\r\n").getBytes(StandardCharsets.US_ASCII));
    return body.toByteArray();
  }

  private static void many(HttpExchange exchange, List<Span> spans) throws IOException {
    HostileRegistry.header(exchange, "Content-Type", "multipart/byteranges; boundary=\"b0undary\"");
    HostileRegistry.answer(exchange, 206, multipart(spans, "b0undary"));
  }

  private Optional<byte[]> read(HostileRegistry.Handler handler, List<Span> spans)
      throws IOException {
    HostileRegistry.Handler noting =
        (exchange, count) -> {
          ranges.add(exchange.getRequestHeaders().getFirst("Range"));
          handler.handle(exchange, count);
        };
    try (HostileRegistry server = new HostileRegistry(noting);
        RegistryClient client = new RegistryClient(server.reference(), OPTIONS)) {
      Optional<InputStream> parts = client.parts(DESCRIPTOR, spans, fetched::addAndGet);
      if (parts.isEmpty()) {
        return Optional.empty();
      }
      try (InputStream in = parts.get()) {
        return Optional.of(in.readAllBytes());
      }
    }
  }

  @Test
  void manyPartsComeInAFewRequests() throws IOException {
    List<Span> spans = spans(300, 9_000, 1_000);
    assertThat(read((exchange, count) -> many(exchange, asked(exchange)), spans))
        .contains(expected(spans));
    assertThat(ranges).hasSize(3);
    assertThat(fetched).hasValue(300_000);
  }

  @Test
  void partsThatARegistryJoinsAreTakenApart() throws IOException {
    List<Span> spans = spans(20, 1_100, 1_000);
    assertThat(read((exchange, count) -> many(exchange, Span.joined(asked(exchange), 100)), spans))
        .contains(expected(spans));
    ranges.clear();
    assertThat(
            read(
                (exchange, count) -> single(exchange, Span.joined(asked(exchange), 100).getFirst()),
                spans))
        .contains(expected(spans));
    assertThat(ranges).hasSize(1);
  }

  @Test
  void whoGivesOnePartOfManyIsAskedForOneAtATime() throws IOException {
    List<Span> spans = spans(5, 200_000, 1_000);
    assertThat(read((exchange, count) -> single(exchange, asked(exchange).getFirst()), spans))
        .contains(expected(spans));
    assertThat(ranges).hasSize(5);
    assertThat(ranges.subList(1, 5)).noneMatch(r -> r.contains(","));
    assertThat(fetched).hasValue(5_000);
  }

  @Test
  void whoRefusesManyIsAskedForOneAtATime() throws IOException {
    List<Span> spans = spans(40, 2_000, 1_000);
    for (int status : new int[] {200, 400, 403, 404, 416, 501, 502}) {
      ranges.clear();
      assertThat(
              read(
                  (exchange, count) -> {
                    if (asked(exchange).size() > 1) {
                      HostileRegistry.answer(exchange, status, status == 200 ? BLOB : new byte[0]);
                    } else {
                      single(exchange, asked(exchange).getFirst());
                    }
                  },
                  spans))
          .contains(expected(spans));
      // What lies near each other then comes at once.
      assertThat(ranges.stream().distinct()).hasSize(2);
    }
  }

  @Test
  void whoIgnoresRangesGivesNoParts() throws IOException {
    assertThat(
            read((exchange, count) -> HostileRegistry.answer(exchange, 200, BLOB), spans(3, 9, 5)))
        .isEmpty();
    assertThat(fetched).hasValue(0);
  }

  /** It promised parts; whoever reads them fetches the whole. */
  @Test
  void whoBreaksOffBeforeThePartsAndIgnoresRangesThenIsTold() {
    fails(
            Problem.Kind.INPUT,
            () ->
                read(
                    (exchange, count) -> {
                      if (count == 0) {
                        HostileRegistry.header(
                            exchange, "Content-Type", "multipart/byteranges; boundary=x");
                        HostileRegistry.cut(exchange, 206, multipart(asked(exchange), "x"), 0, 5);
                      } else {
                        HostileRegistry.answer(exchange, 200, BLOB);
                      }
                    },
                    spans(3, 9_000, 1_000)))
        .hasMessageContaining("the registry gives no parts any more");
  }

  @Test
  void aByteForEachRequestIsNoAnswer() {
    fails(
            Problem.Kind.CORRUPT,
            () ->
                read(
                    (exchange, count) -> {
                      long first = asked(exchange).getFirst().offset();
                      single(exchange, new Span(first, first + 1));
                    },
                    spans(3, 9_000, 1_000)))
        .hasMessageContaining("too many answers");
    assertThat(ranges).hasSizeLessThan(20);
  }

  @Test
  void whatIsCutGoesOn() throws IOException {
    List<Span> spans = spans(10, 200_000, 100_000);
    assertThat(
            read(
                (exchange, count) -> {
                  HostileRegistry.header(
                      exchange, "Content-Type", "multipart/byteranges; boundary=x");
                  byte[] body = multipart(asked(exchange), "x");
                  if (count < 2) {
                    HostileRegistry.cut(exchange, 206, body, 0, body.length / 3);
                  } else {
                    HostileRegistry.answer(exchange, 206, body);
                  }
                },
                spans))
        .contains(expected(spans));
    assertThat(ranges).hasSize(3);
  }

  @Test
  void nonsenseIsRefused() {
    List<Span> spans = spans(3, 9_000, 1_000);
    fails(
        Problem.Kind.CORRUPT,
        () -> read((exchange, count) -> single(exchange, new Span(7, 9)), spans));
    fails(
        Problem.Kind.CORRUPT,
        () -> read((exchange, count) -> HostileRegistry.answer(exchange, 206, BLOB), spans));
    fails(
        Problem.Kind.CORRUPT,
        () ->
            read(
                (exchange, count) -> {
                  HostileRegistry.header(
                      exchange, "Content-Type", "multipart/byteranges; boundary=x");
                  HostileRegistry.answer(exchange, 206, "\r\n".repeat(100_000));
                },
                spans));
    fails(
        Problem.Kind.CORRUPT,
        () ->
            read(
                (exchange, count) -> {
                  HostileRegistry.header(
                      exchange, "Content-Type", "multipart/byteranges; boundary=x");
                  HostileRegistry.answer(exchange, 206, "--x\r\n" + "y".repeat(100_000));
                },
                spans));
    fails(
        Problem.Kind.INPUT,
        () ->
            read(
                (exchange, count) -> {
                  if (count == 0) {
                    many(exchange, asked(exchange).subList(0, 1));
                  } else {
                    HostileRegistry.answer(exchange, 200, BLOB);
                  }
                },
                spans));
  }

  /** An independent server. */
  @Test
  void dockerRegistryGivesParts() throws Exception {
    List<Span> spans = spans(300, 9_000, 1_000);
    try (DockerRegistry server = DockerRegistry.start(dir, null);
        RegistryClient client =
            new RegistryClient(server.reference("os:1"), RegistryOptions.anonymous(Map.of()))) {
      Descriptor blob = Descriptor.of(MediaTypes.OCI_LAYER, BLOB);
      client.putBlob(blob, offset -> new java.io.ByteArrayInputStream(BLOB));
      try (InputStream in = client.parts(blob, spans, fetched::addAndGet).orElseThrow()) {
        assertThat(in.readAllBytes()).isEqualTo(expected(spans));
      }
    }
    assertThat(fetched).hasValue(300_000);
  }
}
