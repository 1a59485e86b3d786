package slipway.disk.customize;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import slipway.base.Problem;
import slipway.disk.config.DiskConfig;
import slipway.linux.posix.RootedFile;

/**
 * What firewalld lets in, as firewall-offline-cmd(1) writes it: the zone's file in /etc/firewalld,
 * which begins as the image has it (firewalld.zone(5)).
 *
 * @param etc the machine's /etc
 */
record FirewallZones(Path etc) {
  private static final String END = "</zone>";
  private static final String EMPTY =
      "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<zone>\n" + END + "\n";
  private static final String FALLBACK = "public";
  private static final Pattern DEFAULT =
      Pattern.compile("(?m)^DefaultZone=\\s*([A-Za-z0-9_-]+)\\s*$");

  void apply(DiskConfig.Firewall firewall) throws IOException {
    if (firewall.equals(DiskConfig.Firewall.NONE)) {
      return;
    }
    if (file("zones", FALLBACK).isEmpty()) {
      throw Problem.input(
          "the image has no firewalld, which customizations.firewall is for; install it in the"
              + " image");
    }
    for (String service : firewall.enabled()) {
      if (file("services", service).isEmpty()) {
        throw Problem.input(
            "the image's firewalld knows no service \""
                + service
                + "\"; open its ports by customizations.firewall.ports");
      }
    }
    change(defaultZone(), text -> inDefault(text, firewall));
    for (DiskConfig.Firewall.Zone zone : firewall.zones()) {
      change(
          zone.name(),
          text -> {
            String changed = text;
            for (String source : zone.sources()) {
              changed = with(changed, "<source address=\"" + source + "\"/>");
            }
            return changed;
          });
    }
  }

  private static String inDefault(String text, DiskConfig.Firewall firewall) {
    String changed = text;
    for (DiskConfig.Firewall.Port port : firewall.ports()) {
      changed =
          with(
              changed,
              "<port port=\"%s\" protocol=\"%s\"/>".formatted(port.range(), port.protocol()));
    }
    for (String service : firewall.enabled()) {
      changed = with(changed, "<service name=\"" + service + "\"/>");
    }
    for (String service : firewall.disabled()) {
      changed = changed.replaceAll("\\s*<service\\s+name=\"" + service + "\"\\s*/>", "");
    }
    return changed;
  }

  /** With an element, unless it is there. */
  private static String with(String zone, String element) {
    if (zone.contains(element)) {
      return zone;
    }
    int end = zone.lastIndexOf(END);
    return zone.substring(0, end) + "  " + element + "\n" + zone.substring(end);
  }

  private void change(String zone, UnaryOperator<String> how) throws IOException {
    String text = file("zones", zone).orElse(EMPTY);
    if (!text.contains(END)) {
      throw Problem.input("the image's zone \"" + zone + "\" of firewalld has no end");
    }
    String changed = how.apply(text);
    if (!changed.equals(text)) {
      OwnedFiles.write(etc, "firewalld/zones/" + zone + ".xml", changed);
    }
  }

  private String defaultZone() throws IOException {
    Matcher m =
        DEFAULT.matcher(
            OwnedFiles.text(etc, "etc/firewalld/firewalld.conf", RootedFile.Links.BENEATH)
                .orElse(""));
    return m.find() ? m.group(1) : FALLBACK;
  }

  /** A file of firewalld's, of which the machine's own counts before the image's. */
  private Optional<String> file(String folder, String name) throws IOException {
    String path = "firewalld/" + folder + "/" + name + ".xml";
    Optional<String> own = OwnedFiles.text(etc, "etc/" + path, RootedFile.Links.BENEATH);
    return own.isPresent()
        ? own
        : OwnedFiles.text(etc, "usr/lib/" + path, RootedFile.Links.IN_ROOT);
  }
}
