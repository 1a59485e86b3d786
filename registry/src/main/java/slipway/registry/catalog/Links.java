package slipway.registry.catalog;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import slipway.http.Request;
import slipway.http.Response;
import slipway.registry.catalog.RegistryError.Code;

/** Lists in pages: {@code n}, {@code last}, and the Link header to the next page (RFC 5988). */
public final class Links {
  /** The longest page, asked for or not. */
  static final int MAX = 10_000;

  private Links() {}

  /** Items of one page, and whether more follow. */
  public record Page<T>(List<T> items, boolean more) {}

  /**
   * @return what {@code n} asks for, {@link #MAX} when it asks for nothing or for more
   */
  public static int limit(Request request) {
    String n = request.query("n");
    if (n == null) {
      return MAX;
    }
    try {
      int limit = Integer.parseInt(n);
      if (limit >= 0) {
        return Math.min(limit, MAX);
      }
    } catch (NumberFormatException e) {
      // Told below.
    }
    throw new RegistryError(Code.UNSUPPORTED, "n is not a number of entries: " + n);
  }

  public static <T> Page<T> page(Iterator<T> items, int limit) {
    List<T> page = new ArrayList<>();
    while (page.size() < limit && items.hasNext()) {
      page.add(items.next());
    }
    return new Page<>(page, limit > 0 && items.hasNext());
  }

  /** Tells where the next page is. */
  public static void next(Response response, String path, Map<String, @Nullable String> query) {
    StringBuilder url = new StringBuilder(path);
    query.forEach(
        (name, value) -> {
          if (value != null) {
            url.append(url.indexOf("?") < 0 ? '?' : '&').append(name).append('=');
            url.append(URLEncoder.encode(value, StandardCharsets.UTF_8));
          }
        });
    response.header("Link", "<" + url + ">; rel=\"next\"");
  }
}
