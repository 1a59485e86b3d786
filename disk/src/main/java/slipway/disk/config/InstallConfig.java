package slipway.disk.config;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import slipway.base.Limit;
import slipway.base.Printable;
import slipway.base.document.ConfigDocument;
import slipway.linux.posix.OpenDirectory;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.RootedFile;
import slipway.system.kargs.KernelArguments;
import slipway.system.kargs.KernelArgumentsDirectory;
import slipway.tree.FileTree;
import slipway.tree.Node;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * What is said of an installation: {@code bootc/install/*.toml} below several folders
 * (bootc-install-config(5)), in an image /usr/lib, /usr/local/lib, /usr/etc and /etc, on a running
 * system /run too. A file in a later folder replaces the one of that name in an earlier one; all
 * are merged in the order of their names.
 *
 * @param merged the table {@code install} of all files together, with values of the right kinds
 *     only; empty when there is no file for this architecture
 * @param kernelArguments for every machine that is installed of it
 * @param ignored a sentence for each key that nobody knows
 */
public record InstallConfig(
    ObjectNode merged, KernelArguments kernelArguments, List<String> ignored) {
  private static final String FOLDER = "bootc/install";
  private static final List<String> OF_IMAGE =
      List.of("usr/lib", "usr/local/lib", "usr/etc", "etc");
  private static final List<String> OF_SYSTEM = List.of("usr/lib", "usr/local/lib", "etc", "run");

  /** A file, under whose name it replaces others. */
  private record Found(String name, byte[] content) {}

  /**
   * Reads what an image says.
   *
   * @param more the folder /run of who installs, whose files count last; null for none
   */
  public static InstallConfig of(FileTree tree, String architecture, @Nullable Path more)
      throws IOException {
    Map<OsPath, Found> files = new TreeMap<>();
    for (String folder : OF_IMAGE) {
      String place = folder + "/" + FOLDER;
      if (tree.find(place).orElse(null) instanceof Node.Directory directory) {
        for (Map.Entry<OsPath, Node> child : directory.children().entrySet()) {
          if (isConfig(child.getKey()) && child.getValue() instanceof Node.File file) {
            OsPath path = OsPath.of(place).resolve(child.getKey());
            String name = "the image's /" + Printable.text(path.toString());
            try (InputStream in = file.content().open()) {
              files.put(child.getKey(), new Found(name, Limit.SMALL_FILE_BYTES.read(in, name)));
            }
          }
        }
      }
    }
    if (more != null) {
      add(files, more, "", "/run");
    }
    return merged(files, architecture);
  }

  /** Reads what the running system says, such as the container of an installation. */
  public static InstallConfig ofSystem(Path root, String architecture) throws IOException {
    Map<OsPath, Found> files = new TreeMap<>();
    for (String folder : OF_SYSTEM) {
      add(files, root, folder + "/", "");
    }
    return merged(files, architecture);
  }

  private static boolean isConfig(OsPath name) {
    return name.toString().endsWith(".toml");
  }

  private static void add(Map<OsPath, Found> files, Path root, String folder, String shown)
      throws IOException {
    OsPath place = OsPath.of(folder + FOLDER);
    try (OpenDirectory directory = OpenDirectory.of(OsPath.of(root));
        OpenDirectory found = directory.find(place).orElse(null)) {
      if (found == null) {
        return;
      }
      for (OsPath name : found.names()) {
        String where = shown + "/" + place.resolve(name);
        if (isConfig(name)) {
          RootedFile.read(OsPath.of(root), place.resolve(name), RootedFile.Links.IN_ROOT, where)
              .ifPresent(content -> files.put(name, new Found(Printable.text(where), content)));
        }
      }
    }
  }

  private static InstallConfig merged(Map<OsPath, Found> files, String architecture) {
    Reading reading = new Reading(KernelArgumentsDirectory.kernelArchitecture(architecture));
    for (Found file : files.values()) {
      reading.add(ConfigDocument.toml(file.content(), file.name()));
    }
    return reading.done();
  }

  /** File system of the root, or null when nothing is said. */
  public @Nullable RootFileSystem rootfs() {
    String label = text("/filesystem/root/type");
    return Stream.of(RootFileSystem.values())
        .filter(fs -> fs.label().equals(label))
        .findFirst()
        .orElse(null);
  }

  /** Name of the stateroot, or null. */
  public @Nullable String stateroot() {
    return text("/stateroot");
  }

  /** What the kernel is told to find the root by; empty for nothing, null when it is not said. */
  public @Nullable String rootMountSpec() {
    return text("/root-mount-spec");
  }

  /** What /boot is mounted by; empty for nothing, null when it is not said. */
  public @Nullable String bootMountSpec() {
    return text("/boot-mount-spec");
  }

  /** The boot loader, or null when nothing is said, or one that {@link #notFollowed} tells of. */
  public @Nullable BootLoader bootLoader() {
    return switch (text("/bootloader")) {
      case "none" -> BootLoader.NONE;
      case "systemd" -> BootLoader.SYSTEMD;
      case null, default -> null;
    };
  }

  /** The value of {@code sysroot.bls-append-except-default} in the repository's config, or null. */
  public @Nullable String blsAppendExceptDefault() {
    return text("/ostree/bls-append-except-default");
  }

  /** Whether what an image brings for bootupd finds /boot by its label, and not by an id. */
  public boolean skipBootId() {
    return merged.at("/bootupd/skip-boot-uuid").asBoolean(false);
  }

  private @Nullable String text(String pointer) {
    return merged.at(pointer).stringValue(null);
  }

  /** Arguments without those that the image wants away: whole ones, or all of a key. */
  public KernelArguments withoutDeleted(KernelArguments arguments) {
    List<String> deleted = new ArrayList<>();
    merged.path("karg-deletes").forEach(each -> deleted.add(each.asString()));
    return arguments.without(deleted);
  }

  /** How the root lies on a disk, or null when nothing is said. */
  public @Nullable BlockSetup blockSetup() {
    String first = merged.path("block").path(0).stringValue(null);
    return first == null ? null : BlockSetup.parse(first);
  }

  /**
   * A sentence for each thing that is wanted and that an installation does not do.
   *
   * @param encrypted whether it encrypts the root
   */
  public List<String> notFollowed(boolean encrypted) {
    List<String> said = new ArrayList<>(ignored);
    String loader = text("/bootloader");
    if (loader != null && loader.startsWith("grub-")) {
      said.add("install.bootloader " + loader + " is not there yet; GRUB is installed");
    }
    if (blockSetup() == BlockSetup.TPM2_LUKS && !encrypted) {
      said.add(
          "install.block tpm2-luks is for bootc install to-disk, whose machine has the TPM; this"
              + " root is not encrypted");
    }
    if (merged.path("discoverable-partitions").asBoolean(false)) {
      said.add(
          "install.discoverable-partitions is not there yet; the root is found by root= all the"
              + " same");
    }
    if (blsAppendExceptDefault() != null) {
      said.add(
          "install.ostree.bls-append-except-default is kept for ostree; Slipway's own boot menus"
              + " do not follow it");
    }
    return said;
  }

  /** Whether updates must be signed as the machine's policy demands. */
  public boolean enforcesSignatures() {
    return merged.path("enforce-container-sigpolicy").asBoolean(false);
  }

  /** The files as they are merged. */
  private static final class Reading {
    private static final List<String> TEXTS =
        List.of("stateroot", "root-mount-spec", "boot-mount-spec");
    private static final List<String> FLAGS =
        List.of("discoverable-partitions", "enforce-container-sigpolicy");
    private static final List<String> FILE_SYSTEMS = List.of("ext4", "xfs", "btrfs");
    private static final List<String> LOADERS = List.of("grub", "grub-cc", "systemd", "none");
    private static final List<String> SETUPS = List.of("direct", "tpm2-luks");

    private static final String ARCHITECTURES = "match-architectures";

    private final String architecture;
    private final ObjectNode merged = JsonNodeFactory.instance.objectNode();
    private final List<String> ignored = new ArrayList<>();
    private KernelArguments arguments = KernelArguments.NONE;
    private boolean isAny;

    Reading(String architecture) {
      this.architecture = architecture;
    }

    void add(ConfigDocument document) {
      JsonNode root = document.root();
      for (String key : root.propertyNames()) {
        if (!key.equals("install")) {
          ignore(document, key);
        }
      }
      JsonNode install = table(document, root, "install", "install");
      List<String> only = document.strings(install, ARCHITECTURES, "install." + ARCHITECTURES);
      if (install.isMissingNode() || (install.has(ARCHITECTURES) && !only.contains(architecture))) {
        return;
      }
      if (!isAny && install.has(ARCHITECTURES)) {
        merged.set(ARCHITECTURES, install.path(ARCHITECTURES));
      }
      isAny = true;
      for (String key : install.propertyNames()) {
        key(document, install, key);
      }
    }

    /** Two names for one thing say the same, the newer one's; a default is filled in. */
    InstallConfig done() {
      JsonNode type = merged.at("/filesystem/root/type");
      if (!type.isMissingNode()) {
        merged.set("root-fs-type", type);
      } else if (merged.has("root-fs-type")) {
        within("filesystem", "root").set("type", merged.path("root-fs-type"));
      }
      if (isAny && !merged.has("block")) {
        merged.putArray("block").add("direct");
      }
      return new InstallConfig(merged, arguments, List.copyOf(ignored));
    }

    private void key(ConfigDocument document, JsonNode install, String key) {
      JsonNode value = install.path(key);
      String at = "install." + key;
      switch (key) {
        case "root-fs-type" -> merged.set(key, choice(document, value, at, FILE_SYSTEMS));
        case "bootloader" -> merged.set(key, choice(document, value, at, LOADERS));
        case "block" -> {
          document.strings(install, key, at);
          value.forEach(each -> choice(document, each, at, SETUPS));
          merged.set(key, value);
        }
        case "kargs" -> {
          for (String some : document.strings(install, key, at)) {
            arguments =
                arguments.append(KernelArguments.parse(some, document.place(at) + ": " + at));
            merged.withArray("/" + key).add(some);
          }
        }
        case "karg-deletes" ->
            document
                .strings(install, key, at)
                .forEach(each -> merged.withArray("/" + key).add(each));
        case ARCHITECTURES -> {}
        case "filesystem" -> filesystem(document, table(document, install, key, at));
        case "ostree" -> inner(document, install, key, "bls-append-except-default", false);
        case "bootupd" -> inner(document, install, key, "skip-boot-uuid", true);
        default -> simple(document, value, key, at);
      }
    }

    private void simple(ConfigDocument document, JsonNode value, String key, String at) {
      if (TEXTS.contains(key)) {
        merged.set(key, printable(document, value, at));
      } else if (FLAGS.contains(key)) {
        merged.set(key, flag(document, value, at));
      } else {
        ignore(document, at);
      }
    }

    private void filesystem(ConfigDocument document, JsonNode filesystem) {
      for (String which : filesystem.propertyNames()) {
        String at = "install.filesystem." + which;
        if (!which.equals("root")) {
          ignore(document, at);
          continue;
        }
        JsonNode root = table(document, filesystem, which, at);
        for (String key : root.propertyNames()) {
          if (key.equals("type")) {
            JsonNode type = choice(document, root.path(key), at + ".type", FILE_SYSTEMS);
            within("filesystem", "root").set("type", type);
          } else {
            ignore(document, at + "." + key);
          }
        }
      }
    }

    /** A table with one key that is known. */
    private void inner(
        ConfigDocument document, JsonNode install, String name, String known, boolean isFlag) {
      JsonNode table = table(document, install, name, "install." + name);
      for (String key : table.propertyNames()) {
        String at = "install." + name + "." + key;
        JsonNode value = table.path(key);
        if (!key.equals(known)) {
          ignore(document, at);
        } else {
          within(name)
              .set(key, isFlag ? flag(document, value, at) : printable(document, value, at));
        }
      }
    }

    private ObjectNode within(String... names) {
      ObjectNode found = merged;
      for (String name : names) {
        found = found.path(name) instanceof ObjectNode node ? node : found.putObject(name);
      }
      return found;
    }

    private static JsonNode table(ConfigDocument document, JsonNode parent, String key, String at) {
      JsonNode table = parent.path(key);
      if (!table.isMissingNode() && !table.isObject()) {
        throw document.wrong(at, at + " is not a table");
      }
      return table;
    }

    private static JsonNode choice(
        ConfigDocument document, JsonNode value, String at, List<String> known) {
      if (!value.isString() || !known.contains(value.stringValue())) {
        throw document.wrong(at, at + " is " + value + "; there are " + String.join(", ", known));
      }
      return value;
    }

    private static JsonNode flag(ConfigDocument document, JsonNode value, String at) {
      if (!value.isBoolean()) {
        throw document.wrong(at, at + " is neither true nor false");
      }
      return value;
    }

    /** What goes into files of lines and words. */
    private static JsonNode printable(ConfigDocument document, JsonNode value, String at) {
      if (!value.isString() || !Printable.text(value.stringValue()).equals(value.stringValue())) {
        throw document.wrong(at, at + " is no text of one line of printed characters");
      }
      return value;
    }

    private void ignore(ConfigDocument document, String at) {
      ignored.add(document.wrong(at, at + " is not known, ignored").getMessage());
    }
  }
}
