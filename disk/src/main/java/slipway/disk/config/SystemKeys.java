package slipway.disk.config;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Reads what a config says of the machine's keyboard, clock, services and firewall. */
final class SystemKeys {
  private static final ConfigKeys.Form KEYMAP =
      new ConfigKeys.Form("[A-Za-z0-9][A-Za-z0-9_.-]*", "a keymap such as de-latin1");

  /** Those whose modules are in every GRUB that is made here. */
  private static final ConfigKeys.Form TERMINAL =
      new ConfigKeys.Form("console|serial", "console or serial");

  private static final ConfigKeys.Form SERIAL =
      new ConfigKeys.Form(
          "--(unit|speed|port|word|parity|stop)=[a-z0-9]{1,20}( +--(unit|speed|port|word|parity|stop)=[a-z0-9]{1,20}){0,5}",
          "options of GRUB's command serial, such as --unit=0 --speed=115200");

  private static final ConfigKeys.Form HOST =
      new ConfigKeys.Form("[A-Za-z0-9:][A-Za-z0-9.:-]*", "a server's name or address");

  private static final ConfigKeys.Form UNIT =
      new ConfigKeys.Form(
          "(?!\\.)[A-Za-z0-9:_.@\\\\-]{1,200}", "the name of a unit, such as sshd or cups.socket");

  private static final Pattern ENDING =
      Pattern.compile(
          ".*\\.(service|socket|target|timer|path|mount|automount|swap|slice|scope|device)");

  private static final ConfigKeys.Form NAME =
      new ConfigKeys.Form("[A-Za-z0-9_-]+", "letters, digits, - and _");

  private static final ConfigKeys.Form SOURCE =
      new ConfigKeys.Form("[0-9A-Fa-f:.]+(/[0-9.]+)?", "an address such as 192.0.2.0/24");

  private static final Pattern PORT =
      Pattern.compile("([0-9]{1,5})(?:-([0-9]{1,5}))?[:/](tcp|udp|sctp|dccp)");

  private static final int LAST_PORT = 65535;

  private final ConfigKeys keys;

  SystemKeys(ConfigKeys keys) {
    this.keys = keys;
  }

  /** {@code bootloader.grub2}. */
  GrubConsole console(JsonNode c) {
    String at = "customizations.bootloader";
    JsonNode node = keys.object(c, "bootloader", at);
    keys.known(node, at, "grub2");
    String grub = at + ".grub2";
    JsonNode inner = keys.object(node, "grub2", grub);
    keys.known(inner, grub, "terminal_input", "terminal_output", "serial");
    String serial = keys.string(inner, "serial", grub + ".serial");
    return new GrubConsole(
        keys.strings(inner, "terminal_input", grub, TERMINAL),
        keys.strings(inner, "terminal_output", grub, TERMINAL),
        // It may be given as the whole command, as in /etc/default/grub.
        keys.checked(
            serial == null ? null : serial.strip().replaceFirst("^serial +", ""),
            SERIAL,
            grub + ".serial"));
  }

  /** {@code locale.keyboard}, or null. */
  @Nullable String keymap(JsonNode c) {
    String at = "customizations.locale.keyboard";
    return keys.checked(keys.string(c.path("locale"), "keyboard", at), KEYMAP, at);
  }

  /** {@code timezone.ntpservers}. */
  List<String> timeServers(JsonNode c) {
    return keys.strings(c.path("timezone"), "ntpservers", "customizations.timezone", HOST);
  }

  /** {@code [customizations.services]}. */
  DiskConfig.Services services(JsonNode c) {
    String at = "customizations.services";
    JsonNode node = keys.object(c, "services", at);
    keys.known(node, at, "enabled", "disabled", "masked");
    List<String> enabled = units(node, "enabled", at);
    List<String> disabled = units(node, "disabled", at);
    List<String> masked = units(node, "masked", at);
    for (String unit : enabled) {
      if (disabled.contains(unit) || masked.contains(unit)) {
        throw keys.wrong(
            at + ".enabled", at + ": " + unit + " cannot be enabled, and disabled or masked");
      }
    }
    return new DiskConfig.Services(enabled, disabled, masked);
  }

  private List<String> units(JsonNode node, String key, String at) {
    return keys.strings(node, key, at, UNIT).stream()
        .map(name -> ENDING.matcher(name).matches() ? name : name + ".service")
        .distinct()
        .toList();
  }

  /** {@code [customizations.firewall]}. */
  DiskConfig.Firewall firewall(JsonNode c) {
    String at = "customizations.firewall";
    JsonNode node = keys.object(c, "firewall", at);
    keys.known(node, at, "ports", "services", "zones");
    List<DiskConfig.Firewall.Port> ports = new ArrayList<>();
    for (String text : keys.strings(node, "ports", at + ".ports")) {
      ports.add(port(text, at + ".ports"));
    }
    String services = at + ".services";
    JsonNode inner = keys.object(node, "services", services);
    keys.known(inner, services, "enabled", "disabled");
    List<DiskConfig.Firewall.Zone> zones = new ArrayList<>();
    keys.each(node, "zones", at + ".zones", (n, where) -> zones.add(zone(n, where)));
    return new DiskConfig.Firewall(
        ports,
        keys.strings(inner, "enabled", services, NAME),
        keys.strings(inner, "disabled", services, NAME),
        zones);
  }

  private DiskConfig.Firewall.Zone zone(JsonNode n, String at) {
    keys.known(n, at, "name", "sources");
    String name = keys.required(n, "name", at);
    keys.checked(name, NAME, at + ".name");
    return new DiskConfig.Firewall.Zone(name, keys.strings(n, "sources", at, SOURCE));
  }

  private DiskConfig.Firewall.Port port(String text, String at) {
    Matcher m = PORT.matcher(text);
    int first = m.matches() ? Integer.parseInt(m.group(1)) : 0;
    int last = first > 0 && m.group(2) != null ? Integer.parseInt(m.group(2)) : first;
    if (first == 0 || last < first || last > LAST_PORT) {
      throw keys.wrong(
          at,
          at
              + ": \""
              + text
              + "\" is not a port; expected one such as 443:tcp or 8000-8010:udp, in numbers");
    }
    return new DiskConfig.Firewall.Port(
        first == last ? m.group(1) : m.group(1) + "-" + m.group(2), m.group(3));
  }
}
