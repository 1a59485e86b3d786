package slipway.media.kickstart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import slipway.base.Problem;
import slipway.linux.process.Command;

/** Values and places of what a file says; KickstartVerdictTest has the verdicts. */
class KickstartParserTest {
  @TempDir Path dir;

  private static KickstartFile read(String text) {
    return Verdict.read(text, KickstartVersion.F45);
  }

  private static <T extends KickstartCommand> T only(String text, Class<T> kind) {
    KickstartFile file = read(text);
    assertThat(file.findings()).filteredOn(KickstartFinding::isError).isEmpty();
    return file.all(kind).findFirst().orElseThrow();
  }

  private static List<String> told(KickstartFile file) {
    return file.findings().stream()
        .map(f -> f.at().line() + ":" + f.at().column() + " " + f.message())
        .toList();
  }

  @Test
  void everyCommandOfTheTableIsKnownInItsVersions() {
    assertThat(CommandTable.all()).hasSizeGreaterThan(70);
    for (KickstartVersion version : KickstartVersion.values()) {
      for (String name : CommandTable.names(version, false)) {
        assertThat(Verdict.message(Verdict.read(name + " --nonsense x\n", version)))
            .as(name)
            .doesNotContain("Unknown command");
      }
    }
    assertThat(CommandTable.names(KickstartVersion.F45, false)).hasSize(73);
    assertThat(CommandTable.names(KickstartVersion.RHEL9, false)).hasSize(73);
    assertThat(CommandTable.names(KickstartVersion.RHEL10, false)).hasSize(75);
  }

  @Test
  void storageIsTyped() {
    var part =
        only(
            "part /var//log/ --fsty=xfs --size 1_024 --grow --ondrive=vda --onpart=/dev/vda3"
                + " --noformat --encrypted --passphrase='a b' --fsoptions=ro\n",
            KickstartCommand.Partition.class);
    assertThat(part.mountPoint()).isEqualTo("/var/log");
    assertThat(part.size())
        .isEqualTo(new KickstartCommand.Size(1024L, true, null, false, false, false));
    assertThat(part.format())
        .isEqualTo(new KickstartCommand.Format("xfs", false, null, null, null, "ro"));
    assertThat(part.encryption().passphrase()).isEqualTo("a b");
    assertThat(List.of(String.valueOf(part.disk()), String.valueOf(part.existing())))
        .containsExactly("vda", "vda3");
    var raid = only("raid / --level=1 --device=md0 raid.1 raid.2\n", KickstartCommand.Raid.class);
    assertThat(raid.level()).isEqualTo("RAID1");
    assertThat(raid.device()).isEqualTo("md0");
    assertThat(raid.members()).containsExactly("raid.1", "raid.2");
    var group = only("volgroup vg pv.1 --pesize=4 pv.2\n", KickstartCommand.VolGroup.class);
    assertThat(group.name()).isEqualTo("vg");
    assertThat(group.members()).containsExactly("pv.1", "pv.2");
    assertThat(group.extentSize()).isEqualTo(4);
    var volume =
        only(
            "logvol none --vgname=vg --name=pool --thinpool --size=99999999999999999999\n",
            KickstartCommand.LogVol.class);
    assertThat(volume.thin().pool()).isTrue();
    assertThat(volume.size().size()).isEqualTo(Long.MAX_VALUE);
    var auto = only("autopart --nolvm --nohome\n", KickstartCommand.AutoPart.class);
    assertThat(auto.type()).isEqualTo("plain");
    assertThat(auto.noHome()).isTrue();
    var clear = only("clearpart --all --drives=a,,b\n", KickstartCommand.ClearPart.class);
    assertThat(clear.which()).isEqualTo("all");
    assertThat(clear.drives()).containsExactly("a", "b");
    var mount = only("mount /dev/vda1 / --reformat=xfs\n", KickstartCommand.Mount.class);
    assertThat(mount.format()).isEqualTo("xfs");
    assertThat(mount.reformat()).isTrue();
  }

  @Test
  void theSystemIsTyped() {
    var net =
        only(
            "network --device=link --bootproto=static --ip=10.0.0.2 --nameserver=a,b --onboot=off"
                + " --activate --essid=x\n",
            KickstartCommand.Network.class);
    assertThat(net.nameservers()).containsExactly("a", "b");
    assertThat(net.onBoot()).isFalse();
    assertThat(net.activate()).isTrue();
    assertThat(net.options()).containsOnlyKeys("essid").containsEntry("essid", "x");
    var user =
        only(
            "user --name=a --groups=wheel,x --uid=7 --password=p --plaintext\n",
            KickstartCommand.User.class);
    assertThat(user.groups()).containsExactly("wheel", "x");
    assertThat(user.uid()).isEqualTo(7);
    assertThat(user.password()).isEqualTo(new KickstartCommand.Password("p", false, false));
    var key = only("sshkey --username=root \"ssh-ed25519 A c\"\n", KickstartCommand.SshKey.class);
    assertThat(key.key()).isEqualTo("ssh-ed25519 A c");
    var wall = only("firewall --ssh --port=22,80:udp --http\n", KickstartCommand.Firewall.class);
    assertThat(wall.enabled()).isTrue();
    assertThat(wall.services()).containsExactly("ssh", "http");
    assertThat(wall.ports()).containsExactly("22:tcp", "80:udp");
    assertThat(only("firewall --disabled\n", KickstartCommand.Firewall.class).enabled()).isFalse();
    var end = only("poweroff --eject\n", KickstartCommand.End.class);
    assertThat(end.how()).isEqualTo("poweroff");
    var image = only("bootc --source-imgref registry:x\n", KickstartCommand.Bootc.class);
    assertThat(image.target()).isEqualTo("registry:x");
    assertThat(image.stateroot()).isEqualTo("default");
    var loader = only("bootloader --append=\"a b\"\n", KickstartCommand.BootLoader.class);
    assertThat(loader.arguments()).isEqualTo("a b");
    assertThat(loader.location()).isEqualTo("mbr");
    var zone = only("timezone Europe/Berlin --utc\n", KickstartCommand.Timezone.class);
    assertThat(zone.zone()).isEqualTo("Europe/Berlin");
    assertThat(zone.utc()).isTrue();
  }

  /** Commands that stand once keep what an earlier line said. */
  @Test
  void laterLinesAddToEarlierOnes() {
    List<KickstartCommand.Services> services =
        read("services --enabled=a\nservices --disabled=b\n")
            .all(KickstartCommand.Services.class)
            .toList();
    assertThat(services.getLast().enabled()).containsExactly("a");
    assertThat(Verdict.message(read("ignoredisk --drives=a\nignoredisk --only-use=b\n")))
        .contains("line 2", "One of --drives or --only-use must be specified");
  }

  @Test
  void sectionsKeepTheirBodies() {
    KickstartFile file =
        read(
            """
            %post --nochroot --log=/x --interpreter /bin/bash
            # kept
            echo "%unknown
            %unknown

            %end
            %packages --nocore
            a # b
            @c --optional

            -d
            %end
            %addon com_example --flag
            anything
            %end
            """);
    assertThat(told(file))
        .containsExactly("13:1 %addon is for an add-on of the installer, and is not looked into");
    var script = file.all(KickstartSection.Script.class).findFirst().orElseThrow();
    assertThat(script.body()).isEqualTo("# kept\necho \"%unknown\n%unknown\n\n");
    assertThat(script.inChroot()).isFalse();
    assertThat(script.interpreter()).isEqualTo("/bin/bash");
    var packages = file.all(KickstartSection.Packages.class).findFirst().orElseThrow();
    assertThat(packages.lines()).containsExactly("a", "@c --optional", "-d");
    assertThat(packages.noCore()).isTrue();
    assertThat(file.all(KickstartSection.Skipped.class)).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          bogus                     | 1:1 Unknown command: bogus
          text --bogus x            | 1:6 unrecognized arguments: --bogus x
          user --name=a --uid  q    | 1:22 argument --uid: invalid int value: 'q'
          user --name "a            | 1:13 No closing quotation
          lang de \\                | 1:9 Unexpected arguments to lang command: ['\\n']
          network --te x            | 1:9 ambiguous option: --te could match --teamslaves, --teamconfig
          rhsm                      | 1:1 Unknown command: rhsm
          part / --mkfsoptions=a --noformat | 1:8 --mkfsoptions with --noformat has no effect.
          bootloader --location     | 1:12 argument --location: expected one argument
          %include                  | 1:1 There was a problem reading from line 1 of the kickstart file
          "" x                      | 1:1 the line begins with an empty word
          """)
  void errorsHaveTheirPlace(String line, String expected) {
    assertThat(told(read(line + "\n"))).containsExactly(expected);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          ostreecontaner --url x    | did you mean ostreecontainer?
          rhsm                      | it is a command of RHEL9 and RHEL10
          packages                  | sections begin with a percent sign: %packages
          text --noninteractive     | did you mean --non-interactive?
          lang de \\                | a line cannot be continued by a backslash; write all of it into one
          %end                      | no section is open here
          """)
  void errorsSayWhatToWrite(String line, String fix) {
    assertThat(read(line + "\n").findings()).extracting(KickstartFinding::fix).containsExactly(fix);
  }

  @Test
  void allErrorsAreTold() {
    assertThat(
            told(
                read(
                    """
                    nonsense
                    part
                    %pre
                    %post --bogus
                    %end
                    autopart
                    part / --size=1
                    part /a --size=x
                    %nothing
                    lang
                    %end
                    %post
                    """)))
        .containsExactly(
            "1:1 Unknown command: nonsense",
            "2:1 the following arguments are required: <mntpoint>",
            "4:1 Section %pre does not end with %end.",
            "4:7 unrecognized arguments: --bogus",
            "6:1 The autopart and partition commands can't be used at the same time.",
            "7:1 The part and autopart commands can't be used at the same time.",
            "8:9 argument --size: invalid int value: 'x'",
            "9:1 Unknown kickstart section: %nothing",
            "12:1 Section %post does not end with %end.");
  }

  @Test
  void deprecatedOnesWarn() {
    List<KickstartFinding> findings =
        Verdict.read("module --name=a\nbtrfs\n", KickstartVersion.RHEL10).findings();
    assertThat(findings).extracting(KickstartFinding::isError).containsExactly(false, true);
    assertThat(findings.getFirst().message())
        .startsWith(
            "Ignoring deprecated command on line 1:  The module command has been deprecated");
    assertThat(findings.getLast().message()).isEqualTo("btrfs has been removed.");
    assertThat(
            Verdict.read("timezone A --isUtc\n", KickstartVersion.F45)
                .findings()
                .getFirst()
                .message())
        .startsWith("Ignoring deprecated option on line 1: The --isUtc option");
  }

  @Test
  void includedFilesAreReadFromBeneath() throws IOException {
    Path main = dir.resolve("main.ks");
    Files.createDirectories(dir.resolve("parts"));
    Files.writeString(
        main,
        """
        %include parts/disk.ks
        %include /etc/hostname
        %include ../other.ks
        %include https://example.org/ks
        %post
        %include parts/script
        %end
        reboot
        """);
    Files.writeString(dir.resolve("parts/disk.ks"), "part / --size=1\n%include more.ks\n");
    Files.writeString(dir.resolve("parts/more.ks"), "part /a --bogus\n");
    Files.writeString(dir.resolve("parts/script"), "echo\n");
    KickstartFile file = KickstartParser.parse(main, KickstartVersion.F45);
    assertThat(file.findings().stream().map(f -> f.at() + " " + f.message()))
        .containsExactly(
            dir.resolve("parts/more.ks")
                + ":1:9 Unexpected arguments to partition command: ['--bogus']",
            main
                + ":2:1 /etc/hostname is not there beneath the file's folder, so it is not checked",
            main + ":3:1 ../other.ks is not there beneath the file's folder, so it is not checked",
            main + ":4:1 https://example.org/ks is not fetched, so what it holds is not checked");
    assertThat(file.all(KickstartSection.Script.class).map(KickstartSection.Script::body))
        .containsExactly("echo\n");
    assertThat(file.all(KickstartCommand.End.class)).hasSize(1);
    assertThat(file.all(KickstartItem.Inclusion.class).map(KickstartItem.Inclusion::followed))
        .containsExactly(true, true, false, false, false, true);
  }

  @Test
  void inclusionsHaveAnEndAndNoEffect() throws IOException {
    Path main = dir.resolve("main.ks");
    Files.writeString(main, "%include a\n%include pipe\n%include link\n%include deep0\n");
    Files.writeString(dir.resolve("a"), "%include b\n");
    Files.writeString(dir.resolve("b"), "%include a\n");
    for (int i = 0; i < 12; i++) {
      Files.writeString(dir.resolve("deep" + i), "%include deep" + (i + 1) + "\n");
    }
    Files.writeString(dir.resolve("deep12"), "");
    Command.of("mkfifo", dir.resolve("pipe").toString()).run();
    Files.createSymbolicLink(dir.resolve("link"), Path.of("/etc/hostname"));
    assertThat(
            KickstartParser.parse(main, KickstartVersion.F45).findings().stream()
                .map(KickstartFinding::message))
        .containsExactly(
            "the files include each other without an end",
            "Unable to open input kickstart file: pipe is a pipe, not a regular file",
            "Unable to open input kickstart file: link is a link that leads out; put the file itself"
                + " there",
            "more than 10 files include each other");
  }

  @Test
  void onlyRegularTextIsRead() throws IOException {
    assertThatThrownBy(() -> KickstartParser.parse(dir, KickstartVersion.F45))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("is not a regular file");
    Path file = Files.write(dir.resolve("latin.ks"), new byte[] {'a', '\n', 'b', (byte) 0xe4});
    assertThatThrownBy(() -> KickstartParser.parse(file, KickstartVersion.F45))
        .hasMessageEndingWith(
            "latin.ks:2: a byte that is not UTF-8; write the file in that encoding");
    byte[] large = new byte[(4 << 20) + 1];
    assertThatThrownBy(
            () ->
                KickstartParser.parse(
                    "stdin", new ByteArrayInputStream(large), KickstartVersion.F45))
        .hasMessageContaining("small-file-bytes");
    byte[] good = "text\n%include a\n".getBytes(StandardCharsets.UTF_8);
    assertThat(
            KickstartParser.parse("stdin", new ByteArrayInputStream(good), KickstartVersion.F45)
                .findings())
        .hasSize(1)
        .noneMatch(KickstartFinding::isError);
  }
}
