package slipway.disk.config;

import static slipway.base.document.ConfigDocument.isGiven;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import slipway.base.FileReason;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Spelling;
import slipway.base.document.ConfigDocument;
import slipway.system.kargs.KernelArguments;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.MissingNode;

/**
 * Reads bootc-image-builder's config. Every key is accounted for: what is not known is an error.
 */
final class DiskConfigParser {
  private static final long MAX_BYTES = 1024 * 1024;

  /** What useradd takes (shadow-utils, lib/chkname.c); names of dots or digits alone are others. */
  private static final Form NAME =
      new Form(
          "(?!\\.{1,2}$)(?![0-9]+$)[A-Za-z0-9_.][A-Za-z0-9_.-]{0,30}[A-Za-z0-9_.$-]?",
          "letters, digits, . _ and -, at most 32 of them, not digits alone");

  /** Labels as in hostname(5), 64 characters at most. */
  private static final Form HOST =
      new Form(
          "(?=.{1,64}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
              + "(\\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*",
          "words of letters, digits and - with dots between them, at most 64 characters");

  private static final Form ZONE =
      new Form("[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*", "a time zone such as Europe/Berlin");

  private static final Form LOCALE = new Form("[A-Za-z0-9_.@-]+", "a locale such as de_DE.UTF-8");

  private static final Form MODE = new Form("0?[0-7]{3}", "three octal digits, such as 0644");

  private static final Pattern SIZE = Pattern.compile("([0-9]+(?:\\.[0-9]+)?)\\s*([kKMGT]i?B)?");

  /** Bytes that no disk has; sums with it still fit a long. */
  private static final long MAX_SIZE = 1L << 60;

  private static final Set<String> DENIED =
      Set.of("/etc/fstab", "/etc/shadow", "/etc/passwd", "/etc/group");

  /**
   * Keys of a blueprint that bootc-image-builder accepts and ignores for disks of images, with a
   * warning; those of an installer's image too, since one file often serves both.
   */
  private static final Set<String> IGNORED =
      Set.of(
          "packages",
          "modules",
          "enabled_modules",
          "groups",
          "containers",
          "distro",
          "arch",
          "customizations.timezone.ntpservers",
          "customizations.locale.keyboard",
          "customizations.kernel.name",
          "customizations.firewall",
          "customizations.services",
          "customizations.repositories",
          "customizations.openscap",
          "customizations.fdo",
          "customizations.rpm",
          "customizations.rhsm",
          "customizations.cacerts",
          "customizations.dnf",
          "customizations.firstboot",
          "customizations.containers-storage",
          "customizations.installation_device",
          "customizations.partitioning_mode",
          "customizations.installer",
          "customizations.iso",
          "customizations.subscription",
          "customizations.sshd");

  /**
   * What bootc-image-builder would obey and this does not: a disk without it is not the one meant.
   */
  private static final Set<String> REFUSED =
      Set.of(
          "customizations.disk",
          "customizations.fips",
          "customizations.ignition",
          "customizations.bootloader");

  /**
   * What a value looks like.
   *
   * @param words the same for people
   */
  private record Form(Pattern pattern, String words) {
    Form(String pattern, String words) {
      this(Pattern.compile(pattern), words);
    }
  }

  private final ConfigDocument document;
  private final Consumer<String> warnings;

  private DiskConfigParser(ConfigDocument document, Consumer<String> warnings) {
    this.document = document;
    this.warnings = warnings;
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
    return new DiskConfigParser(document, warnings).config(document.root());
  }

  private DiskConfig config(JsonNode root) {
    keys(root, "", "name", "description", "version", "customizations");
    JsonNode c = object(root, "customizations", "customizations");
    keys(
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
    List<DiskConfig.User> users = new ArrayList<>();
    each(c, "user", "customizations.user", (n, at) -> users.add(user(n, at)));
    each(c, "sshkey", "customizations.sshkey", (n, at) -> users.add(sshKey(n, at)));
    List<DiskConfig.Group> groups = new ArrayList<>();
    each(c, "group", "customizations.group", (n, at) -> groups.add(group(n, at)));
    List<DiskConfig.CustomFile> files = new ArrayList<>();
    each(c, "files", "customizations.files", (n, at) -> files.add(customFile(n, at)));
    List<DiskConfig.CustomDirectory> directories = new ArrayList<>();
    each(
        c,
        "directories",
        "customizations.directories",
        (n, at) -> directories.add(directory(n, at)));
    return new DiskConfig(
        users,
        groups,
        kernelArguments(c),
        checked(string(c, "hostname", "customizations.hostname"), HOST, "customizations.hostname"),
        timezone(c),
        locale(c),
        files,
        directories,
        rootMinimum(c));
  }

  private List<String> kernelArguments(JsonNode c) {
    JsonNode kernel = object(c, "kernel", "customizations.kernel");
    keys(kernel, "customizations.kernel", "append");
    String at = "customizations.kernel.append";
    String append = string(kernel, "append", at);
    return append == null
        ? List.of()
        : KernelArguments.parse(append, document.place(at) + ": " + at).list();
  }

  private @Nullable String timezone(JsonNode c) {
    String at = "customizations.timezone";
    JsonNode node = c.path("timezone");
    if (node.isObject()) {
      keys(node, at, "timezone");
      return checked(string(node, "timezone", at + ".timezone"), ZONE, at + ".timezone");
    }
    return checked(string(c, "timezone", at), ZONE, at);
  }

  private @Nullable String locale(JsonNode c) {
    String at = "customizations.locale";
    JsonNode node = c.path("locale");
    if (node.isObject()) {
      keys(node, at, "languages");
      List<String> languages = document.strings(node, "languages", at + ".languages");
      return languages.isEmpty() ? null : checked(languages.getFirst(), LOCALE, at + ".languages");
    }
    return checked(string(c, "locale", at), LOCALE, at);
  }

  private long rootMinimum(JsonNode c) {
    long[] minimum = {0};
    boolean[] twice = {false};
    each(
        c,
        "filesystem",
        "customizations.filesystem",
        (n, at) -> {
          keys(n, at, "mountpoint", "minsize", "size");
          String mountpoint = required(n, "mountpoint", at);
          if (!mountpoint.equals("/")) {
            throw wrong(
                at + ".mountpoint",
                at + ".mountpoint: path \"" + mountpoint + "\" is not allowed; only \"/\" is");
          }
          if (twice[0]) {
            throw wrong(
                at + ".mountpoint", at + ".mountpoint: there is an entry for \"/\" already");
          }
          twice[0] = true;
          String key = isGiven(n, "minsize") ? "minsize" : "size";
          if (isGiven(n, key)) {
            minimum[0] = size(n.get(key), at + "." + key);
          }
        });
    return minimum[0];
  }

  private long size(JsonNode node, String at) {
    if (node.isIntegralNumber() && node.bigIntegerValue().signum() >= 0) {
      return sane(node.bigIntegerValue().doubleValue(), node.asString(), at);
    }
    if (node.isString()) {
      return parseSize(node.stringValue(), at);
    }
    throw wrong(at, at + " is not a size; expected bytes or a text such as \"10 GiB\"");
  }

  private long parseSize(String value, String at) {
    Matcher m = SIZE.matcher(value.strip());
    if (!m.matches()) {
      throw wrong(at, at + ": \"" + value + "\" is not a size; expected one such as \"10 GiB\"");
    }
    String unit = m.group(2) == null ? "" : m.group(2).toUpperCase(Locale.ROOT);
    long base = unit.contains("I") ? 1024 : 1000;
    int power = unit.isEmpty() ? 0 : "KMGT".indexOf(unit.charAt(0)) + 1;
    double bytes = Double.parseDouble(m.group(1)) * Math.pow(base, power);
    return sane(bytes, value, at);
  }

  private long sane(double bytes, String shown, String at) {
    if (bytes > MAX_SIZE) {
      throw wrong(at, at + ": " + shown + " is larger than any disk");
    }
    return (long) bytes;
  }

  private DiskConfig.User user(JsonNode n, String at) {
    keys(
        n,
        at,
        "name",
        "description",
        "password",
        "key",
        "home",
        "shell",
        "groups",
        "uid",
        "gid",
        "expiredate",
        "force_password_reset");
    List<String> groups = document.strings(n, "groups", at + ".groups");
    groups.forEach(g -> checked(g, NAME, at + ".groups"));
    return new DiskConfig.User(
        name(n, at),
        field(string(n, "description", at + ".description"), at + ".description"),
        secret(n, at),
        key(n, at),
        absolute(string(n, "home", at + ".home"), at + ".home"),
        absolute(string(n, "shell", at + ".shell"), at + ".shell"),
        groups,
        number(n, "uid", at),
        number(n, "gid", at),
        number(n, "expiredate", at),
        flag(n, "force_password_reset", at));
  }

  private DiskConfig.User sshKey(JsonNode n, String at) {
    keys(n, at, "user", "key");
    String name = required(n, "user", at);
    checked(name, NAME, at + ".user");
    required(n, "key", at);
    String key = key(n, at);
    if (key == null) {
      throw wrong(at + ".key", at + ".key holds no key");
    }
    return DiskConfig.User.withKey(name, key);
  }

  private DiskConfig.Group group(JsonNode n, String at) {
    keys(n, at, "name", "gid");
    return new DiskConfig.Group(name(n, at), number(n, "gid", at));
  }

  private DiskConfig.CustomFile customFile(JsonNode n, String at) {
    keys(n, at, "path", "data", "mode", "user", "group");
    String path = java.util.Objects.requireNonNull(absolute(required(n, "path", at), at + ".path"));
    if (path.startsWith("/usr/local/")) {
      throw wrong(
          at + ".path",
          at
              + ".path: "
              + path
              + " lies in the image's read-only part; COPY it into the image instead");
    }
    boolean allowed = path.startsWith("/etc/") || path.startsWith("/root/");
    if (!allowed || DENIED.contains(path)) {
      throw wrong(
          at + ".path",
          "the following custom files are not allowed: [\""
              + path
              + "\"]; only files below /etc and /root"
              + " are, and not the account files");
    }
    String data = string(n, "data", at + ".data");
    return new DiskConfig.CustomFile(
        path,
        data == null ? "" : data,
        mode(n, at, 0644),
        owner(n, "user", at),
        owner(n, "group", at));
  }

  private DiskConfig.CustomDirectory directory(JsonNode n, String at) {
    keys(n, at, "path", "mode", "user", "group", "ensure_parents");
    String path = java.util.Objects.requireNonNull(absolute(required(n, "path", at), at + ".path"));
    if (!path.startsWith("/etc/")) {
      throw wrong(
          at + ".path", "the directory \"" + path + "\" is not allowed; only those below /etc are");
    }
    return new DiskConfig.CustomDirectory(
        path,
        mode(n, at, 0755),
        owner(n, "user", at),
        owner(n, "group", at),
        flag(n, "ensure_parents", at));
  }

  private boolean flag(JsonNode n, String key, String at) {
    if (!isGiven(n, key)) {
      return false;
    }
    if (!n.get(key).isBoolean()) {
      throw wrong(at + "." + key, at + "." + key + " is neither true nor false");
    }
    return n.get(key).booleanValue();
  }

  private String owner(JsonNode n, String key, String at) {
    JsonNode value = n.path(key);
    if (!isGiven(n, key)) {
      return "root";
    }
    if (value.isIntegralNumber() && value.longValue() >= 0 && value.longValue() < 0xffffffffL) {
      return value.asString();
    }
    String name = required(n, key, at);
    checked(name, NAME, at + "." + key);
    return name;
  }

  private int mode(JsonNode n, String at, int fallback) {
    String value = string(n, "mode", at + ".mode");
    if (value == null) {
      return fallback;
    }
    checked(value, MODE, at + ".mode");
    return Integer.parseInt(value, 8);
  }

  private String name(JsonNode n, String at) {
    String name = required(n, "name", at);
    checked(name, NAME, at + ".name");
    return name;
  }

  private @Nullable String secret(JsonNode n, String key) {
    String at = key + ".password";
    String password = string(n, "password", at);
    if (password == null || password.isEmpty()) {
      return null;
    }
    String wrong = Password.wrong(password);
    if (wrong != null) {
      throw wrong(at, at + " " + wrong);
    }
    return password;
  }

  private @Nullable String key(JsonNode n, String at) {
    String key = string(n, "key", at + ".key");
    if (key == null || key.isBlank()) {
      return null;
    }
    List<String> lines = key.strip().lines().map(String::strip).toList();
    for (String line : lines) {
      printable(line, at + ".key", "a key");
      boolean known =
          line.isBlank()
              || line.startsWith("#")
              || line.matches(".*(ssh-|ecdsa-|sk-)[a-z0-9@.-]+ .*");
      if (!known) {
        throw wrong(
            at + ".key",
            at + ".key is not an SSH public key; expected one such as \"ssh-ed25519 AAAA…\"");
      }
    }
    return String.join("\n", lines);
  }

  private @Nullable Integer number(JsonNode n, String key, String at) {
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

  /** A field of /etc/passwd. */
  private @Nullable String field(@Nullable String value, String at) {
    if (value != null && (value.contains(":") || value.contains("\n"))) {
      throw wrong(at, at + " holds a colon or a line end, which /etc/passwd cannot");
    }
    if (value != null) {
      printable(value, at, "/etc/passwd");
    }
    return value;
  }

  /** Refuses what a terminal obeys or a file of lines takes for an end. */
  private void printable(String value, String at, String place) {
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

  private @Nullable String absolute(@Nullable String path, String at) {
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

  private @Nullable String checked(@Nullable String value, Form form, String at) {
    if (value != null && !form.pattern().matcher(value).matches()) {
      throw wrong(at, at + ": \"" + value + "\" is not valid; expected " + form.words());
    }
    return value;
  }

  private interface Entry {
    void accept(JsonNode node, String at);
  }

  private void each(JsonNode parent, String key, String at, Entry entry) {
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

  private JsonNode object(JsonNode parent, String key, String at) {
    JsonNode node = parent.path(key);
    if (!isGiven(parent, key)) {
      return MissingNode.getInstance();
    }
    if (!node.isObject()) {
      throw wrong(at, at + " is not a table");
    }
    return node;
  }

  private @Nullable String string(JsonNode parent, String key, String at) {
    JsonNode node = parent.path(key);
    if (!isGiven(parent, key)) {
      return null;
    }
    if (!node.isString()) {
      throw wrong(at, at + " is not a text");
    }
    return node.stringValue();
  }

  private String required(JsonNode parent, String key, String at) {
    String value = string(parent, key, at + "." + key);
    if (value == null) {
      throw wrong(at, at + " lacks " + key);
    }
    return value;
  }

  private void keys(JsonNode node, String at, String... known) {
    Set<String> allowed = new LinkedHashSet<>(List.of(known));
    for (String key : node.propertyNames()) {
      String whole = at.isEmpty() ? key : at + "." + key;
      if (IGNORED.contains(whole)) {
        warnings.accept(
            wrong(whole, whole + ": not supported for disks of images, ignored").getMessage());
      } else if (REFUSED.contains(whole)) {
        throw wrong(whole, whole + " is not supported; take it away if the disk can do without");
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

  /** What is wrong with a key, such as {@code customizations.user[1].uid}. */
  private Problem wrong(String at, String reason) {
    return document.wrong(at, reason);
  }
}
