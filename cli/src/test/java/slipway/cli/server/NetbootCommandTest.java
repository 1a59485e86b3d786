package slipway.cli.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;
import slipway.cli.Ran;
import slipway.linux.process.Command;

class NetbootCommandTest {
  @TempDir Path dir;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          netboot                                  | which netboot command? there is: slipway netboot
          netboot serve --dhcp all DIR             | --dhcp takes none, proxy or print, not "all"
          netboot serve --bind localhost DIR       | --bind takes an address such as 192.0.2.1, not
          netboot serve --bind 999.1.1.1 DIR       | --bind takes an address such as 192.0.2.1, not
          netboot serve --server ::1 DIR           | machines start from the network by IPv4
          netboot serve --server 0.0.0.0 DIR       | machines start from the network by IPv4
          netboot serve --http-port 70000 DIR      | 70000 is no port; there are 0 to 65535
          netboot serve --max-connections 0 DIR    | --max-connections must be at least 1, not 0
          netboot serve --dhcp proxy --no-tftp DIR | --dhcp proxy names files that firmware loads by
          netboot serve --bind 127.0.0.1 DIR/none  | there is no folder DIR/none to serve
          """)
  void whatCannotBeServedIsRefused(String line, String sentence) {
    Ran ran = Ran.of("slipway", List.of(), line.replace("DIR", dir.toString()).split(" +"));
    assertThat(ran.status()).isIn(1, 2);
    assertThat(ran.err()).contains(sentence.replace("DIR", dir.toString()));
  }

  @Test
  void tellsWhereItServesAndWhat() throws Exception {
    Files.writeString(dir.resolve("file"), "served");
    StringWriter out = new StringWriter();
    String[] words =
        ("--bind 127.0.0.1 --http-port 0 --tftp-port 0 --dhcp proxy --dhcp-port 0 --pxe-port 0"
                + " --json "
                + dir)
            .split(" ");
    String told = served(words, out, "\"protocol\":\"http\"");
    assertThat(told.lines().findFirst().orElseThrow())
        .matches(
            "\\{\"event\":\"listening\",\"http\":\"http://127.0.0.1:\\d+/\",\"tftp\":\\d+,"
                + "\"dhcp\":\\[\\d+,\\d+]}");
    assertThat(told.lines().toList().get(1))
        .matches(
            "\\{\"event\":\"served\",\"protocol\":\"http\",\"client\":\"127.0.0.1\","
                + "\"file\":\"/file\",\"result\":\"200\",\"bytes\":6,\"seconds\":[0-9.E-]+}");
  }

  @Test
  void printsWhatOtherServersMustSayAndInAPipeNothingElse() throws Exception {
    Files.writeString(dir.resolve("file"), "served");
    StringWriter out = new StringWriter();
    String[] words = ("--bind 127.0.0.1 --http-port 0 --no-tftp --dhcp print " + dir).split(" ");
    assertThat(served(words, out, "# Kea"))
        .contains("# dnsmasq", "# ISC dhcpd")
        // A line of the file that was asked for; the folder's name may have any number.
        .doesNotContain("/file");
  }

  /** What it prints until it was asked for a file, and has printed this. */
  private static String served(String[] words, StringWriter out, String last)
      throws IOException, InterruptedException {
    CommandLine command = new CommandLine(new NetbootCommand.Serve());
    command.setOut(new PrintWriter(out, true));
    // It is interrupted at the end.
    command.setExecutionExceptionHandler((e, c, result) -> 1);
    Thread serving = Thread.ofPlatform().start(() -> command.execute(words));
    try {
      Pattern url = Pattern.compile("http://127.0.0.1:\\d+/");
      await().until(() -> url.matcher(out.toString()).find());
      Matcher found = url.matcher(out.toString());
      assertThat(found.find()).isTrue();
      assertThat(Command.of("curl", "-sS", found.group() + "file").output()).isEqualTo("served");
      await().until(() -> out.toString().contains(last));
    } finally {
      serving.interrupt();
      serving.join();
    }
    return out.toString();
  }
}
