package slipway.registry.api;

import java.util.stream.Stream;
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
    return request.headers("If-None-Match").stream()
        .flatMap(list -> Stream.of(list.split(",")))
        .map(String::strip)
        .map(tag -> tag.startsWith("W/") ? tag.substring(2) : tag)
        .anyMatch(tag -> tag.equals("*") || tag.equals(etag));
  }
}
