package slipway.registry;

import java.util.List;
import slipway.http.Request;

/** Conditional requests (RFC 9110 section 13). */
final class Conditions {
  private Conditions() {}

  /**
   * Whether the client has the content already, by If-None-Match.
   *
   * @param etag quoted
   */
  static boolean notModified(Request request, String etag) {
    List<String> tags = request.headers("If-None-Match");
    return tags.stream()
        .map(tag -> tag.startsWith("W/") ? tag.substring(2) : tag)
        .anyMatch(tag -> tag.equals("*") || tag.equals(etag) || ("\"" + tag + "\"").equals(etag));
  }
}
