package slipway.builder.language;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.BinaryOperator;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import slipway.base.ByteSize;
import slipway.base.Position;
import slipway.base.Spelling;

/**
 * A {@code --mount} of RUN (Dockerfile reference, "RUN --mount"; buildah's additions are accepted).
 *
 * @param from a stage or image, or null for the context
 * @param source a path in {@code from}
 * @param target where in the container, or null for a secret with only a variable
 * @param id of a cache, secret or agent
 * @param sharing of a cache: shared, private or locked
 * @param environment the variable that gets the secret, or null
 * @param mode permission bits, or -1 when not said
 * @param size limit of a tmpfs in bytes, or 0
 */
public record RunMount(
    Type type,
    @Nullable String from,
    String source,
    @Nullable String target,
    boolean readOnly,
    String id,
    String sharing,
    boolean required,
    @Nullable String environment,
    int mode,
    int uid,
    int gid,
    long size) {
  /** What is mounted. */
  public enum Type {
    BIND,
    CACHE,
    TMPFS,
    SECRET,
    SSH
  }

  private static final Set<String> IGNORED =
      Set.of("z", "relabel", "bind-propagation", "tmpcopyup", "u", "chown", "consistency");
  private static final Set<String> NAMES =
      Set.of("from", "source", "src", "target", "dst", "destination", "id", "env");
  private static final List<String> KEYS =
      List.of(
          "type",
          "from",
          "source",
          "src",
          "target",
          "dst",
          "destination",
          "ro",
          "readonly",
          "rw",
          "readwrite",
          "id",
          "sharing",
          "required",
          "env",
          "mode",
          "tmpfs-mode",
          "uid",
          "gid",
          "size",
          "tmpfs-size");

  /**
   * Parses.
   *
   * @param expand replaces variables in each value
   */
  public static RunMount parse(String text, Position at, UnaryOperator<String> expand) {
    return parse(text, at, (key, value) -> expand.apply(value));
  }

  /** As above; {@code expand} takes key and value. */
  public static RunMount parse(String text, Position at, BinaryOperator<String> expand) {
    Draft draft = new Draft(at);
    for (String field : fields(text)) {
      int equals = field.indexOf('=');
      String key = (equals < 0 ? field : field.substring(0, equals)).toLowerCase(Locale.ROOT);
      String value = equals < 0 ? null : expand.apply(key, field.substring(equals + 1));
      draft.set(key, value, text);
    }
    return draft.build(text);
  }

  /** Whether the value of a key is a name, which may be any text. */
  public static boolean isName(String key) {
    return NAMES.contains(key);
  }

  /** Cut at commas; double quotes protect them. */
  private static List<String> fields(String text) {
    List<String> fields = new ArrayList<>();
    StringBuilder field = new StringBuilder();
    boolean quoted = false;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"') {
        quoted = !quoted;
      } else if (c == ',' && !quoted) {
        fields.add(field.toString());
        field.setLength(0);
      } else {
        field.append(c);
      }
    }
    fields.add(field.toString());
    return fields;
  }

  /** The fields that were given so far. */
  private static final class Draft {
    private final Position at;
    private Type type = Type.BIND;
    private @Nullable String from;
    private @Nullable String source;
    private @Nullable String target;
    private @Nullable Boolean readOnly;
    private @Nullable String id;
    private @Nullable String sharing;
    private boolean required;
    private @Nullable String environment;
    private int mode = -1;
    private int uid;
    private int gid;
    private long size;

    Draft(Position at) {
      this.at = at;
    }

    void set(String key, @Nullable String value, String text) {
      switch (key) {
        case "ro", "readonly" -> readOnly = flag(key, value);
        case "rw", "readwrite" -> readOnly = !flag(key, value);
        case "required" -> required = flag(key, value);
        case "type" -> type = type(need(key, value));
        case "from" -> from = need(key, value);
        case "source", "src" -> source = need(key, value);
        case "target", "dst", "destination" -> target = need(key, value);
        case "id" -> id = need(key, value);
        case "sharing" -> sharing = need(key, value);
        case "env" -> environment = need(key, value);
        case "mode", "tmpfs-mode" -> mode = number(key, value, 8);
        case "uid" -> uid = number(key, value, 10);
        case "gid" -> gid = number(key, value, 10);
        case "size", "tmpfs-size" -> size = size(need(key, value));
        default -> {
          if (!IGNORED.contains(key)) {
            throw at.problem(
                "unknown key \"" + key + "\" in --mount=" + text + Spelling.hint(key, KEYS, ""));
          }
        }
      }
    }

    private String need(String key, @Nullable String value) {
      if (value == null) {
        throw at.problem("--mount needs a value for " + key + ": " + key + "=VALUE");
      }
      return value;
    }

    private boolean flag(String key, @Nullable String value) {
      return switch (value == null ? "true" : value.toLowerCase(Locale.ROOT)) {
        case "true", "1" -> true;
        case "false", "0" -> false;
        default -> throw at.problem("--mount: " + key + " is true or false, not \"" + value + "\"");
      };
    }

    private Type type(String value) {
      for (Type t : Type.values()) {
        if (t.name().equalsIgnoreCase(value)) {
          return t;
        }
      }
      throw at.problem(
          "--mount: type is bind, cache, tmpfs, secret or ssh, not \""
              + value
              + "\""
              + Spelling.hint(value, List.of("bind", "cache", "tmpfs", "secret", "ssh"), ""));
    }

    private int number(String key, @Nullable String value, int radix) {
      String text = need(key, value);
      if (!text.matches(radix == 8 ? "0?[0-7]{1,4}" : "[0-9]{1,9}")) {
        throw at.problem("--mount: " + key + " is a number, not \"" + text + "\"");
      }
      return Integer.parseInt(text, radix);
    }

    private long size(String text) {
      OptionalLong bytes = ByteSize.parse(text);
      if (bytes.isEmpty()) {
        throw at.problem("--mount: size is bytes, or such as 64m, not \"" + text + "\"");
      }
      if (bytes.getAsLong() == Long.MAX_VALUE) {
        throw at.problem("--mount: size " + text + " is more than any memory");
      }
      return bytes.getAsLong();
    }

    RunMount build(String text) {
      boolean secret = type == Type.SECRET;
      if (target == null && !secret && type != Type.SSH) {
        throw at.problem("--mount=" + text + " needs a target");
      }
      if (sharing != null && type != Type.CACHE) {
        throw at.problem("--mount: sharing is for type=cache");
      }
      String shared = sharing == null ? "shared" : sharing.toLowerCase(Locale.ROOT);
      if (!Set.of("shared", "private", "locked").contains(shared)) {
        throw at.problem("--mount: sharing is shared, private or locked, not \"" + sharing + "\"");
      }
      boolean writable = type == Type.CACHE || type == Type.TMPFS;
      return new RunMount(
          type,
          from,
          source == null ? "" : source,
          target == null ? defaultTarget() : target,
          readOnly == null ? !writable : readOnly,
          identity(text),
          shared,
          required,
          environment,
          mode,
          uid,
          gid,
          size);
    }

    private @Nullable String defaultTarget() {
      return type == Type.SSH
          ? "/run/buildkit/ssh_agent.0"
          : environment != null ? null : "/run/secrets/" + identity("");
    }

    private String identity(String text) {
      if (id != null) {
        return id;
      }
      return switch (type) {
        case CACHE, BIND, TMPFS -> target == null ? "" : target;
        case SSH -> "default";
        case SECRET -> {
          String name = source != null ? source : target;
          if (name == null || name.isEmpty()) {
            throw at.problem("--mount=" + text + " needs an id");
          }
          yield name.substring(name.lastIndexOf('/') + 1);
        }
      };
    }
  }
}
