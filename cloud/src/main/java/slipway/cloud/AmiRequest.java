package slipway.cloud;

import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import slipway.base.Printable;
import slipway.base.Problem;

/**
 * An AMI that is wanted.
 *
 * @param name of the AMI
 * @param bucket of S3, in which the disk lies while it is imported
 * @param region such as {@code eu-central-1}
 * @param architecture in OCI's names
 * @param firmware what starts it
 * @param tags of the AMI and its snapshot, beside {@code Name}
 */
public record AmiRequest(
    String name,
    String bucket,
    String region,
    String architecture,
    Firmware firmware,
    Map<String, String> tags) {
  /** EC2 API reference, RegisterImage, Name. */
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9()\\[\\] ./'@_-]{3,128}");

  /** S3 user guide, "General purpose bucket naming rules". */
  private static final Pattern BUCKET = Pattern.compile("[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]");

  private static final Pattern REGION = Pattern.compile("[a-z0-9]+(-[a-z0-9]+)+");

  /** What an instance starts by; the words are EC2's (RegisterImage, BootMode). */
  public enum Firmware {
    BIOS("legacy-bios"),
    UEFI("uefi"),
    BOTH("uefi-preferred");

    private final String mode;

    Firmware(String mode) {
      this.mode = mode;
    }

    String mode() {
      return mode;
    }
  }

  /**
   * @throws Problem of kind USAGE for names that AWS refuses, INPUT for an architecture without
   *     instances
   */
  public AmiRequest {
    tags = Map.copyOf(tags);
    require(NAME, name, "--aws-ami-name", "3 to 128 letters, digits and ()[] ./-'@_");
    require(BUCKET, bucket, "--aws-bucket", "3 to 63 small letters, digits, dots and hyphens");
    require(REGION, region, "--aws-region", "such as eu-central-1");
    ofEc2(architecture);
    for (Map.Entry<String, String> tag : tags.entrySet()) {
      if (tag.getKey().isEmpty()
          || tag.getKey().length() > 127
          || tag.getKey().startsWith("aws:")
          || tag.getValue().length() > 255) {
        throw Problem.usage(
            "the tag "
                + Printable.text(tag.getKey())
                + " is none that AWS takes: 1 to 127 characters, not aws: in front, and a value of"
                + " at most 255");
      }
    }
  }

  private static void require(Pattern pattern, String text, String option, String form) {
    if (!pattern.matcher(text).matches()) {
      throw Problem.usage(
          option + " \"" + Printable.text(text) + "\" is none that AWS takes: " + form);
    }
  }

  private static String ofEc2(String architecture) {
    return switch (architecture) {
      case "amd64" -> "x86_64";
      case "arm64" -> "arm64";
      default ->
          throw Problem.input(
              "EC2 has no machines of " + architecture + "; an AMI is of amd64 or arm64");
    };
  }

  /** The architecture in EC2's names. */
  String machine() {
    return ofEc2(architecture);
  }

  /** All tags, the name among them. */
  Map<String, String> allTags() {
    Map<String, String> all = new TreeMap<>(tags);
    all.putIfAbsent("Name", name);
    return all;
  }
}
