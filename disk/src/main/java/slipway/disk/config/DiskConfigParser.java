package slipway.disk.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
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
  private static final long MAX_BYTES = 1024 * 1024;

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

  static DiskConfig parse(Path file, Consumer<String> warnings) {
    String name = String.valueOf(file.getFileName());
    String text;
    if (Files.isDirectory(file)) {
      throw Problem.input("the config " + file + " is a folder; name a .toml or .json file");
    }
    try {
      if (Files.size(file) > MAX_BYTES) {
        throw Problem.input(file + " has more than " + MAX_BYTES + " bytes; it is no config file");
      }
      text = Files.readString(file);
    } catch (java.nio.charset.CharacterCodingException e) {
      throw new Problem(Problem.Kind.INPUT, file + " is not UTF-8 text", e);
    } catch (IOException e) {
      throw new Problem(
          Problem.Kind.INPUT, "cannot read the config file " + file + ": " + FileReason.of(e), e);
    }
    ConfigDocument document;
    if (name.endsWith(".toml")) {
      document = ConfigDocument.toml(text, file.toString());
    } else if (name.endsWith(".json")) {
      document = ConfigDocument.json(text, file.toString());
    } else {
      throw Problem.input(file + ": unsupported file extension; a config is .toml or .json");
    }
    JsonNode root = document.root();
    // The older form, from when the tool took more than a blueprint.
    if (root.path("blueprint").isObject() && root.size() == 1) {
      document = document.below("blueprint");
    }
    if (!document.root().isObject()) {
      throw Problem.input(file + ": a config is a table of keys, such as customizations");
    }
    return new DiskConfigParser(new ConfigKeys(document, warnings)).config(document.root());
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
        "hostname",
        "timezone",
        "locale",
        "files",
        "directories",
        "filesystem");
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
        new FilesystemKeys(keys).rootMinimum(c));
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
      keys.known(node, at, "timezone");
      return keys.checked(keys.string(node, "timezone", at + ".timezone"), ZONE, at + ".timezone");
    }
    return keys.checked(keys.string(c, "timezone", at), ZONE, at);
  }

  private @Nullable String locale(JsonNode c) {
    String at = "customizations.locale";
    JsonNode node = c.path("locale");
    if (node.isObject()) {
      keys.known(node, at, "languages");
      List<String> languages = keys.strings(node, "languages", at + ".languages");
      return languages.isEmpty()
          ? null
          : keys.checked(languages.getFirst(), LOCALE, at + ".languages");
    }
    return keys.checked(keys.string(c, "locale", at), LOCALE, at);
  }
}
