package slipway.media.kickstart;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * What commands demand beyond their options, in the words and the order of pykickstart. Those about
 * disks are {@link StorageRules}.
 */
final class CommandRules {
  private static final String ARGUMENT = "A single argument is expected for the %s command";

  private CommandRules() {}

  /**
   * Checks a command, and completes its values.
   *
   * @param warnings what is said of one that is taken
   */
  static void check(CommandUse use, Consumer<String> warnings) throws KickstartFault {
    if (StorageRules.check(use)) {
      return;
    }
    switch (use.syntax().name()) {
      case "auth" ->
          warnings.accept("The authconfig command will be deprecated, use authselect instead.");
      case "cmdline" -> displayMode(use);
      case "driverdisk" -> driverDisk(use);
      case "eula" -> eula(use);
      case "iscsiname", "lang", "sshkey" -> use.refuseRest(use.name());
      case "keyboard" -> keyboard(use);
      case "logging" ->
          use.require(
              !use.values().isSet("port") || use.values().isSet("host"),
              "Can't specify --port without --host.",
              "port");
      case "module" -> loose(use, "The enable module command does not take position arguments!");
      case "network" -> network(use);
      case "ostreesetup" -> ostreeSetup(use);
      case "realm" -> RealmRules.check(use);
      case "repo" -> oneOf(use, false, "mirrorlist", "baseurl", "metalink");
      case "rescue" ->
          use.require(
              !use.values().flag("nomount") || !use.values().flag("romount"),
              "Only one of --nomount and --romount may be specified for rescue command.",
              "romount");
      case "rhsm" ->
          use.require(
              !use.values().list("activation-key").contains(""),
              "Empty string is not a valid activation key.",
              "activation-key");
      case "rootpw" -> rootPassword(use);
      case "services" ->
          use.require(
              use.values().isSet("disabled") || use.values().isSet("enabled"),
              "One of --disabled or --enabled must be provided.",
              "enabled");
      case "sshpw" -> installerPassword(use);
      case "syspurpose" -> loose(use, "The syspurpose command does not take positional arguments!");
      case "timesource" -> oneOf(use, true, "ntp-server", "ntp-pool", "ntp-disable");
      case "timezone" -> timezone(use, warnings);
      case "url" -> oneOf(use, true, "mirrorlist", "url", "metalink");
      default -> {}
    }
  }

  private static void displayMode(CommandUse use) throws KickstartFault {
    use.require(
        !use.name().equals("cmdline") || !use.values().flag("non-interactive"),
        "Kickstart command cmdline does not support --non-interactive parameter",
        "non-interactive");
  }

  private static void driverDisk(CommandUse use) throws KickstartFault {
    OptionValues values = use.values();
    String end = " may be specified for driverdisk command.";
    use.require(values.list("partition").size() <= 1, "Only one partition" + end, "partition");
    use.refuseRest("driverdisk");
    boolean partition = values.isSet("partition");
    boolean source = values.isSet("source");
    boolean bios = values.isSet("biospart");
    use.require(!partition || !source, "Only one of --source and partition" + end, "source");
    use.require(!partition || !bios, "Only one of --biospart and partition" + end, "biospart");
    use.require(!source || !bios, "Only one of --biospart and --source" + end, "source");
    use.require(
        partition || source || bios,
        "One of --source, --biospart, or partition must be specified for driverdisk command.",
        "");
  }

  private static void eula(CommandUse use) throws KickstartFault {
    loose(use, "Kickstart command eula does not take any arguments");
    use.require(
        use.values().flag("agreed"), "Kickstart command eula expects the --agreed option", "");
  }

  private static void loose(CommandUse use, String message) throws KickstartFault {
    if (!use.rest().isEmpty()) {
      KickstartWord first = use.rest().getFirst();
      throw new KickstartFault(
          message, first.index(), ArgumentReader.hint(use.syntax(), first.text(), use.version()));
    }
  }

  private static void keyboard(CommandUse use) throws KickstartFault {
    OptionValues values = use.values();
    use.require(values.list("kbd").size() <= 1, ARGUMENT.formatted("keyboard"), "kbd");
    use.refuseRest("keyboard");
    use.require(
        values.isSet("kbd") || values.isSet("vckeymap") || values.isSet("xlayouts"),
        "One of --xlayouts, --vckeymap options with value(s) or argument is expected for the"
            + " keyboard command",
        "");
  }

  private static void network(CommandUse use) throws KickstartFault {
    OptionValues values = use.values();
    if (values.isSet("bridgeopts")) {
      use.require(
          values.isSet("bridgeslaves"),
          "Option --bridgeopts requires --bridgeslaves to be specified",
          "bridgeopts");
      for (String option : values.textOr("bridgeopts", "").split(",", -1)) {
        int equals = option.indexOf('=');
        String value = equals < 0 ? "" : option.substring(equals + 1);
        use.require(
            !value.isEmpty() && !value.contains("="),
            "Bad format of --bridgeopts, expecting key=value options separated by ','",
            "bridgeopts");
      }
    }
    use.require(
        !values.has("bindto") || !values.isSet("vlanid") || values.isSet("bondopts"),
        "--bindto=mac is not supported for this type of device",
        "bindto");
    for (String option :
        List.of(
            "ipv4-dns-search", "ipv6-dns-search", "ipv4-ignore-auto-dns", "ipv6-ignore-auto-dns")) {
      use.require(
          values.isSet("device") || !values.isSet(option),
          "Option --" + option + " requires --device to be specified",
          option);
    }
  }

  private static void ostreeSetup(CommandUse use) throws KickstartFault {
    String url = use.values().textOr("url", "");
    use.require(
        url.startsWith("file:") || url.startsWith("http:") || url.startsWith("https:"),
        "ostree repos must use file, HTTP or HTTPS protocol.",
        "url");
  }

  /** Options of which one alone may be given; the dash too many is pykickstart's. */
  private static void oneOf(CommandUse use, boolean needed, String... options)
      throws KickstartFault {
    List<String> all = new ArrayList<>();
    List<String> used = new ArrayList<>();
    for (String option : options) {
      all.add("--" + option);
      if (use.values().isSet(option)) {
        used.add("--" + option);
      }
    }
    String command = " for " + use.syntax().name() + " command.";
    use.require(
        !needed || !used.isEmpty(),
        "One of -" + String.join(", ", all) + " options must be specified" + command,
        "");
    use.require(
        used.size() <= 1,
        "Only one of " + String.join(", ", used) + " options may be specified" + command,
        used.isEmpty() ? "" : used.getLast().substring(2));
  }

  private static void rootPassword(CommandUse use) throws KickstartFault {
    use.require(
        use.values().isSet("password") || use.values().flag("lock"),
        ARGUMENT.formatted("rootpw"),
        "");
    use.refuseRest("rootpw");
  }

  private static void installerPassword(CommandUse use) throws KickstartFault {
    use.require(use.values().isSet("password"), ARGUMENT.formatted("sshpw"), "");
    use.refuseRest("sshpw");
  }

  private static void timezone(CommandUse use, Consumer<String> warnings) throws KickstartFault {
    OptionValues values = use.values();
    use.require(
        !use.words().isEmpty(),
        "At least one option and/or an argument are expected for the timezone command",
        "");
    use.require(
        values.list("timezone").size() <= 1,
        "One or zero arguments are expected for the timezone command",
        "timezone");
    use.require(
        !values.isSet("ntpservers") || !values.flag("nontp"),
        "Options --nontp and --ntpservers are mutually exclusive",
        "nontp");
    if (use.version() != KickstartVersion.RHEL9) {
      return;
    }
    String future =
        " will be deprecated in future releases. Please modify your kickstart file to replace this"
            + " option with ";
    if (use.words().stream().anyMatch(word -> word.text().equals("--isUtc"))) {
      warnings.accept("The option --isUtc" + future + "its preferred alias --utc.");
    }
    if (values.isSet("ntpservers")) {
      warnings.accept(
          "The option --ntpservers"
              + future
              + "timesource --ntp-server <server hostname> command invocation, one per NTP server.");
    }
    if (values.flag("nontp")) {
      warnings.accept(
          "The option --nontp" + future + "timesource --ntp-disable command invocation.");
    }
  }
}
