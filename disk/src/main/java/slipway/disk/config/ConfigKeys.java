package slipway.disk.config;

import static java.util.Map.entry;
import static slipway.base.document.ConfigDocument.isGiven;

import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Spelling;
import slipway.base.document.ConfigDocument;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.MissingNode;

/**
 * Reads the values of a config's keys. What is not as it should be is told with its place, for
 * which every method takes {@code at}: the whole key, such as {@code customizations.user[1].uid},
 * or that of the table in which the key stands.
 */
final class ConfigKeys {
  /** What useradd takes (shadow-utils, lib/chkname.c); names of dots or digits alone are others. */
  static final Form NAME =
      new Form(
          "(?!\\.{1,2}$)(?![0-9]+$)[A-Za-z0-9_.][A-Za-z0-9_.-]{0,30}[A-Za-z0-9_.$-]?",
          "letters, digits, . _ and -, at most 32 of them, not digits alone");

  /** Keys of installers' images; one file often serves both. */
  private static final Set<String> OF_INSTALLERS =
      Set.of(
          "customizations.installer", "customizations.iso", "customizations.installation_device");

  private static final String CONTAINERFILE = "the image's Containerfile is the place for it";

  /**
   * Keys that blueprints know and that do nothing here, and what does; bootc-image-builder passes
   * most of them over.
   */
  private static final Map<String, String> INSTEAD =
      Map.ofEntries(
          entry("packages", CONTAINERFILE),
          entry("modules", CONTAINERFILE),
          entry("enabled_modules", CONTAINERFILE),
          entry("groups", CONTAINERFILE + "; users' groups are customizations.group"),
          entry("containers", "bind them to the image, in its /usr/lib/bootc/bound-images.d"),
          entry("distro", "the image decides it"),
          entry("arch", "the image decides it; --target-arch chooses one of several"),
          entry(
              "customizations.kernel.name",
              "the kernel is the image's; kernel.append sets arguments"),
          entry("customizations.repositories", CONTAINERFILE),
          entry("customizations.openscap", CONTAINERFILE),
          entry("customizations.rpm", CONTAINERFILE),
          entry("customizations.dnf", CONTAINERFILE),
          entry("customizations.rhsm", CONTAINERFILE),
          entry("customizations.subscription", CONTAINERFILE),
          entry("customizations.cacerts", CONTAINERFILE),
          entry(
              "customizations.fdo",
              "customizations.user and customizations.files make a machine yours"),
          entry(
              "customizations.firstboot",
              "a unit of the image does it, started by customizations.services.enabled"),
          entry(
              "customizations.containers-storage",
              "bind them to the image, in its /usr/lib/bootc/bound-images.d"),
          entry(
              "customizations.partitioning_mode",
              "the partitions are always plain ones; customizations.filesystem sets their sizes"),
          entry(
              "customizations.sshd",
              "customizations.files does it, by a file in /etc/ssh/sshd_config.d"));

  /**
   * What bootc-image-builder would obey and this does not: a disk without it is not the one meant.
   */
  private static final Map<String, String> REFUSED =
      Map.of(
          "customizations.fips",
          "customizations.kernel.append = \"fips=1\" turns it on in an image that is made for it",
          "customizations.installer.modules",
          "they are Anaconda's, and the installer here is Slipway's",
          "customizations.installer.unattended",
          "--installer-mode unattended asks nothing",
          "customizations.ignition",
          "customizations.user, files and services do most of it");

  /**
   * What a value looks like.
   *
   * @param words the same for people
   */
  record Form(Pattern pattern, String words) {
    Form(String pattern, String words) {
      this(Pattern.compile(pattern), words);
    }
  }

  private final ConfigDocument document;
  private final DiskConfig.Unsupported unsupported;

  ConfigKeys(ConfigDocument document, DiskConfig.Unsupported unsupported) {
    this.document = document;
    this.unsupported = unsupported;
  }

  /** Refuses keys that nobody knows, and warns of those that do nothing here. */
  void known(JsonNode node, String at, String... known) {
    Set<String> allowed = new LinkedHashSet<>(List.of(known));
    for (String key : node.propertyNames()) {
      String whole = at.isEmpty() ? key : at + "." + key;
      if (OF_INSTALLERS.contains(whole)) {
        unsupported
            .warnings()
            .accept(wrong(whole, whole + " is of installers, and no disk's; ignored").sentence());
      } else if (INSTEAD.containsKey(whole)) {
        withoutEffect(whole, INSTEAD.get(whole));
      } else if (REFUSED.containsKey(whole)) {
        throw wrong(
            whole,
            whole
                + " is not supported, take it away if the disk can do without; "
                + REFUSED.get(whole));
      } else if (!allowed.contains(key)) {
        throw wrong(
            whole,
            "unknown key \""
                + (at.isEmpty() ? "" : at + ".")
                + key
                + "\"; known here are "
                + String.join(", ", allowed)
                + Spelling.hint(key, allowed, ""));
      }
    }
  }

  private void withoutEffect(String key, String instead) {
    String sentence = key + " does nothing on disks of images; " + instead;
    if (!unsupported.ignored()) {
      throw wrong(key, sentence + ", and --ignore-warnings passes it over");
    }
    unsupported.warnings().accept(wrong(key, sentence).sentence());
  }

  /** The texts of a list, each of a form. */
  List<String> strings(JsonNode parent, String key, String at, Form form) {
    List<String> texts = strings(parent, key, at + "." + key);
    texts.forEach(text -> checked(text, form, at + "." + key));
    return texts;
  }

  /** The texts of a list. */
  List<String> strings(JsonNode parent, String key, String at) {
    return document.strings(parent, key, at);
  }

  /** A text, or null. */
  @Nullable String string(JsonNode parent, String key, String at) {
    JsonNode node = parent.path(key);
    if (!isGiven(parent, key)) {
      return null;
    }
    if (!node.isString()) {
      throw wrong(at, at + " is not a text");
    }
    return node.stringValue();
  }

  /** A text that must be there. */
  String required(JsonNode parent, String key, String at) {
    String value = string(parent, key, at + "." + key);
    if (value == null) {
      throw wrong(at, at + " lacks " + key);
    }
    return value;
  }

  /** A yes or no; no when it is not given. */
  boolean flag(JsonNode n, String key, String at) {
    if (!isGiven(n, key)) {
      return false;
    }
    if (!n.get(key).isBoolean()) {
      throw wrong(at + "." + key, at + "." + key + " is neither true nor false");
    }
    return n.get(key).booleanValue();
  }

  /** A number that fits an id, or null. */
  @Nullable Integer number(JsonNode n, String key, String at) {
    JsonNode value = n.path(key);
    if (!isGiven(n, key)) {
      return null;
    }
    if (!value.isIntegralNumber() || !value.canConvertToInt() || value.intValue() < 0) {
      throw wrong(
          at + "." + key, at + "." + key + " is not a number from 0 to " + Integer.MAX_VALUE);
    }
    return value.intValue();
  }

  /** A table, which may be missing. */
  JsonNode object(JsonNode parent, String key, String at) {
    JsonNode node = parent.path(key);
    if (!isGiven(parent, key)) {
      return MissingNode.getInstance();
    }
    if (!node.isObject()) {
      throw wrong(at, at + " is not a table");
    }
    return node;
  }

  /** Reads one table of a list. */
  @FunctionalInterface
  interface Entry {
    void accept(JsonNode node, String at);
  }

  /** Reads each table of a list, which may be missing. */
  void each(JsonNode parent, String key, String at, Entry entry) {
    JsonNode list = parent.path(key);
    if (!isGiven(parent, key)) {
      return;
    }
    if (!list.isArray()) {
      throw wrong(at, at + " is not a list; in TOML each entry begins with [[" + at + "]]");
    }
    for (int i = 0; i < list.size(); i++) {
      String where = at + "[" + i + "]";
      if (!list.get(i).isObject()) {
        throw wrong(where, where + " is not a table");
      }
      entry.accept(list.get(i), where);
    }
  }

  /** Refuses a text that does not have the form. */
  @Nullable String checked(@Nullable String value, Form form, String at) {
    if (value != null && !form.pattern().matcher(value).matches()) {
      throw wrong(at, at + ": \"" + value + "\" is not valid; expected " + form.words());
    }
    return value;
  }

  /** An absolute path that is written plainly, or null. */
  @Nullable String absolute(@Nullable String path, String at) {
    if (path == null) {
      return null;
    }
    field(path, at);
    if (!path.startsWith("/")) {
      throw wrong(at, at + ": \"" + path + "\" is not an absolute path");
    }
    String canonical = Path.of(path).normalize().toString();
    if (!canonical.equals(path)) {
      throw wrong(
          at,
          at
              + ": \""
              + path
              + "\" is not an absolute path without dots and double slashes; write \""
              + canonical
              + "\"");
    }
    return path;
  }

  /** A field of /etc/passwd. */
  @Nullable String field(@Nullable String value, String at) {
    if (value != null && (value.contains(":") || value.contains("\n"))) {
      throw wrong(at, at + " holds a colon or a line end, which /etc/passwd cannot");
    }
    if (value != null) {
      printable(value, at, "/etc/passwd");
    }
    return value;
  }

  /** Refuses what a terminal obeys or a file of lines takes for an end. */
  void printable(String value, String at, String place) {
    if (!Printable.text(value).equals(value)) {
      throw wrong(
          at,
          at
              + " holds a line end or a control character, which "
              + place
              + " cannot: "
              + Printable.text(value));
    }
  }

  /** What is wrong with a key, such as {@code customizations.user[1].uid}. */
  Problem wrong(String at, String reason) {
    return document.wrong(at, reason);
  }

  /** Where a key stands, for messages. */
  String place(String at) {
    return document.place(at);
  }
}
