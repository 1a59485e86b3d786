package slipway.media;

import io.soabase.recordbuilder.core.RecordBuilder;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What a cloud tells a machine about itself, for images that ask: cloud-init, Ignition and their
 * like.
 *
 * @param instance the machine's id, by which a guest knows whether it is a copy
 * @param host its name
 * @param keys lines of authorized_keys
 * @param userData what the guest does with is its own affair, in Base64; or null
 */
@RecordBuilder
public record CloudData(
    Cloud cloud, String instance, String host, List<String> keys, @Nullable String userData)
    implements CloudDataBuilder.With {
  /** Whom the machine takes this one for. */
  public enum Cloud {
    /** Amazon's: a service at 169.254.169.254, and names in the firmware's tables. */
    EC2(16 * 1024),
    /** None: a small disk that is called CIDATA. */
    NOCLOUD(1024 * 1024);

    private final int mostUserData;

    Cloud(int mostUserData) {
      this.mostUserData = mostUserData;
    }

    /** In bytes. */
    public int mostUserData() {
      return mostUserData;
    }

    /** As command lines and {@code machine.json} have it. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public CloudData {
    keys = List.copyOf(keys);
  }

  /**
   * Of a new machine.
   *
   * @param userData or null for none
   * @throws Problem of kind USAGE when there is more of it than the cloud takes
   */
  public static CloudData of(
      Cloud cloud, String host, List<String> keys, byte @Nullable [] userData) {
    if (userData != null && userData.length > cloud.mostUserData) {
      throw Problem.usage(
          "the user data has more than %d bytes, which is all that %s takes"
              .formatted(cloud.mostUserData, cloud.label()));
    }
    byte[] id = new byte[9];
    new SecureRandom().nextBytes(id);
    return new CloudData(
        cloud,
        "i-" + HexFormat.of().formatHex(id).substring(1),
        host,
        keys,
        userData == null ? null : Base64.getEncoder().encodeToString(userData));
  }

  /** With the key that this program logs in with, behind those of the user. */
  CloudData withOwnKey(String line) {
    List<String> all = new ArrayList<>(keys);
    all.add(line);
    return withKeys(all);
  }

  byte @Nullable [] userDataBytes() {
    return userData == null ? null : Base64.getDecoder().decode(userData);
  }

  /**
   * What QEMU needs to know for it.
   *
   * @param network for {@code -netdev user}, with a comma in front, or nothing
   * @param arguments further ones
   */
  record Wiring(String network, List<String> arguments) {
    static final Wiring NONE = new Wiring("", List.of());
  }

  /**
   * Writes what a machine is served.
   *
   * @param state folder of the machine's own files
   */
  Wiring prepare(Path state) throws IOException {
    return switch (cloud) {
      case EC2 -> Ec2Metadata.prepare(this, state);
      case NOCLOUD -> SeedDisk.prepare(this, state);
    };
  }

  ObjectNode write(ObjectNode node) {
    node.put("kind", cloud.label()).put("instance", instance).put("host", host);
    ArrayNode lines = node.putArray("keys");
    keys.forEach(lines::add);
    return node.put("userData", userData);
  }

  /**
   * @param node null or missing when the machine is in no cloud
   */
  static @Nullable CloudData read(JsonNode node) {
    if (!node.isObject()) {
      return null;
    }
    List<String> keys = new ArrayList<>();
    node.required("keys").forEach(k -> keys.add(k.asString()));
    JsonNode data = node.path("userData");
    return new CloudData(
        Cloud.valueOf(node.required("kind").asString().toUpperCase(Locale.ROOT)),
        node.required("instance").asString(),
        node.required("host").asString(),
        keys,
        data.isString() ? data.asString() : null);
  }
}
