package slipway.disk.customize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import slipway.base.Problem;
import slipway.disk.config.DiskConfig;
import slipway.linux.process.Command;

/** Held against systemctl. */
class EnabledUnitsTest {
  @TempDir Path root;
  private Path etc;
  private Path units;

  @BeforeEach
  void makeImage() throws Exception {
    etc = Files.createDirectories(root.resolve("etc"));
    units = Files.createDirectories(root.resolve("usr/lib/systemd/system"));
    unit(
        "web.service", "[Install]\nWantedBy=multi-user.target graphical.target\nAlias=www.service");
    unit("web.socket", "[Install]\nWantedBy=sockets.target\nAlso=web.service");
    unit("getty@.service", "[Install]\nWantedBy=getty.target\n");
    unit("req.service", "[Install]\nRequiredBy=\\\n  basic.target\nWantedBy=a\nWantedBy=\n");
    unit("static.service", "[Service]\nExecStart=/bin/true\nWantedBy=no.target\n");
    unit(
        "hostile.service",
        "[Install]\nWantedBy=../../../x.target\nAlias=/etc/passwd a/b.service\n");
    Files.createSymbolicLink(units.resolve("http.service"), Path.of("web.service"));
    Files.createSymbolicLink(units.resolve("gone.service"), Path.of("/dev/null"));
  }

  private void unit(String name, String text) throws Exception {
    Files.writeString(units.resolve(name), "[Unit]\nDescription=x\n" + text + "\n");
  }

  private void apply(List<String> enabled, List<String> disabled, List<String> masked)
      throws Exception {
    new EnabledUnits(etc).apply(new DiskConfig.Services(enabled, disabled, masked));
  }

  private String state(String unit) {
    return Command.of("systemctl", "--root=" + root, "is-enabled", unit).tryRun().text().strip();
  }

  /** All links below a folder, with what they lead to. */
  private static List<String> links(Path root) {
    return Command.of("find", root.toString(), "-type", "l", "-printf", "%P %l\\n")
        .output()
        .lines()
        .sorted()
        .toList();
  }

  @ParameterizedTest
  @CsvSource({"web.service", "web.socket", "getty@tty1.service", "req.service"})
  void unitsAreEnabledAndDisabledAsSystemctlDoesIt(String name) throws Exception {
    Path copy = root.resolveSibling("systemctl");
    Command.of("cp", "-a", root.toString(), copy.toString()).run();
    Command.of("systemctl", "--root=" + copy, "enable", name).run();
    apply(List.of(name), List.of(), List.of());
    assertThat(links(root)).isEqualTo(links(copy));
    assertThat(state(name)).isEqualTo("enabled");
    assertThat(etc.resolve("systemd/system-preset/00-slipway.preset")).hasContent("enable " + name);
    apply(List.of(), List.of(name), List.of());
    Command.of("systemctl", "--root=" + copy, "disable", name).run();
    assertThat(links(root)).isEqualTo(links(copy));
    assertThat(state(name)).isEqualTo("disabled");
    Command.of("rm", "-r", copy.toString()).run();
  }

  /** The presets of the image are applied at the first start, and ours come before them. */
  @Test
  void presetsDoNotUndoIt() throws Exception {
    Path presets = Files.createDirectories(root.resolve("usr/lib/systemd/system-preset"));
    Files.writeString(presets.resolve("20-image.preset"), "enable web.service\ndisable *\n");
    apply(List.of("req.service"), List.of("http.service"), List.of());
    Command.of("systemctl", "--root=" + root, "preset-all").run();
    assertThat(state("web.service")).isEqualTo("disabled");
    assertThat(state("req.service")).isEqualTo("enabled");
  }

  @Test
  void maskedUnitsLeadNowhere() throws Exception {
    apply(List.of(), List.of(), List.of("web.service", "absent.timer"));
    assertThat(state("web.service")).isEqualTo("masked");
    assertThat(etc.resolve("systemd/system/absent.timer")).isSymbolicLink();
    assertThatThrownBy(() -> apply(List.of("web.service"), List.of(), List.of()))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("no unit \"web.service\" that is not masked");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          wbe.service    | no unit "wbe.service" that is not masked; did you mean web.service?
          gone.service   | no unit "gone.service" that is not masked
          static.service | static.service cannot be enabled: it has no [Install]
          hostile.service | hostile.service cannot be enabled
          """)
  void whatCannotBeEnabledIsTold(String name, String words) {
    assertThatThrownBy(() -> apply(List.of(name), List.of(), List.of()))
        .isInstanceOf(Problem.class)
        .hasMessageContaining(words);
    assertThat(links(etc)).isEmpty();
  }

  @Test
  void noLinkOfTheImageIsFollowed() throws Exception {
    Path outside = Files.createDirectory(root.resolve("outside"));
    Files.createDirectories(etc.resolve("systemd/system"));
    Files.createSymbolicLink(etc.resolve("systemd/system/multi-user.target.wants"), outside);
    assertThatThrownBy(() -> apply(List.of("web.service"), List.of(), List.of()))
        .isInstanceOf(Problem.class);
    assertThat(outside).isEmptyDirectory();
    Files.writeString(etc.resolve("systemd/system/own.service"), "[Unit]\n");
    assertThatThrownBy(() -> apply(List.of(), List.of(), List.of("own.service")))
        .hasMessageContaining("has a file /etc/systemd/system/own.service");
    assertThat(Files.exists(etc.resolve("systemd/system/own.service"), LinkOption.NOFOLLOW_LINKS))
        .isTrue();
  }

  /** Not even the guess which unit was meant looks at this machine's. */
  @Test
  void linksLeadNowhereElse(@TempDir Path elsewhere) throws Exception {
    Path outside = Files.createDirectories(elsewhere.resolve("system/outside.service"));
    Path local = Files.createDirectories(root.resolve("usr/local/lib"));
    Files.createSymbolicLink(local.resolve("systemd"), elsewhere);
    assertThat(local.resolve("systemd/system/outside.service").toRealPath()).isEqualTo(outside);
    assertThatThrownBy(() -> apply(List.of("outsid.service"), List.of(), List.of()))
        .isInstanceOf(Problem.class)
        .hasMessage("the image has no unit \"outsid.service\" that is not masked");
  }
}
