package slipway.disk.customize;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.base.Problem;
import slipway.disk.config.DiskConfig;
import slipway.linux.process.Command;

/** What a config does to the folders of a deployment. */
class CustomizerTest {
  private static final String BOOT = "UUID=1-2 /boot ext4 defaults 0 2\n";

  @TempDir Path root;
  private Path etc;
  private Path var;

  @BeforeEach
  void makeMachine() throws Exception {
    etc = Files.createDirectories(root.resolve("etc"));
    var = Files.createDirectories(root.resolve("var"));
    Files.writeString(etc.resolve("passwd"), "root:x:0:0:root:/root:/bin/sh\n");
    Files.writeString(etc.resolve("group"), "root:x:0:\n");
  }

  private void apply(DiskConfig config) throws Exception {
    new Customizer(etc, var).apply(config, List.of(BOOT.strip()), LocalDate.EPOCH);
  }

  private static DiskConfig parse(Path directory, String text) throws Exception {
    return DiskConfig.parse(Files.writeString(directory.resolve("config.toml"), text));
  }

  @Test
  void namesThatAreNoTextStay() throws Exception {
    byte[] odd = "/dev/sdb /srv/caf\u00e9 ext4 defaults 0 2\n".getBytes(ISO_8859_1);
    Files.write(etc.resolve("fstab"), odd);
    apply(DiskConfig.EMPTY);
    assertThat(Files.readAllBytes(etc.resolve("fstab"))).startsWith(odd);
  }

  @Test
  void aCarriageReturnMakesNoSecondMount() throws Exception {
    String odd = "/dev/sdb /data\r/dev/sdc /etc ext4 defaults 0 2\n";
    Files.writeString(etc.resolve("fstab"), odd);
    apply(DiskConfig.EMPTY);
    assertThat(Files.readString(etc.resolve("fstab"))).isEqualTo(odd + BOOT);
  }

  /** Room for swapping is at no place, so none takes the place of another. */
  @Test
  void swapTakesNothingAway() throws Exception {
    String before = "# a comment\nUUID=7 none swap sw 0 0\n";
    Files.writeString(etc.resolve("fstab"), before);
    String swap = "UUID=8 none swap defaults 0 0";
    new Customizer(etc, var).apply(DiskConfig.EMPTY, List.of(swap), LocalDate.EPOCH);
    assertThat(Files.readString(etc.resolve("fstab"))).isEqualTo(before + swap + "\n");
  }

  @Test
  void bootIsInFstabOnce() throws Exception {
    Files.writeString(
        etc.resolve("fstab"),
        """
        # UNCONFIGURED FSTAB FOR BASE SYSTEM
        # /dev/sda1 /boot stays, it is a comment
        UUID=1 /boot ext4 defaults 0 2
        LABEL=x\t/boot/ xfs ro 0 0
        /dev/sdb /data ext4 defaults 0 2
        """);
    apply(DiskConfig.EMPTY);
    assertThat(etc.resolve("fstab"))
        .content()
        .isEqualTo(
            "# /dev/sda1 /boot stays, it is a comment\n/dev/sdb /data ext4 defaults 0 2\n" + BOOT);
    apply(DiskConfig.EMPTY);
    assertThat(etc.resolve("fstab")).content().containsOnlyOnce("/boot ext4");
  }

  @Test
  void anEtcThatIsALinkIsNotWrittenThrough() throws Exception {
    Path outside = Files.createDirectory(root.resolve("outside"));
    Command.of("rm", "-r", etc.toString()).run();
    Files.createSymbolicLink(etc, outside);
    assertThatThrownBy(() -> apply(DiskConfig.EMPTY)).isInstanceOf(Problem.class);
    assertThat(outside).isEmptyDirectory();
  }

  /** Folders, other files and links out of the image are no time zones. */
  @ParameterizedTest
  @ValueSource(strings = {"Europe", "tzdata", "Europe/Out", "Mars/Olympus", "Europe/Pipe"})
  void whatIsNoTimeZoneIsRefused(String zone) throws Exception {
    Path zones = Files.createDirectories(root.resolve("usr/share/zoneinfo/Europe"));
    Files.writeString(zones.resolve("Berlin"), "TZif2");
    Files.createSymbolicLink(zones.resolve("Link"), Path.of("/usr/share/zoneinfo/Europe/Berlin"));
    Files.writeString(zones.resolveSibling("tzdata"), "# version 2026a\n");
    Path outside = Files.writeString(root.resolve("zone"), "TZif2");
    Files.createSymbolicLink(zones.resolve("Out"), outside);
    Command.of("mkfifo", zones.resolve("Pipe").toString()).run();
    String text = "[customizations.timezone]\ntimezone = \"%s\"\n";
    DiskConfig wrong = parse(root, text.formatted(zone));
    assertThatThrownBy(() -> apply(wrong))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("no time zone \"" + zone + "\"");
    for (String good : List.of("Europe/Berlin", "Europe/Link")) {
      apply(parse(root, text.formatted(good)));
      assertThat(Files.readSymbolicLink(etc.resolve("localtime")))
          .hasToString("../usr/share/zoneinfo/" + good);
    }
  }

  @Test
  void theClockIsSetByTheServersThatAreNamed() throws Exception {
    String text = "[customizations.timezone]\nntpservers = [\"a.example\", \"192.0.2.1\"]\n";
    DiskConfig config = parse(root, text);
    assertThatThrownBy(() -> apply(config))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("neither chrony nor systemd-timesyncd");
    Path daemon = root.resolve("usr/lib/systemd/systemd-timesyncd");
    Files.createDirectories(daemon.getParent());
    Files.writeString(daemon, "x");
    Files.writeString(
        Files.createDirectories(etc.resolve("chrony")).resolve("chrony.conf"),
        "pool debian.pool.ntp.org iburst\ndriftfile /var/lib/chrony/drift\n");
    apply(config);
    assertThat(etc.resolve("systemd/timesyncd.conf.d/90-slipway.conf"))
        .hasContent("[Time]\nNTP=\nNTP=a.example 192.0.2.1\n");
    assertThat(etc.resolve("chrony/chrony.conf"))
        .hasContent(
            "driftfile /var/lib/chrony/drift\nserver a.example iburst\nserver 192.0.2.1 iburst\n");
  }

  @Test
  void theKeyboardIsTheConsolesAndDebians() throws Exception {
    DiskConfig config = parse(root, "[customizations.locale]\nkeyboard = \"de-latin1\"\n");
    Files.writeString(etc.resolve("vconsole.conf"), "FONT=x\nKEYMAP=us\n");
    apply(config);
    assertThat(etc.resolve("vconsole.conf")).hasContent("FONT=x\nKEYMAP=de-latin1\n");
    assertThat(etc.resolve("default")).doesNotExist();
    Path debians = Files.createDirectories(etc.resolve("default")).resolve("keyboard");
    Files.writeString(debians, "XKBMODEL=\"pc105\"\nXKBLAYOUT=\"us\"\n");
    apply(config);
    assertThat(debians).hasContent("XKBMODEL=\"pc105\"\nXKBLAYOUT=\"de\"\n");
  }

  @Test
  void aFileOverAFolderAndAFolderOverAFileAreTold() throws Exception {
    Files.createDirectories(etc.resolve("app/conf"));
    Files.writeString(etc.resolve("app/file"), "");
    DiskConfig file = parse(root, "[[customizations.files]]\npath = \"/etc/app/conf\"\n");
    assertThatThrownBy(() -> apply(file))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("conf in app")
        .hasMessageContaining("folder");
    DiskConfig folder = parse(root, "[[customizations.directories]]\npath = \"/etc/app/file\"\n");
    assertThatThrownBy(() -> apply(folder))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("/etc/app/file");
    DiskConfig below = parse(root, "[[customizations.files]]\npath = \"/etc/app/file/x\"\n");
    assertThatThrownBy(() -> apply(below))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("file is a link or a file");
  }
}
