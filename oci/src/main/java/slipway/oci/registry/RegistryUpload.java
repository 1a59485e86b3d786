package slipway.oci.registry;

import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpRequest;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import slipway.base.BlockFilter;
import slipway.base.Problem;
import slipway.oci.copy.ImageSink;
import slipway.oci.copy.VerifyingInputStream;
import slipway.oci.model.Descriptor;

/**
 * Sends one blob (distribution-spec, "Pushing blobs"): in one request of known length; in pieces
 * when something on the way refuses that much at once. After a cut the registry is asked how much
 * it has, and the rest follows, if only the request that ends the session. Where the session is not
 * known any more, it is asked for the blob, which may be complete, before a fresh session begins.
 */
final class RegistryUpload {
  private static final int FIRST_CHUNK = 16 * 1024 * 1024;
  private static final int SMALLEST_CHUNK = 1024 * 1024;
  private static final int TOO_LARGE = 413;
  private static final int OUT_OF_RANGE = 416;

  /** What is sent in a single PUT: a registry need not keep half of one after a cut. */
  private static final long ONE_REQUEST = 4L * 1024 * 1024;

  /** So much must have arrived for a failure to count as the first again. */
  private static final long PROGRESS = 1024 * 1024;

  /** A registry that took in so much during a pause is worth waiting for; one that drips is not. */
  private static final long STILL_COMING = 64 * 1024;

  private static final Pattern RANGE = Pattern.compile("(?:bytes=)?0-([0-9]{1,18})");

  private final RegistryClient client;
  private final RegistryHttp http;
  private final Descriptor descriptor;
  private final ImageSink.BlobSupplier content;
  private final String action;
  private @Nullable String session;
  private long received;
  private int chunk;

  /**
   * @param session where to send the bytes, from a mount that was not made, or null
   */
  RegistryUpload(
      RegistryClient client,
      RegistryHttp http,
      Descriptor descriptor,
      ImageSink.BlobSupplier content,
      @Nullable String session) {
    this.client = client;
    this.http = http;
    this.descriptor = descriptor;
    this.content = content;
    this.session = session;
    this.action = "push blob " + descriptor.digest() + " to " + client.name().name();
  }

  /** Whether the registry refused to go on where it said that it was. */
  private boolean misplaced;

  void run() throws IOException {
    long counted = 0;
    for (int failures = 1; true; failures++) {
      boolean last = failures >= http.options().attempts();
      try {
        if (attempt(last)) {
          return;
        }
      } catch (IOException e) {
        if (last || !NetworkFailure.isPassing(e)) {
          throw http.failed(e, action);
        }
      }
      received = settled(failures);
      if (session == null && client.hasBlob(descriptor)) {
        return;
      }
      // Beyond all that ever was: a registry that forgets sessions gives no patience anew.
      if (received - counted >= PROGRESS) {
        failures = 0;
        counted = received;
        misplaced = false;
      }
    }
  }

  /**
   * How much the registry has, once it says the same twice, with a pause between: while it takes in
   * what waits in its socket from before the cut, it tells less than it will have, and would refuse
   * what is sent after that. Waits no longer than for one that sends nothing.
   */
  private long settled(int failures) throws IOException {
    long begun = System.nanoTime();
    long before;
    long told = received();
    do {
      http.pause(failures, null);
      before = told;
      told = session == null || told == descriptor.size() ? told : received();
    } while (told - before >= STILL_COMING
        && System.nanoTime() - begun < http.options().stall().toNanos());
    return told;
  }

  /** One upload of what is missing; false when another attempt may do better. */
  private boolean attempt(boolean last) throws IOException {
    if (session == null) {
      session = client.beginUpload(action);
      received = 0;
    }
    boolean whole = received == 0;
    try (RegistryHttp.Answer answer = send(session)) {
      int status = answer.status();
      if (status == 201 || status == 200 || status == 204) {
        return true;
      }
      // A session that went on after a cut may be in disorder; a whole one shows what is wrong.
      boolean passing = RegistryHttp.isPassing(status);
      if (status == OUT_OF_RANGE && !whole && !misplaced) {
        misplaced = true; // It took in more of what was cut since it was asked: asked once more.
        return false;
      }
      if (!whole || !passing) {
        session = null;
      }
      if (status == TOO_LARGE && shrink()) {
        return attempt(last); // No failure: the next size is tried at once.
      }
      boolean again = !whole || passing || status == 401 || status == 404;
      if (last || !again) {
        throw http.refused(answer, action);
      }
      return false;
    }
  }

  private RegistryHttp.Answer send(String location) throws IOException {
    if (received > 0 && received == descriptor.size()) {
      return end(location);
    }
    if (chunk != 0) {
      return pieces(location, received);
    }
    return received == 0 && descriptor.size() <= ONE_REQUEST ? whole(location) : rest(location);
  }

  /**
   * How many bytes the registry has of the session that was cut, and where to go on; 0 and no
   * session when it does not say.
   */
  private long received() throws IOException {
    String location = session;
    session = null;
    if (location == null) {
      return 0;
    }
    RegistryHttp.Call call = client.uploadCall(location, action);
    try (RegistryHttp.Answer answer = http.exchange(call, HttpRequest.Builder::GET)) {
      Matcher range = RANGE.matcher(answer.header("Range"));
      if (answer.status() != 204 || !range.matches()) {
        return 0;
      }
      // An empty session is told as 0-0, as one with a single byte is.
      long end = Long.parseLong(range.group(1));
      if (end == 0 || end >= descriptor.size()) {
        return 0;
      }
      session = answer.header("Location").isEmpty() ? location : http.location(answer, action);
      return end + 1;
    }
  }

  private boolean shrink() {
    chunk = chunk == 0 ? FIRST_CHUNK : chunk / 2;
    return chunk >= SMALLEST_CHUNK;
  }

  private RegistryHttp.Answer whole(String location) throws IOException {
    return put(location, new Body(0, descriptor.size()));
  }

  /** Ends a session that has everything. */
  private RegistryHttp.Answer end(String location) throws IOException {
    return put(location, new Body(new byte[0]));
  }

  private RegistryHttp.Answer put(String location, Body body) throws IOException {
    String digest = (location.contains("?") ? "&" : "?") + "digest=" + descriptor.digest();
    return send(client.uploadCall(location + digest, action), "PUT", body, null);
  }

  private RegistryHttp.Answer send(
      RegistryHttp.Call call, String method, Body body, @Nullable String range) throws IOException {
    try (body) {
      RegistryHttp.Answer answer =
          http.upload(
              call,
              b -> {
                b.method(method, body.publisher())
                    .header("Content-Type", "application/octet-stream");
                return range == null ? b : b.header("Content-Range", range);
              },
              body::lastMove);
      body.rethrow();
      return answer;
    } catch (IOException e) {
      body.rethrow();
      throw e;
    }
  }

  /** All that is missing in one request, and another one that ends the session. */
  private RegistryHttp.Answer rest(String begin) throws IOException {
    long at = received;
    String range = at + "-" + (descriptor.size() - 1);
    RegistryHttp.Answer answer =
        send(
            client.uploadCall(begin, action),
            "PATCH",
            new Body(at, descriptor.size() - at),
            at == 0 ? null : range);
    if (answer.status() != 202) {
      return answer;
    }
    try (answer) {
      session = http.location(answer, action);
    }
    return end(session);
  }

  private RegistryHttp.Answer pieces(String begin, long from) throws IOException {
    session = begin;
    try (InputStream in = open(from)) {
      for (long at = from; at < descriptor.size(); ) {
        byte[] piece = in.readNBytes((int) Math.min(chunk, descriptor.size() - at));
        if (piece.length == 0) {
          throw Problem.corrupt("cannot " + action + ": its source ends too early");
        }
        String range = at + "-" + (at + piece.length - 1);
        RegistryHttp.Call call = client.uploadCall(session, action);
        RegistryHttp.Answer answer = send(call, "PATCH", new Body(piece), range);
        if (answer.status() != 202) {
          return answer;
        }
        try (answer) {
          session = http.location(answer, action);
        }
        at += piece.length;
      }
      if (in.read() >= 0) { // At the end it is verified, before the last request.
        throw Problem.corrupt("cannot " + action + ": its source is too long");
      }
    }
    return end(session);
  }

  /** The content from an offset; from the beginning it is verified, else only by the registry. */
  private InputStream open(long offset) throws IOException {
    return offset == 0
        ? new VerifyingInputStream(content.open(0), descriptor)
        : content.open(offset);
  }

  /** What is sent, watched: when it moved last, and how its source failed. */
  private final class Body implements AutoCloseable {
    private static final Duration SERVER_WORK = Duration.ofMinutes(5);

    private final byte @Nullable [] bytes;
    private final long offset;
    private final long length;
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private final SpeedFloor floor = new SpeedFloor(http.options().stall());
    private volatile long moved = System.nanoTime();
    private volatile @Nullable InputStream open;

    Body(long offset, long length) {
      this.bytes = null;
      this.offset = offset;
      this.length = length;
    }

    Body(byte[] bytes) {
      this.bytes = bytes;
      this.offset = 0;
      this.length = bytes.length;
    }

    long lastMove() {
      return moved;
    }

    HttpRequest.BodyPublisher publisher() {
      if (length == 0) {
        return HttpRequest.BodyPublishers.noBody();
      }
      Flow.Publisher<ByteBuffer> stream = HttpRequest.BodyPublishers.ofInputStream(this::stream);
      return HttpRequest.BodyPublishers.fromPublisher(stream, length);
    }

    private InputStream stream() {
      try {
        InputStream in =
            bytes == null
                ? RegistryUpload.this.open(offset)
                : new java.io.ByteArrayInputStream(bytes);
        open = in;
        return new Watched(in);
      } catch (IOException | RuntimeException e) {
        failure.set(e);
        throw e instanceof RuntimeException r
            ? r
            : new java.io.UncheckedIOException((IOException) e);
      }
    }

    /**
     * A source that failed, or a registry that is too slow, is the reason, not the connection that
     * was cut because of it.
     */
    void rethrow() throws IOException {
      switch (failure.get()) {
        case null -> {}
        case Problem p -> throw p;
        case RuntimeException r -> throw r;
        case SpeedFloor.TooSlow slow -> throw slow;
        case Throwable t ->
            throw Problem.unavailable(
                "cannot " + action + ": its source failed: " + t.getMessage(), t);
      }
    }

    @Override
    public void close() throws IOException {
      InputStream in = open;
      if (in != null) {
        in.close();
      }
    }

    private final class Watched extends BlockFilter {
      private long sent;
      private long pending;
      private long handedOut = System.nanoTime();

      Watched(InputStream in) {
        super(in);
      }

      @Override
      public int read(byte[] buffer, int offset, int count) throws IOException {
        try {
          // It asks for more when the registry took what it had.
          if (!floor.holds(System.nanoTime() - handedOut, pending)) {
            throw floor.tooSlow();
          }
          int n = in.read(buffer, offset, count);
          sent += Math.max(n, 0);
          pending = Math.max(n, 0);
          handedOut = System.nanoTime();
          // At the end the registry may need long to put the blob in its place.
          moved = System.nanoTime() + (n < 0 || sent >= length ? SERVER_WORK.toNanos() : 0);
          return n;
        } catch (IOException | RuntimeException e) {
          failure.set(e);
          throw e;
        }
      }
    }
  }
}
