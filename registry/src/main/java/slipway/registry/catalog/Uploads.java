package slipway.registry.catalog;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import slipway.http.ConnectionLost;
import slipway.http.HttpProblem;
import slipway.http.Request;
import slipway.oci.model.Digest;
import slipway.registry.blobs.BlobStorage;
import slipway.registry.catalog.RegistryError.Code;

/**
 * The upload sessions under way. A session lives in this process only; its id cannot be guessed,
 * and it is dropped when nobody used it for a while. When there are too many, of one client or in
 * all, the oldest that never got a byte makes room, else one that was idle for a minute. Safe for
 * use by many threads.
 */
public final class Uploads implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger("slipway.registry");

  /** At once in all: each may hold a file. */
  static final int MAX = 10_000;

  /** At once from one address, behind which there may be many clients. */
  static final int MAX_OF_CLIENT = 2_000;

  /** A session with bytes gives way when it was idle for so long. */
  private static final Duration PATIENCE = Duration.ofMinutes(1);

  /** In the order of their beginning; guarded by itself, as is {@link #perClient}. */
  private final Map<String, UploadSession> sessions = new LinkedHashMap<>();

  private final Map<String, Integer> perClient = new HashMap<>();
  private final BlobStorage blobs;
  private final InstantSource clock;
  private final Supplier<String> ids;
  private final Duration expiry;

  /**
   * @param ids gives unguessable names
   * @param expiry a session that nobody used for so long is dropped
   */
  public Uploads(BlobStorage blobs, InstantSource clock, Supplier<String> ids, Duration expiry) {
    this.blobs = blobs;
    this.clock = clock;
    this.ids = ids;
    this.expiry = expiry;
  }

  /**
   * Begins a session, hashing by {@code algorithm} as the bytes come. It is in use by the caller,
   * so that it does not make room for another before it got its first byte.
   *
   * @param client its address
   */
  public UploadSession.Use begin(String client, String repository, Digest.Algorithm algorithm)
      throws IOException {
    UploadSession session =
        new UploadSession(ids.get(), client, repository, algorithm, blobs.stage(), clock);
    UploadSession.Use use = session.useAtBegin();
    try {
      UploadSession.@Nullable Use evicted = enter(session);
      if (evicted != null) {
        try (evicted) {
          evicted.session().close();
        }
      }
      return use;
    } catch (IOException | RuntimeException | Error e) {
      use.close();
      throw e;
    }
  }

  /** Takes a session in; gives the one that made room for it, for the caller to end. */
  private UploadSession.@Nullable Use enter(UploadSession session) {
    String client = session.client();
    synchronized (sessions) {
      UploadSession.@Nullable Use evicted = null;
      boolean clientIsFull = perClient.getOrDefault(client, 0) >= MAX_OF_CLIENT;
      if (clientIsFull || sessions.size() >= MAX) {
        evicted = evict(s -> !clientIsFull || s.client().equals(client));
        if (evicted == null) {
          throw tooMany();
        }
        forget(evicted.session());
      }
      sessions.put(session.id(), session);
      perClient.merge(client, 1, Integer::sum);
      return evicted;
    }
  }

  private static RegistryError tooMany() {
    return new RegistryError(
        Code.TOOMANYREQUESTS,
        429,
        "too many uploads are under way",
        null,
        Map.of("Retry-After", "10"));
  }

  /** One that may make room, in use by the caller from now on; null when there is none. */
  private UploadSession.@Nullable Use evict(Predicate<UploadSession> candidate) {
    for (UploadSession session : sessions.values()) {
      if (candidate.test(session) && session.size() == 0) {
        UploadSession.Use use = session.useIfIdleSince(clock.instant());
        if (use != null) {
          return use;
        }
      }
    }
    for (UploadSession session : sessions.values()) {
      if (candidate.test(session)) {
        UploadSession.Use use = session.useIfIdleSince(clock.instant().minus(PATIENCE));
        if (use != null) {
          return use;
        }
      }
    }
    return null;
  }

  /** Under the lock of {@link #sessions}. */
  private void forget(UploadSession session) {
    if (sessions.remove(session.id(), session)) {
      perClient.computeIfPresent(session.client(), (c, n) -> n == 1 ? null : n - 1);
    }
  }

  /**
   * Finds a session, to be looked at.
   *
   * @throws RegistryError when there is none of that id in the repository
   */
  public UploadSession find(String repository, String id) {
    UploadSession session;
    synchronized (sessions) {
      session = sessions.get(id);
    }
    if (session == null || !session.repository().equals(repository)) {
      throw unknown();
    }
    return session;
  }

  private static RegistryError unknown() {
    return new RegistryError(
        Code.BLOB_UPLOAD_UNKNOWN, "no such upload; it ended, expired, or never began");
  }

  /**
   * Finds a session and keeps it for the caller, who closes the {@link UploadSession.Use}.
   *
   * @throws RegistryError when there is none of that id in the repository
   */
  public UploadSession.Use use(String repository, String id) {
    UploadSession.Use use = find(repository, id).use();
    if (use == null) {
      throw unknown();
    }
    return use;
  }

  /**
   * Appends the body of a request. A client that goes away may come back and go on; when the disk
   * fails the session ends, because its hash and its bytes are no longer of one mind.
   *
   * @throws RegistryError when it has a Content-Range that does not follow the bytes there are
   */
  public void append(UploadSession session, Request request) throws IOException {
    try {
      session.append(request);
    } catch (ConnectionLost | HttpProblem e) {
      throw e;
    } catch (IOException | RuntimeException | Error e) {
      end(session);
      throw e;
    }
  }

  /** Ends a session; what was staged and not published is gone. */
  public void end(UploadSession session) throws IOException {
    synchronized (sessions) {
      forget(session);
    }
    session.close();
  }

  /** Drops sessions that nobody used for a while. */
  public void sweep() {
    for (UploadSession session : all()) {
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

  private List<UploadSession> all() {
    synchronized (sessions) {
      return new ArrayList<>(sessions.values());
    }
  }

  /** Ends all sessions, once no request is under way. */
  @Override
  public void close() throws IOException {
    for (UploadSession session : all()) {
      end(session);
    }
  }

  int size() {
    synchronized (sessions) {
      return sessions.size();
    }
  }
}
