package slipway.oci.registry;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.oci.model.ManifestJson;
import tools.jackson.databind.JsonNode;

/**
 * What a registry says when it refuses (distribution-spec, "Error Codes").
 *
 * @param code such as {@code MANIFEST_UNKNOWN}, or empty
 * @param message for people, or empty
 */
record ErrorAnswer(String code, String message) {
  private static final int BODY_LIMIT = 64 * 1024;
  private static final int MESSAGE_LIMIT = 300;

  /** Reads the body of an error, at most 64 KiB of it. */
  public static ErrorAnswer read(InputStream body) {
    byte[] bytes;
    try (body) {
      bytes = body.readNBytes(BODY_LIMIT);
    } catch (IOException e) {
      return new ErrorAnswer("", "");
    }
    try {
      JsonNode root = ManifestJson.read(bytes, "error");
      JsonNode first = root.path("errors").path(0);
      String code = first.path("code").asString("");
      String message = first.path("message").asString(root.path("details").asString(""));
      return new ErrorAnswer(clean(code), clean(message));
    } catch (Problem e) {
      String text = new String(bytes, StandardCharsets.UTF_8);
      return new ErrorAnswer("", text.stripLeading().startsWith("<") ? "" : clean(text));
    }
  }

  /** One short line without control characters: it goes to a terminal. */
  private static String clean(String text) {
    String line = text.replaceAll("[\\p{Cntrl}\\s]+", " ").strip();
    return Printable.text(
        line.length() <= MESSAGE_LIMIT ? line : line.substring(0, MESSAGE_LIMIT) + "…");
  }

  /** For the end of a sentence: {@code : message (CODE)}. */
  public String suffix() {
    if (code.isEmpty() && message.isEmpty()) {
      return "";
    }
    if (message.isEmpty() || code.isEmpty()) {
      return ": " + code + message;
    }
    return ": " + message + " (" + code + ")";
  }
}
