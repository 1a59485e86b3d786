package slipway.builder.language;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import slipway.base.Position;

/** The ports of EXPOSE. */
public final class Ports {
  private static final Pattern PORT =
      Pattern.compile("([0-9]{1,5})(?:-([0-9]{1,5}))?(?:/([a-zA-Z]+))?");

  private Ports() {}

  /** {@code 80}, {@code 80/udp}, {@code 8000-8010/tcp}; each with its protocol. */
  public static List<String> parse(String text, Position at) {
    Matcher m = PORT.matcher(text);
    String protocol =
        m.matches() && m.group(3) != null ? m.group(3).toLowerCase(Locale.ROOT) : "tcp";
    if (!m.matches() || !List.of("tcp", "udp", "sctp").contains(protocol)) {
      throw at.problem(
          "\"" + text + "\" is not a port; write 80, 53/udp, or a range such as 8000-8010");
    }
    int first = Integer.parseInt(m.group(1));
    int last = m.group(2) == null ? first : Integer.parseInt(m.group(2));
    if (last > 65535 || first > last) {
      throw at.problem("\"" + text + "\" is not a range of ports between 0 and 65535");
    }
    List<String> ports = new ArrayList<>();
    for (int p = first; p <= last; p++) {
      ports.add(p + "/" + protocol);
    }
    return ports;
  }
}
