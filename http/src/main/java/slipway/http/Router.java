package slipway.http;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import slipway.base.Printable;

/**
 * Sends a request to the first route whose pattern matches. A pattern is a path whose segments are
 * literal, <code>{name}</code> for one segment that is not empty, or, once at most, <code>{name...}
 * </code> for one or more (names of repositories contain slashes; RFC 6570 calls the like path
 * expansion). A route for GET takes HEAD too. Not for change once it serves.
 */
public final class Router implements Handler {
  private final List<Route> routes = new ArrayList<>();

  private record Route(String method, List<String> pattern, int multi, Handler handler) {}

  /**
   * Adds a route behind those there are.
   *
   * @param method in capitals
   * @param pattern such as <code>/v2/{name...}/tags/list</code>
   */
  public Router on(String method, String pattern, Handler handler) {
    if (!pattern.startsWith("/")) {
      throw new IllegalArgumentException("a pattern begins with a slash: " + pattern);
    }
    List<String> segments = List.of(pattern.substring(1).split("/", -1));
    List<Integer> multi = new ArrayList<>();
    for (int i = 0; i < segments.size(); i++) {
      if (segments.get(i).endsWith("...}")) {
        multi.add(i);
      }
    }
    if (multi.size() > 1) {
      throw new IllegalArgumentException("a pattern has one {name...} at most: " + pattern);
    }
    routes.add(new Route(method, segments, multi.isEmpty() ? -1 : multi.getFirst(), handler));
    return this;
  }

  @Override
  public void handle(Request request, Response response) throws IOException {
    List<String> path = segments(request.path());
    TreeSet<String> allowed = new TreeSet<>();
    for (Route route : routes) {
      Map<String, String> parameters = match(route, path);
      if (parameters == null) {
        continue;
      }
      if (serves(route, request.method())) {
        request.parameters(parameters);
        route.handler.handle(request, response);
        return;
      }
      allowed.add(route.method);
    }
    if (allowed.isEmpty()) {
      throw new HttpProblem(404, "nothing is served at " + Printable.text(request.path()));
    }
    if (allowed.contains("GET")) {
      allowed.add("HEAD");
    }
    throw new HttpProblem(
        405,
        Printable.text(request.method()) + " is not allowed here",
        Map.of("Allow", String.join(", ", allowed)));
  }

  private static boolean serves(Route route, String method) {
    return route.method.equals(method) || (method.equals("HEAD") && route.method.equals("GET"));
  }

  /** The parameters, or null when the path does not match. */
  private static @Nullable Map<String, String> match(Route route, List<String> path) {
    List<String> pattern = route.pattern;
    int extra = path.size() - pattern.size();
    if (extra < 0 || (extra > 0 && route.multi < 0)) {
      return null;
    }
    Map<String, String> parameters = new HashMap<>();
    for (int i = 0; i < pattern.size(); i++) {
      String expected = pattern.get(i);
      boolean multi = i == route.multi;
      int at = i + (route.multi >= 0 && i > route.multi ? extra : 0);
      if (!expected.startsWith("{")) {
        if (!expected.equals(path.get(at))) {
          return null;
        }
        continue;
      }
      List<String> taken = path.subList(at, at + (multi ? extra : 0) + 1);
      if (taken.contains("")) {
        return null;
      }
      String name = expected.substring(1, expected.length() - (multi ? 4 : 1));
      parameters.put(name, String.join("/", taken));
    }
    return parameters;
  }

  /** Splits first and decodes then, so that an encoded slash stays inside its segment. */
  static List<String> segments(String path) {
    if (!path.startsWith("/")) {
      throw new HttpProblem(400, "the path does not begin with a slash");
    }
    List<String> segments = new ArrayList<>();
    for (String raw : path.substring(1).split("/", -1)) {
      String segment = decode(raw);
      if (segment.equals(".") || segment.equals("..") || segment.indexOf('/') >= 0) {
        throw new HttpProblem(400, "the path has a segment that is not allowed");
      }
      segments.add(segment);
    }
    return segments;
  }

  private static String decode(String raw) {
    if (raw.indexOf('%') < 0) {
      return raw;
    }
    ByteBuffer bytes = ByteBuffer.allocate(raw.length() * 3);
    for (int i = 0; i < raw.length(); i++) {
      if (raw.charAt(i) != '%') {
        bytes.put(raw.substring(i, i + 1).getBytes(StandardCharsets.UTF_8));
        continue;
      }
      int high = i + 2 < raw.length() ? Character.digit(raw.charAt(i + 1), 16) : -1;
      int low = i + 2 < raw.length() ? Character.digit(raw.charAt(i + 2), 16) : -1;
      if (high < 0 || low < 0) {
        throw new HttpProblem(400, "the path has a malformed percent sign");
      }
      bytes.put((byte) (high << 4 | low));
      i += 2;
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(bytes.flip()).toString();
    } catch (CharacterCodingException e) {
      throw new HttpProblem(400, "the path is not UTF-8");
    }
  }
}
