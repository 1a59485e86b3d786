package slipway.ostree.container;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import slipway.base.Problem;
import slipway.oci.model.Digest;

/** The refs under which container images and their layers stand (ostree-ext's container store). */
final class ContainerRefs {
  static final String LAYERS = "ostree/container/blob";
  static final String IMAGES = "ostree/container/image";

  private ContainerRefs() {}

  static String layer(Digest blob) {
    return LAYERS + "/" + escape(blob.toString());
  }

  static String image(String imgref) {
    return IMAGES + "/" + escape(imgref);
  }

  /**
   * Makes text a part of a ref name: letters, digits and {@code -} stay, a slash stays after one of
   * letters and digits unless it is last, {@code _} is doubled, any other byte becomes {@code
   * _XX_}.
   */
  static String escape(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    StringBuilder escaped = new StringBuilder();
    for (int i = 0; i < bytes.length; i++) {
      char c = (char) (bytes[i] & 0xff);
      boolean slash =
          c == '/' && i > 0 && isAlphanumeric((char) (bytes[i - 1] & 0xff)) && i < bytes.length - 1;
      if (isAlphanumeric(c) || c == '-' || slash) {
        escaped.append(c);
      } else if (c == '_') {
        escaped.append("__");
      } else {
        escaped.append("_%02X_".formatted((int) c));
      }
    }
    return escaped.toString();
  }

  private static boolean isAlphanumeric(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  }

  /**
   * The reverse of {@link #escape}.
   *
   * @throws Problem of kind CORRUPT for what it does not make
   */
  static String unescape(String escaped) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int i = 0; i < escaped.length(); i++) {
      char c = escaped.charAt(i);
      if (c != '_') {
        bytes.write(c);
        continue;
      }
      if (escaped.startsWith("__", i)) {
        bytes.write('_');
        i++;
        continue;
      }
      String hex = escaped.length() < i + 4 ? "" : escaped.substring(i + 1, i + 3);
      if (!hex.matches("[0-9A-F]{2}") || escaped.charAt(i + 3) != '_') {
        throw Problem.corrupt("\"" + escaped + "\" is not an escaped name");
      }
      bytes.write(Integer.parseInt(hex.toUpperCase(Locale.ROOT), 16));
      i += 3;
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
