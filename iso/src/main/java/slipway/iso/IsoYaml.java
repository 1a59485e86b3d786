package slipway.iso;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import slipway.base.Problem;
import slipway.base.document.ConfigDocument;
import slipway.system.files.ImageFiles;
import slipway.tree.FileTree;
import tools.jackson.databind.JsonNode;

/**
 * What an image says of ISOs that are made of it, in {@code iso.yaml}: how the volume is called,
 * and how long the menu waits. The menu itself starts the installer and is ours.
 *
 * @param label of the volume
 * @param timeout seconds
 * @param ignored a sentence for each key that is not followed
 */
record IsoYaml(String label, int timeout, List<String> ignored) {
  static final IsoYaml NONE = new IsoYaml("SLIPWAY-INSTALLER", 10, List.of());

  /** The first folder that is there counts, as for disk.yaml. */
  private static final List<String> FOLDERS =
      List.of("usr/lib/image-builder/bootc", "usr/lib/bootc-image-builder");

  /** Names of volumes have 32 characters, and those of few kinds are the same everywhere. */
  private static final Pattern LABEL = Pattern.compile("[A-Za-z0-9._-]{1,32}");

  private static final int LONGEST = 86_400;

  /**
   * Reads it.
   *
   * @throws Problem of kind INPUT that names file and key
   */
  static IsoYaml of(FileTree image) throws IOException {
    ImageFiles files = new ImageFiles(image);
    String folder = files.isDirectory(FOLDERS.getFirst()) ? FOLDERS.getFirst() : FOLDERS.getLast();
    Optional<byte[]> found = files.bytes(folder + "/iso.yaml");
    if (found.isEmpty()) {
      return NONE;
    }
    String name = "the image's /" + folder + "/iso.yaml";
    return of(ConfigDocument.yaml(text(found.get(), name), name));
  }

  private static String text(byte[] bytes, String name) {
    try {
      return UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new Problem(Problem.Kind.INPUT, name + " is not UTF-8 text", e);
    }
  }

  private static IsoYaml of(ConfigDocument document) {
    JsonNode root = document.root();
    JsonNode grub = root.path("grub2");
    List<String> ignored = new ArrayList<>();
    for (String key : List.of("kernel_args", "grub2.entries", "grub2.default")) {
      if (!root.at("/" + key.replace('.', '/')).isMissingNode()) {
        ignored.add(
            document
                .wrong(key, key + " is not followed: the menu of an installer is Slipway's own")
                .sentence());
      }
    }
    return new IsoYaml(
        ConfigDocument.isGiven(root, "label") ? label(document, root.path("label")) : NONE.label,
        ConfigDocument.isGiven(grub, "timeout")
            ? timeout(document, grub.path("timeout"))
            : NONE.timeout,
        List.copyOf(ignored));
  }

  private static String label(ConfigDocument document, JsonNode label) {
    if (!label.isString() || !LABEL.matcher(label.stringValue()).matches()) {
      throw document.wrong(
          "label", "label is " + label + "; a volume's has letters, digits, . _ and -, at most 32");
    }
    return label.stringValue();
  }

  private static int timeout(ConfigDocument document, JsonNode timeout) {
    if (!timeout.isInt() || timeout.intValue() < 0 || timeout.intValue() > LONGEST) {
      throw document.wrong(
          "grub2.timeout",
          "grub2.timeout is " + timeout + "; expected seconds, at most " + LONGEST);
    }
    return timeout.intValue();
  }
}
