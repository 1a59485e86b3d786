package slipway.http;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Content that can be served in parts: whole (200), one part or several (206, the latter as
 * multipart/byteranges, RFC 9110 section 14.6), or none (416).
 */
public interface RangeContent {
  /** Bytes; does not change while the content is served. */
  long size();

  /** Writes a part of it to the body of the answer. */
  void write(Response response, long offset, long length) throws IOException;

  /**
   * Answers a GET or HEAD request with it. The entity tag and other headers are set before.
   *
   * @param contentType of the content
   * @param etag quoted; what an If-Range header is compared with
   */
  default void send(Request request, Response response, String contentType, String etag)
      throws IOException {
    String ifRange = request.header("If-Range");
    // RFC 9110 section 14.2: Range is defined for GET alone.
    boolean ranged = request.method().equals("GET") && (ifRange == null || ifRange.equals(etag));
    ByteRanges ranges = ByteRanges.parse(ranged ? request.header("Range") : null, size());
    response.header("Accept-Ranges", "bytes").header("Content-Type", contentType);
    switch (ranges) {
      case ByteRanges.Whole() -> {
        response.length(size());
        write(response, 0, size());
      }
      case ByteRanges.Unsatisfiable() ->
          throw new HttpProblem(
              416,
              "no part of the range lies inside the " + size() + " bytes",
              java.util.Map.of("Content-Range", "bytes */" + size()));
      case ByteRanges.Parts(List<ByteRanges.Part> parts) when parts.size() == 1 -> {
        ByteRanges.Part part = parts.getFirst();
        response
            .status(206)
            .header("Content-Range", part.contentRange(size()))
            .length(part.length());
        write(response, part.offset(), part.length());
      }
      case ByteRanges.Parts(List<ByteRanges.Part> parts) -> sendParts(response, contentType, parts);
    }
  }

  private void sendParts(Response response, String contentType, List<ByteRanges.Part> parts)
      throws IOException {
    // Any content may hold any boundary; receivers go by Content-Range and the length it tells.
    String boundary = Long.toHexString(System.nanoTime()) + "-slipway";
    List<byte[]> heads = new ArrayList<>();
    byte[] tail = ascii("\r\n--" + boundary + "--\r\n");
    long total = tail.length;
    for (ByteRanges.Part part : parts) {
      byte[] head =
          ascii(
              (heads.isEmpty() ? "" : "\r\n")
                  + "--"
                  + boundary
                  + "\r\nContent-Type: "
                  + contentType
                  + "\r\nContent-Range: "
                  + part.contentRange(size())
                  + "\r\n\r\n");
      heads.add(head);
      total += head.length + part.length();
    }
    response
        .status(206)
        .header("Content-Type", "multipart/byteranges; boundary=" + boundary)
        .length(total);
    for (int i = 0; i < parts.size(); i++) {
      response.write(ByteBuffer.wrap(heads.get(i)));
      write(response, parts.get(i).offset(), parts.get(i).length());
    }
    response.write(ByteBuffer.wrap(tail));
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
