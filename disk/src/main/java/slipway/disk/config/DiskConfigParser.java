package slipway.disk.config;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import slipway.base.FileReason;
import slipway.base.Problem;
import slipway.base.document.ConfigDocument;
import slipway.system.kargs.KernelArguments;
import tools.jackson.databind.JsonNode;

/**
 * Reads bootc-image-builder's config. Every key is accounted for: what is not known is an error.
 */
final class DiskConfigParser {
  private static final int MAX_BYTES = 1024 * 1024;

  /** Labels as in hostname(5), 64 characters at most. */
  private static final ConfigKeys.Form HOST =
      new ConfigKeys.Form(
          "(?=.{1,64}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
              + "(\\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*",
          "words of letters, digits and - with dots between them, at most 64 characters");

  private static final ConfigKeys.Form ZONE =
      new ConfigKeys.Form(
          "[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*", "a time zone such as Europe/Berlin");

  private static final ConfigKeys.Form LOCALE =
      new ConfigKeys.Form("[A-Za-z0-9_.@-]+", "a locale such as de_DE.UTF-8");

  private final ConfigKeys keys;

  private DiskConfigParser(ConfigKeys keys) {
    this.keys = keys;
  }

  static DiskConfig parse(Path file, DiskConfig.Unsupported unsupported) {
    return parse(document(file), file.toString(), unsupported);
  }

  /** {@code installer.kickstart.contents}. */
  static Optional<String> kickstart(Path file) {
    ConfigDocument whole = document(file);
    boolean older = whole.root().path("blueprint").isObject() && whole.root().size() == 1;
    ConfigDocument document = older ? whole.below("blueprint") : whole;
    JsonNode customizations = document.root().path("customizations");
    if (!customizations.path("installer").isObject()) {
      return Optional.empty();
    }
    ConfigKeys keys = new ConfigKeys(document, new DiskConfig.Unsupported(true, warning -> {}));
    String at = "customizations.installer";
    JsonNode installer = keys.object(customizations, "installer", at);
    keys.known(installer, at, "kickstart");
    JsonNode kickstart = keys.object(installer, "kickstart", at + ".kickstart");
    keys.known(kickstart, at + ".kickstart", "contents");
    String contents = keys.required(kickstart, "contents", at + ".kickstart");
    for (String key : customizations.propertyNames()) {
      if (!key.equals("installer") && !key.equals("kernel")) {
        throw keys.wrong(
            "customizations." + key,
            "customizations.%s is not compatible with the user-supplied kickstart content of %s.kickstart.contents; say it there"
                .formatted(key, at));
      }
    }
    return Optional.of(contents);
  }

  private static ConfigDocument document(Path file) {
    if (Files.isDirectory(file)) {
      throw Problem.input("the config " + file + " is a folder; name a .toml or .json file");
    }
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file)) {
      bytes = read(in, file.toString());
    } catch (IOException e) {
      throw new Problem(
          Problem.Kind.INPUT, "cannot read the config file " + file + ": " + FileReason.of(e), e);
    }
    String name = String.valueOf(file.getFileName());
    String text = text(bytes, file.toString());
    if (name.endsWith(".toml")) {
      return ConfigDocument.toml(text, file.toString());
    }
    if (name.endsWith(".json")) {
      return ConfigDocument.json(text, file.toString());
    }
    throw Problem.input(file + ": unsupported file extension; a config is .toml or .json");
  }

  static DiskConfig parse(InputStream in, String name, DiskConfig.Unsupported unsupported)
      throws IOException {
    String text = text(read(in, name), name);
    ConfigDocument document =
        text.stripLeading().startsWith("{")
            ? ConfigDocument.json(text, name)
            : ConfigDocument.toml(text, name);
    return parse(document, name, unsupported);
  }

  private static byte[] read(InputStream in, String name) throws IOException {
    byte[] bytes = in.readNBytes(MAX_BYTES + 1);
    if (bytes.length > MAX_BYTES) {
      throw Problem.input(name + " has more than " + MAX_BYTES + " bytes; it is no config file");
    }
    return bytes;
  }

  private static String text(byte[] bytes, String name) {
    try {
      return UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new Problem(Problem.Kind.INPUT, name + " is not UTF-8 text", e);
    }
  }

  private static DiskConfig parse(
      ConfigDocument whole, String name, DiskConfig.Unsupported unsupported) {
    ConfigDocument document = blueprint(whole);
    if (!document.root().isObject()) {
      throw Problem.input(name + ": a config is a table of keys, such as customizations");
    }
    return new DiskConfigParser(new ConfigKeys(document, unsupported)).config(document.root());
  }

  /** Without the table around it that older configs have: the tool took more than a blueprint. */
  static ConfigDocument blueprint(ConfigDocument whole) {
    JsonNode root = whole.root();
    boolean older = root.path("blueprint").isObject() && root.size() == 1;
    return older ? whole.below("blueprint") : whole;
  }

  private DiskConfig config(JsonNode root) {
    keys.known(root, "", "name", "description", "version", "customizations");
    JsonNode c = keys.object(root, "customizations", "customizations");
    keys.known(
        c,
        "customizations",
        "user",
        "group",
        "sshkey",
        "kernel",
        "bootloader",
        "hostname",
        "timezone",
        "locale",
        "services",
        "firewall",
        "files",
        "directories",
        "filesystem",
        "disk");
    AccountKeys accounts = new AccountKeys(keys);
    List<DiskConfig.User> users = new ArrayList<>();
    keys.each(c, "user", "customizations.user", (n, at) -> users.add(accounts.user(n, at)));
    keys.each(c, "sshkey", "customizations.sshkey", (n, at) -> users.add(accounts.sshKey(n, at)));
    List<DiskConfig.Group> groups = new ArrayList<>();
    keys.each(c, "group", "customizations.group", (n, at) -> groups.add(accounts.group(n, at)));
    FileKeys fileKeys = new FileKeys(keys);
    List<DiskConfig.CustomFile> files = new ArrayList<>();
    keys.each(c, "files", "customizations.files", (n, at) -> files.add(fileKeys.customFile(n, at)));
    List<DiskConfig.CustomDirectory> directories = new ArrayList<>();
    keys.each(
        c,
        "directories",
        "customizations.directories",
        (n, at) -> directories.add(fileKeys.directory(n, at)));
    FilesystemKeys.Sizes sizes = new FilesystemKeys(keys).sizes(c);
    SystemKeys system = new SystemKeys(keys);
    return new DiskConfig(
        users,
        groups,
        kernelArguments(c),
        keys.checked(
            keys.string(c, "hostname", "customizations.hostname"), HOST, "customizations.hostname"),
        timezone(c),
        locale(c),
        files,
        directories,
        sizes.root(),
        sizes.boot(),
        system.keymap(c),
        system.timeServers(c),
        system.services(c),
        system.firewall(c),
        new DiskKeys(keys).layout(c, sizes.others()),
        system.console(c));
  }

  private List<String> kernelArguments(JsonNode c) {
    JsonNode kernel = keys.object(c, "kernel", "customizations.kernel");
    keys.known(kernel, "customizations.kernel", "append");
    String at = "customizations.kernel.append";
    String append = keys.string(kernel, "append", at);
    return append == null
        ? List.of()
        : KernelArguments.parse(append, keys.place(at) + ": " + at).list();
  }

  private @Nullable String timezone(JsonNode c) {
    String at = "customizations.timezone";
    JsonNode node = c.path("timezone");
    if (node.isObject()) {
      keys.known(node, at, "timezone", "ntpservers");
      return keys.checked(keys.string(node, "timezone", at + ".timezone"), ZONE, at + ".timezone");
    }
    return keys.checked(keys.string(c, "timezone", at), ZONE, at);
  }

  private @Nullable String locale(JsonNode c) {
    String at = "customizations.locale";
    JsonNode node = c.path("locale");
    if (node.isObject()) {
      keys.known(node, at, "languages", "keyboard");
      List<String> languages = keys.strings(node, "languages", at + ".languages");
      return languages.isEmpty()
          ? null
          : keys.checked(languages.getFirst(), LOCALE, at + ".languages");
    }
    return keys.checked(keys.string(c, "locale", at), LOCALE, at);
  }
}
