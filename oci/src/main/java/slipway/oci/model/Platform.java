package slipway.oci.model;

import java.util.Locale;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;

/**
 * Operating system and architecture in OCI's (Go's) names (image-spec, image-index.md).
 *
 * @param os such as {@code linux}
 * @param architecture such as {@code amd64}
 * @param variant such as {@code v8}, or null
 */
public record Platform(String os, String architecture, @Nullable String variant) {
  /** The platform of this machine. */
  public static Platform host() {
    return ofLinux(System.getProperty("os.arch").toLowerCase(Locale.ROOT));
  }

  /** Linux on a processor in the words of OCI, of the kernel, or of Java. */
  public static Platform ofLinux(String architecture) {
    return switch (architecture) {
      case "amd64", "x86_64" -> new Platform("linux", "amd64", null);
      case "arm64", "aarch64" -> new Platform("linux", "arm64", "v8");
      default -> new Platform("linux", architecture, null);
    };
  }

  /** Parses {@code os/arch[/variant]}. */
  public static Platform parse(String text) {
    String[] parts = text.split("/", -1);
    if (parts.length < 2 || parts.length > 3 || parts[0].isEmpty() || parts[1].isEmpty()) {
      throw Problem.usage(
          "\"" + text + "\" is not a platform; expected os/arch[/variant], such as linux/amd64");
    }
    return new Platform(parts[0], parts[1], parts.length == 3 ? parts[2] : null);
  }

  /**
   * Whether an image for {@code other} runs here: same system and architecture; a variant counts
   * only when both name one.
   */
  public boolean accepts(Platform other) {
    return os.equals(other.os)
        && architecture.equals(other.architecture)
        && (variant == null || other.variant == null || variant.equals(other.variant));
  }

  @Override
  public String toString() {
    return os + "/" + architecture + (variant == null ? "" : "/" + variant);
  }
}
