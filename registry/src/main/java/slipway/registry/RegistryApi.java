package slipway.registry;

import java.io.IOException;
import slipway.base.Problem;
import slipway.http.Handler;
import slipway.http.HttpProblem;
import slipway.http.Request;
import slipway.http.Response;
import slipway.http.Router;

/** All endpoints of the registry, with errors in its form and the version header on each answer. */
final class RegistryApi implements Handler {
  /** Old clients take a server for a registry by this header alone. */
  static final String VERSION_HEADER = "Docker-Distribution-API-Version";

  static final String VERSION = "registry/2.0";

  private final Router router = new Router();

  RegistryApi(Store store, Uploads uploads, ManifestCache cache) {
    router.on("GET", "/v2/", RegistryApi::support).on("GET", "/v2", RegistryApi::support);
    ManifestApi manifests = new ManifestApi(store, cache);
    new ListApi(store, manifests).register(router);
    new BlobApi(store, uploads).register(router);
    manifests.register(router);
  }

  private static void support(Request request, Response response) throws IOException {
    response.end("application/json", "{}");
  }

  @Override
  public void handle(Request request, Response response) throws IOException {
    response.header(VERSION_HEADER, VERSION);
    try {
      router.handle(request, response);
    } catch (RegistryError e) {
      throw e;
    } catch (HttpProblem e) {
      throw RegistryError.of(e);
    } catch (Problem e) {
      throw new RegistryError(RegistryError.Code.UNSUPPORTED, String.valueOf(e.getMessage()));
    }
  }
}
