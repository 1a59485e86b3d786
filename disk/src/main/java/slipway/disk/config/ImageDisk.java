package slipway.disk.config;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import slipway.base.Problem;
import slipway.base.document.ConfigDocument;
import slipway.system.files.ImageFiles;
import slipway.tree.FileTree;
import tools.jackson.databind.JsonNode;

/**
 * What an image says of the disks that are made of it: {@code customizations.filesystem} and {@code
 * customizations.disk} of a config for bootc-image-builder that lies in it, and {@code disk.yaml}.
 *
 * @param rootMinimum as in {@link DiskConfig}; likewise {@code bootMinimum} and {@code layout}
 * @param base how disks are divided where no config says it ({@code disk.yaml})
 * @param ignored a sentence for each key that is not taken from there
 */
public record ImageDisk(
    long rootMinimum, long bootMinimum, DiskLayout layout, DiskLayout base, List<String> ignored) {
  /** Nothing is said. */
  public static final ImageDisk NONE =
      new ImageDisk(0, 0, DiskLayout.USUAL, DiskLayout.USUAL, List.of());

  private static final String FOLDER = "usr/lib/bootc-image-builder";

  /** Where {@code disk.yaml} lies: the first folder that is there counts, the other then not. */
  private static final String NEWER_FOLDER = "usr/lib/image-builder/bootc";

  private static final List<String> TAKEN = List.of("filesystem", "disk");

  public ImageDisk {
    ignored = List.copyOf(ignored);
  }

  /**
   * Reads what an image says.
   *
   * @throws Problem of kind INPUT that names file, line and key
   */
  public static ImageDisk of(FileTree tree) throws IOException {
    ImageFiles files = new ImageFiles(tree);
    ImageDisk config = config(files);
    return new ImageDisk(
        config.rootMinimum, config.bootMinimum, config.layout, base(files), config.ignored);
  }

  private static DiskLayout base(ImageFiles files) throws IOException {
    String folder = files.isDirectory(NEWER_FOLDER) ? NEWER_FOLDER : FOLDER;
    String name = "the image's /" + folder + "/disk.yaml";
    Optional<byte[]> found = files.bytes(folder + "/disk.yaml");
    return found.isEmpty()
        ? DiskLayout.USUAL
        : DiskYaml.layout(ConfigDocument.yaml(text(found.get(), name), name));
  }

  private static ImageDisk config(ImageFiles files) throws IOException {
    for (String file : List.of("config.json", "config.toml")) {
      Optional<byte[]> found = files.bytes(FOLDER + "/" + file);
      if (found.isPresent()) {
        String name = "the image's /" + FOLDER + "/" + file;
        String text = text(found.get(), name);
        return of(
            file.endsWith(".json")
                ? ConfigDocument.json(text, name)
                : ConfigDocument.toml(text, name));
      }
    }
    return NONE;
  }

  private static String text(byte[] bytes, String name) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new Problem(Problem.Kind.INPUT, name + " is not UTF-8 text", e);
    }
  }

  private static ImageDisk of(ConfigDocument whole) {
    ConfigDocument document = DiskConfigParser.blueprint(whole);
    ConfigKeys keys = new ConfigKeys(document, new DiskConfig.Unsupported(false, warning -> {}));
    JsonNode c = keys.object(document.root(), "customizations", "customizations");
    List<String> ignored = new ArrayList<>();
    for (String key : c.propertyNames()) {
      if (!TAKEN.contains(key)) {
        String at = "customizations." + key;
        ignored.add(
            document
                .wrong(at, at + " is not taken from an image, which has filesystem and disk alone")
                .sentence());
      }
    }
    FilesystemKeys.Sizes sizes = new FilesystemKeys(keys).sizes(c);
    DiskLayout layout = new DiskKeys(keys).layout(c, sizes.others());
    return new ImageDisk(sizes.root(), sizes.boot(), layout, DiskLayout.USUAL, ignored);
  }
}
