package slipway.disk.config;

import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Reads the users and groups of a config. */
final class AccountKeys {
  private final ConfigKeys keys;

  AccountKeys(ConfigKeys keys) {
    this.keys = keys;
  }

  /** A {@code [[customizations.user]]}. */
  DiskConfig.User user(JsonNode n, String at) {
    keys.known(
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
    List<String> groups = keys.strings(n, "groups", at + ".groups");
    groups.forEach(g -> keys.checked(g, ConfigKeys.NAME, at + ".groups"));
    return new DiskConfig.User(
        name(n, at),
        keys.field(keys.string(n, "description", at + ".description"), at + ".description"),
        secret(n, at),
        key(n, at),
        keys.absolute(keys.string(n, "home", at + ".home"), at + ".home"),
        keys.absolute(keys.string(n, "shell", at + ".shell"), at + ".shell"),
        groups,
        keys.number(n, "uid", at),
        keys.number(n, "gid", at),
        keys.number(n, "expiredate", at),
        keys.flag(n, "force_password_reset", at));
  }

  /** A {@code [[customizations.sshkey]]}, which is a user with nothing but a key. */
  DiskConfig.User sshKey(JsonNode n, String at) {
    keys.known(n, at, "user", "key");
    String name = keys.required(n, "user", at);
    keys.checked(name, ConfigKeys.NAME, at + ".user");
    keys.required(n, "key", at);
    String key = key(n, at);
    if (key == null) {
      throw keys.wrong(at + ".key", at + ".key holds no key");
    }
    return DiskConfig.User.withKey(name, key);
  }

  /** A {@code [[customizations.group]]}. */
  DiskConfig.Group group(JsonNode n, String at) {
    keys.known(n, at, "name", "gid");
    return new DiskConfig.Group(name(n, at), keys.number(n, "gid", at));
  }

  private String name(JsonNode n, String at) {
    String name = keys.required(n, "name", at);
    keys.checked(name, ConfigKeys.NAME, at + ".name");
    return name;
  }

  private @Nullable String secret(JsonNode n, String key) {
    String at = key + ".password";
    String password = keys.string(n, "password", at);
    if (password == null || password.isEmpty()) {
      return null;
    }
    String wrong = Password.wrong(password);
    if (wrong != null) {
      throw keys.wrong(at, at + " " + wrong);
    }
    return password;
  }

  private @Nullable String key(JsonNode n, String at) {
    String key = keys.string(n, "key", at + ".key");
    if (key == null || key.isBlank()) {
      return null;
    }
    List<String> lines = key.strip().lines().map(String::strip).toList();
    for (String line : lines) {
      keys.printable(line, at + ".key", "a key");
      boolean known =
          line.isBlank()
              || line.startsWith("#")
              || line.matches(".*(ssh-|ecdsa-|sk-)[a-z0-9@.-]+ .*");
      if (!known) {
        throw keys.wrong(
            at + ".key",
            at + ".key is not an SSH public key; expected one such as \"ssh-ed25519 AAAA…\"");
      }
    }
    return String.join("\n", lines);
  }
}
