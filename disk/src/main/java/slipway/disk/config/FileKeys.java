package slipway.disk.config;

import static slipway.base.document.ConfigDocument.isGiven;

import java.util.Objects;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/** Reads the files and folders of a config, and where they may lie. */
final class FileKeys {
  private static final ConfigKeys.Form MODE =
      new ConfigKeys.Form("0?[0-7]{3}", "three octal digits, such as 0644");

  private static final Set<String> DENIED =
      Set.of("/etc/fstab", "/etc/shadow", "/etc/passwd", "/etc/group");

  private final ConfigKeys keys;

  FileKeys(ConfigKeys keys) {
    this.keys = keys;
  }

  /** A {@code [[customizations.files]]}. */
  DiskConfig.CustomFile customFile(JsonNode n, String at) {
    keys.known(n, at, "path", "data", "mode", "user", "group");
    String path = Objects.requireNonNull(keys.absolute(keys.required(n, "path", at), at + ".path"));
    if (path.startsWith("/usr/local/")) {
      throw keys.wrong(
          at + ".path",
          at
              + ".path: "
              + path
              + " lies in the image's read-only part; COPY it into the image instead");
    }
    boolean allowed = path.startsWith("/etc/") || path.startsWith("/root/");
    if (!allowed || DENIED.contains(path)) {
      throw keys.wrong(
          at + ".path",
          "the following custom files are not allowed: [\""
              + path
              + "\"]; only files below /etc and /root"
              + " are, and not the account files");
    }
    String data = keys.string(n, "data", at + ".data");
    return new DiskConfig.CustomFile(
        path,
        data == null ? "" : data,
        mode(n, at, 0644),
        owner(n, "user", at),
        owner(n, "group", at));
  }

  /** A {@code [[customizations.directories]]}. */
  DiskConfig.CustomDirectory directory(JsonNode n, String at) {
    keys.known(n, at, "path", "mode", "user", "group", "ensure_parents");
    String path = Objects.requireNonNull(keys.absolute(keys.required(n, "path", at), at + ".path"));
    if (!path.startsWith("/etc/")) {
      throw keys.wrong(
          at + ".path", "the directory \"" + path + "\" is not allowed; only those below /etc are");
    }
    return new DiskConfig.CustomDirectory(
        path,
        mode(n, at, 0755),
        owner(n, "user", at),
        owner(n, "group", at),
        keys.flag(n, "ensure_parents", at));
  }

  private String owner(JsonNode n, String key, String at) {
    JsonNode value = n.path(key);
    if (!isGiven(n, key)) {
      return "root";
    }
    if (value.isIntegralNumber() && value.longValue() >= 0 && value.longValue() < 0xffffffffL) {
      return value.asString();
    }
    String name = keys.required(n, key, at);
    keys.checked(name, ConfigKeys.NAME, at + "." + key);
    return name;
  }

  private int mode(JsonNode n, String at, int fallback) {
    String value = keys.string(n, "mode", at + ".mode");
    if (value == null) {
      return fallback;
    }
    keys.checked(value, MODE, at + ".mode");
    return Integer.parseInt(value, 8);
  }
}
