package slipway.media.kickstart;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** What an option takes, and what value that becomes. */
enum ValueKind {
  FLAG(false),
  OFF(false),
  CONST(false),
  ADDS(false),
  TEXT,
  TEXTS,
  NUMBER,
  LIST,
  LISTS,
  BOOLEAN,
  CHOICE,
  MAYBE,
  /** A mount point, or a word such as swap. */
  PATH,
  /** A partition, with or without /dev/. */
  DEVICE,
  /** The name of an array; RHEL 9 takes it without its first letters. */
  MD,
  RAID_LEVEL,
  BTRFS_LEVEL,
  AUTOPART_TYPE,
  SNAPSHOT_TIME,
  /** Devices of a team, each perhaps with its settings as JSON in quotes. */
  TEAM,
  /** Ports by commas, each with its protocol. */
  PORTS;

  private static final Set<String> YES = Set.of("on", "yes", "true", "1");
  private static final Set<String> NO = Set.of("off", "no", "false", "0");
  private static final Set<String> RAID_LEVELS =
      Set.of("RAID0", "RAID1", "RAID4", "RAID5", "RAID6", "RAID10");
  private static final Map<String, String> BTRFS_LEVELS =
      Map.of(
          "raid0", "raid0", "0", "raid0", "raid1", "raid1", "1", "raid1", "raid10", "raid10", "10",
          "raid10", "single", "single");
  private static final Map<String, String> AUTOPART_TYPES =
      Map.of(
          "lvm", "lvm", "btrfs", "btrfs", "plain", "plain", "partition", "plain", "thinp", "thinp");
  private static final Set<String> SNAPSHOT_TIMES = Set.of("post-install", "pre-install");

  private final boolean takesValue;

  ValueKind() {
    this(true);
  }

  ValueKind(boolean takesValue) {
    this.takesValue = takesValue;
  }

  boolean takesValue() {
    return takesValue;
  }

  /** Whether another use of the option adds to what it had. */
  boolean adds() {
    return switch (this) {
      case ADDS, TEXTS, LISTS, PORTS -> true;
      default -> false;
    };
  }

  /**
   * The value of a text: a String, Boolean, BigInteger or a list of Strings.
   *
   * @param option for messages
   * @throws KickstartFault when it is none
   */
  Object read(OptionSyntax option, String text, KickstartVersion version) throws KickstartFault {
    return switch (this) {
      case NUMBER -> number(option, text);
      case BOOLEAN -> truth(option, text);
      case CHOICE -> choice(option, text);
      case LIST, LISTS -> PythonText.commas(text);
      case TEXTS -> List.of(text);
      case PORTS -> ports(text);
      case PATH -> text.startsWith("/") ? PythonText.path(text) : text;
      case DEVICE -> text.startsWith("/dev/") ? text.substring("/dev/".length()) : text;
      case MD ->
          version == KickstartVersion.RHEL9 && text.startsWith("md") ? text.substring(2) : text;
      case RAID_LEVEL -> raidLevel(text);
      case BTRFS_LEVEL -> known(BTRFS_LEVELS, text, "Invalid btrfs level: ");
      case AUTOPART_TYPE -> known(AUTOPART_TYPES, text, "Invalid autopart type: ");
      case SNAPSHOT_TIME -> {
        String lower = text.toLowerCase(Locale.ROOT);
        if (!SNAPSHOT_TIMES.contains(lower)) {
          throw new KickstartFault("Invalid parameter to --when= argument: " + text);
        }
        yield lower;
      }
      default -> text;
    };
  }

  private static BigInteger number(OptionSyntax option, String text) throws KickstartFault {
    BigInteger number = PythonText.integer(text).orElse(null);
    if (number == null) {
      throw option.fault("invalid int value: " + PythonText.repr(text));
    }
    return number;
  }

  private static Boolean truth(OptionSyntax option, String text) throws KickstartFault {
    String lower = text.toLowerCase(Locale.ROOT);
    if (!YES.contains(lower) && !NO.contains(lower)) {
      throw option.fault("invalid boolean value: " + PythonText.repr(text));
    }
    return YES.contains(lower);
  }

  private static String choice(OptionSyntax option, String text) throws KickstartFault {
    if (!option.choices().contains(text)) {
      String choices = PythonText.repr(option.choices());
      throw option.fault(
          "invalid choice: "
              + PythonText.repr(text)
              + " (choose from "
              + choices.substring(1, choices.length() - 1)
              + ")");
    }
    return text;
  }

  private static List<String> ports(String text) {
    List<String> ports = new ArrayList<>();
    for (String part : text.split(",", -1)) {
      String port = PythonText.strip(part);
      ports.add(port.contains(":") ? port : port + ":tcp");
    }
    return ports;
  }

  private static String raidLevel(String text) throws KickstartFault {
    String upper = text.toUpperCase(Locale.ROOT);
    String level = upper.startsWith("RAID") ? upper : "RAID" + upper;
    if (!RAID_LEVELS.contains(level)) {
      throw new KickstartFault("Invalid raid level: " + text);
    }
    return level;
  }

  private static String known(Map<String, String> words, String text, String message)
      throws KickstartFault {
    String word = words.get(text.toLowerCase(Locale.ROOT));
    if (word == null) {
      throw new KickstartFault(message + text);
    }
    return word;
  }
}
