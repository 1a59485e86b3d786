package slipway.disk.customize;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import slipway.base.Problem;
import slipway.base.RawText;
import slipway.linux.posix.RootedFile;

/**
 * The servers that a machine's clock is set by, for whichever of chrony and systemd-timesyncd its
 * image has.
 *
 * @param etc the machine's /etc
 */
record TimeServers(Path etc) {
  private static final List<String> CHRONY = List.of("chrony.conf", "chrony/chrony.conf");
  private static final Pattern SOURCE = Pattern.compile("\\s*(server|pool|peer|sourcedir)\\s.*");
  private static final String TIMESYNCD = "usr/lib/systemd/systemd-timesyncd";

  /** Later than what images bring. */
  private static final String DROP_IN = "systemd/timesyncd.conf.d/90-slipway.conf";

  void apply(List<String> servers) throws IOException {
    if (servers.isEmpty()) {
      return;
    }
    boolean done = false;
    for (String file : CHRONY) {
      Optional<String> there = OwnedFiles.text(etc, "etc/" + file, RootedFile.Links.BENEATH);
      if (there.isPresent()) {
        OwnedFiles.write(etc, file, chrony(there.get(), servers));
        done = true;
      }
    }
    if (OwnedFiles.has(etc, TIMESYNCD)) {
      // An empty list first, for lists add up.
      String list = "[Time]\nNTP=\nNTP=" + String.join(" ", servers) + "\n";
      OwnedFiles.write(etc, DROP_IN, list);
      done = true;
    }
    if (!done) {
      throw Problem.input(
          "the image has neither chrony nor systemd-timesyncd, which"
              + " customizations.timezone.ntpservers is for; install one in it");
    }
  }

  private static String chrony(String text, List<String> servers) {
    StringBuilder changed = new StringBuilder();
    RawText.lines(text).stream()
        .filter(line -> !SOURCE.matcher(line).matches())
        .forEach(line -> changed.append(line).append('\n'));
    servers.forEach(server -> changed.append("server ").append(server).append(" iburst\n"));
    return changed.toString();
  }
}
