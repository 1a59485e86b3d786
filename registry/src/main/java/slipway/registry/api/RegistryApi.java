package slipway.registry.api;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.util.Map;
import slipway.base.FullDisk;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.http.ConnectionLost;
import slipway.http.Handler;
import slipway.http.HttpProblem;
import slipway.http.Request;
import slipway.http.Response;
import slipway.http.Router;
import slipway.registry.blobs.BytesCache;
import slipway.registry.catalog.RegistryError;
import slipway.registry.catalog.RegistryError.Code;
import slipway.registry.catalog.Store;
import slipway.registry.catalog.Uploads;

/** All endpoints of the registry, with errors in its form and the version header on each answer. */
public final class RegistryApi implements Handler {
  private static final System.Logger LOG = System.getLogger("slipway.registry");

  private final Router router = new Router();

  /**
   * @param cacheLimit bytes of small documents that are kept in memory
   */
  public RegistryApi(Store store, Uploads uploads, HeavyWork work, long cacheLimit) {
    router.on("GET", "/v2/", RegistryApi::support).on("GET", "/v2", RegistryApi::support);
    BytesCache manifests = new BytesCache(cacheLimit / 2, ManifestBody.LARGE);
    BytesCache fields = new BytesCache(cacheLimit / 2, Integer.MAX_VALUE);
    new ListApi(store, fields, work).register(router);
    new BlobApi(store, uploads).register(router);
    new ManifestApi(store, manifests, work).register(router);
  }

  private static void support(Request request, Response response) throws IOException {
    response.end("application/json", "{}");
  }

  @Override
  public void handle(Request request, Response response) throws IOException {
    response.header(RegistryError.VERSION_HEADER, RegistryError.VERSION);
    try {
      router.handle(request, response);
    } catch (RegistryError | ConnectionLost e) {
      throw e;
    } catch (Problem e) {
      HttpProblem told = HttpProblem.of(e);
      if (told.status() >= 500) {
        LOG.log(Level.ERROR, () -> line(request) + " failed", e);
      }
      throw RegistryError.ofHttp(told);
    } catch (IOException | RuntimeException | OutOfMemoryError | StackOverflowError e) {
      throw failed(request, e);
    }
  }

  private static String line(Request request) {
    return Printable.text(request.method() + " " + request.path());
  }

  /** Our failure, logged; a full disk is told of by name. */
  private static RegistryError failed(Request request, Throwable cause) {
    String what = line(request);
    if (FullDisk.isCauseOf(cause)) {
      LOG.log(
          Level.ERROR, "{0} failed: {1}", what, Printable.text(String.valueOf(cause.getMessage())));
      return new RegistryError(
          Code.UNAVAILABLE,
          507,
          "the disk of the registry is full; its operator must make room",
          null,
          Map.of());
    }
    LOG.log(Level.ERROR, () -> what + " failed", cause);
    return new RegistryError(Code.UNKNOWN, "the registry failed; its log says why");
  }
}
