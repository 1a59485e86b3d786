package slipway.registry;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import slipway.http.ConnectionLost;
import slipway.http.Request;
import slipway.oci.Digest;
import slipway.registry.RegistryError.Code;

/**
 * The upload sessions under way. A session lives in this process only; its id cannot be guessed,
 * and it is dropped when nobody used it for a while. Safe for use by many threads.
 */
final class Uploads implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger("slipway.registry");

  /** More at once are refused with 429: each may hold a file. */
  static final int MAX = 10_000;

  private final ConcurrentMap<String, UploadSession> sessions = new ConcurrentHashMap<>();
  private final BlobStorage blobs;
  private final InstantSource clock;
  private final Supplier<String> ids;
  private final Duration expiry;

  /**
   * @param ids gives unguessable names
   * @param expiry a session that nobody used for so long is dropped
   */
  Uploads(BlobStorage blobs, InstantSource clock, Supplier<String> ids, Duration expiry) {
    this.blobs = blobs;
    this.clock = clock;
    this.ids = ids;
    this.expiry = expiry;
  }

  /** Begins a session, hashing by {@code algorithm} as the bytes come. */
  UploadSession begin(String repository, Digest.Algorithm algorithm) throws IOException {
    if (sessions.size() >= MAX) {
      throw new RegistryError(
          Code.TOOMANYREQUESTS,
          429,
          "too many uploads are under way",
          null,
          Map.of("Retry-After", "10"));
    }
    UploadSession session =
        new UploadSession(ids.get(), repository, algorithm, blobs.stage(), clock);
    sessions.put(session.id(), session);
    return session;
  }

  /**
   * Finds a session and keeps it for the caller, who closes the {@link UploadSession.Use}.
   *
   * @throws RegistryError when there is none of that id in the repository
   */
  UploadSession.Use use(String repository, String id) {
    UploadSession session = sessions.get(id);
    UploadSession.Use use =
        session == null || !session.repository().equals(repository) ? null : session.use();
    if (use == null) {
      throw new RegistryError(
          Code.BLOB_UPLOAD_UNKNOWN, "no such upload; it ended, expired, or never began");
    }
    return use;
  }

  /**
   * Appends the body of a request. A client that goes away may come back and go on; when the disk
   * fails the session ends, because its hash and its bytes are no longer of one mind.
   *
   * @throws RegistryError when it has a Content-Range that does not follow the bytes there are
   */
  void append(UploadSession session, Request request) throws IOException {
    try {
      session.append(request);
    } catch (ConnectionLost e) {
      throw e;
    } catch (IOException e) {
      end(session);
      throw e;
    }
  }

  /** Ends a session; what was staged and not published is gone. */
  void end(UploadSession session) throws IOException {
    sessions.remove(session.id());
    session.close();
  }

  /** Drops sessions that nobody used for a while. */
  void sweep() {
    for (UploadSession session : sessions.values()) {
      UploadSession.@Nullable Use use = session.useIfIdleSince(clock.instant().minus(expiry));
      if (use != null) {
        try (use) {
          end(session);
        } catch (IOException e) {
          LOG.log(Level.WARNING, "cannot remove an expired upload", e);
        }
      }
    }
  }

  /** Ends all sessions, once no request is under way. */
  @Override
  public void close() throws IOException {
    for (UploadSession session : sessions.values()) {
      end(session);
    }
  }

  int size() {
    return sessions.size();
  }
}
