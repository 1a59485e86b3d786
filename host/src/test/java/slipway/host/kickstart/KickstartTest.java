package slipway.host.kickstart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.disk.config.BootLoader;
import slipway.disk.config.DiskConfig;
import slipway.disk.config.DiskLayout;
import slipway.disk.config.PartitionContent;
import slipway.disk.config.PartitionTable;
import slipway.disk.config.RootFileSystem;
import slipway.host.system.HostEnvironment;
import slipway.host.system.SystemActions;
import slipway.linux.mount.MountNamespace;

/** What is made of a file; that machines start from it, {@code InstallerTest} of e2e sees. */
class KickstartTest {
  private static final String HASH = "$6$salt$" + "a".repeat(86);

  @TempDir Path dir;
  private final List<String> said = new ArrayList<>();
  private Path medium;

  @BeforeEach
  void medium() throws IOException {
    medium = Files.createDirectories(dir.resolve("run/slipway-live/medium"));
  }

  private HostEnvironment host() {
    return new HostEnvironment(
        dir,
        dir.resolve("run"),
        Map.of(),
        said::add,
        Progress.NONE,
        reference -> {
          throw new AssertionError("nothing is opened");
        },
        SystemActions.systemd(),
        InstantSource.system());
  }

  private InstallAnswers answers(String text) throws IOException {
    return read(text).answers();
  }

  private Kickstart read(String text) throws IOException {
    Files.writeString(medium.resolve("ks.cfg"), text);
    return Kickstart.read(host(), medium, "sr0", "cdrom:/ks.cfg");
  }

  /** As the documents on image mode write it. */
  @Test
  void theDocumentedFileIsFollowed() throws IOException {
    InstallAnswers answers =
        answers(
            """
            text
            lang de_DE.UTF-8
            keyboard --vckeymap=de-nodeadkeys --xlayouts='de (nodeadkeys)'
            timezone Europe/Berlin --utc
            timesource --ntp-server=time.example
            network --bootproto=dhcp --device=link --activate --hostname=box.example
            zerombr
            clearpart --all --initlabel --disklabel=gpt
            reqpart --add-boot
            part /var --fstype=xfs --size=2048 --label=keep
            part swap --size=512
            part / --grow --fstype xfs --ondisk=vdb
            bootloader --append="console=ttyS0,115200 quiet"
            ostreecontainer --url quay.io/org/image:tag --no-signature-verification
            firewall --enabled --port=8080:tcp --service=ssh
            services --enabled=sshd --disabled=cups
            selinux --permissive
            group --name=ops --gid=2000
            user --name=jane --groups=wheel,ops --password=%s --iscrypted --uid=1500 --gecos="Jane D"
            sshkey --username jane "ssh-ed25519 AAAA one"
            sshkey --username jane "ssh-ed25519 BBBB two"
            rootpw --lock
            firstboot --disable
            poweroff --eject
            """
                .formatted(HASH));
    assertThat(answers.image())
        .isEqualTo(
            new InstallAnswers.Image(
                "docker://quay.io/org/image:tag", "quay.io/org/image:tag", null));
    assertThat(answers.disk())
        .isEqualTo(new InstallAnswers.Disk(List.of("vdb"), List.of(), true, true));
    assertThat(answers.rootfs()).isEqualTo(RootFileSystem.XFS);
    assertThat(answers.rootSize()).isZero();
    assertThat(answers.ending().how()).contains("poweroff");
    assertThat(answers.ending().eject()).isTrue();
    DiskConfig config = answers.config();
    assertThat(config.layout().table()).isEqualTo(PartitionTable.GPT);
    assertThat(config.layout().at("/var").orElseThrow().minimum()).isEqualTo(2048L << 20);
    assertThat(config.layout().partitions()).hasSize(3);
    assertThat(config.locale()).isEqualTo("de_DE.UTF-8");
    assertThat(config.keymap()).isEqualTo("de-nodeadkeys");
    assertThat(config.timezone()).isEqualTo("Europe/Berlin");
    assertThat(config.timeServers()).containsExactly("time.example");
    assertThat(config.hostname()).isEqualTo("box.example");
    assertThat(config.kernelArguments())
        .containsExactly("console=ttyS0,115200", "quiet", "enforcing=0");
    assertThat(config.services().enabled()).containsExactly("sshd.service");
    assertThat(config.services().disabled()).containsExactly("cups.service");
    assertThat(config.firewall().ports())
        .containsExactly(new DiskConfig.Firewall.Port("8080", "tcp"));
    assertThat(config.groups()).containsExactly(new DiskConfig.Group("ops", 2000));
    DiskConfig.User jane = config.users().getFirst();
    assertThat(jane.key()).isEqualTo("ssh-ed25519 AAAA one\nssh-ed25519 BBBB two");
    assertThat(jane.password()).isEqualTo(HASH);
    assertThat(jane.groups()).containsExactly("wheel", "ops");
    assertThat(jane.uid()).isEqualTo(1500);
    assertThat(config.users().getLast().password()).isEqualTo("!");
    assertThat(config.files())
        .extracting(DiskConfig.CustomFile::path)
        .containsExactly("/etc/systemd/network/10-kickstart-0.network");
    assertThat(answers.asksNothing()).isFalse();
    assertThat(answers.warnings()).isEmpty();
  }

  private static final String VOLUMES =
      """
      part /boot --size=1024
      part pv.01 --size=1 --grow
      volgroup main pv.01
      logvol / --vgname=main --name=root --size=%s --fstype=xfs
      logvol swap --vgname=main --name=swap --size=512
      logvol /var/log --vgname=main --name=logs --size=256 --label=logs
      """;

  @Test
  void logicalVolumesAreThoseOfTheConfig() throws IOException {
    InstallAnswers answers = answers(VOLUMES.formatted("1 --grow"));
    assertThat(answers.rootfs()).isEqualTo(RootFileSystem.XFS);
    assertThat(answers.rootSize()).isZero();
    DiskLayout layout = answers.config().layout();
    assertThat(layout.partitions()).hasSize(2);
    assertThat(layout.at("/").orElseThrow().content())
        .isInstanceOfSatisfying(
            PartitionContent.Lvm.class,
            group -> {
              assertThat(group.group()).isEqualTo("main");
              assertThat(group.volumes())
                  .extracting(PartitionContent.Volume::name)
                  .containsExactly("root", "swap", "logs");
              assertThat(group.at("/var/log").orElseThrow().minimum()).isEqualTo(256L << 20);
            });
    assertThat(answers(VOLUMES.formatted("8192")).rootSize()).isEqualTo(8192L << 20);
  }

  @Test
  void autopartMakesTheRootAVolume() throws IOException {
    InstallAnswers answers = answers("autopart --type=lvm --fstype=ext4\n");
    assertThat(answers.rootfs()).isEqualTo(RootFileSystem.EXT4);
    assertThat(answers.config().layout().at("/").orElseThrow().content())
        .isInstanceOf(PartitionContent.Lvm.class);
  }

  /** What cannot be done is said with its line, before a disk is touched. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "autopart --type=thinp | 1:1: autopart: thin volumes are not made; take --type=lvm",
        "autopart --encrypted --passphrase=x | 1:1: --encrypted: nothing is encrypted",
        "part / --size=1\\npart pv.01 --size=100 | 2:1: pv.01: no volgroup takes it",
        "part raid.1 --size=100 | 1:1: raid.1: there are partitions with a mount point",
        "part / --size=1\\npart pv.1 --grow\\nvolgroup a pv.1 | 2:1: part: the root alone grows",
        "part pv.1 --grow\\nvolgroup a pv.1 --pesize=8192 | 2:1: volgroup: a new group",
        "part pv.1 --grow\\npart pv.2 --size=9\\nvolgroup a pv.1 pv.2 | 3:1: volgroup: one group",
        "part pv.1 --grow\\nvolgroup a pv.1\\nlogvol / --vgname=a --name=r --percent=9 | made anew",
        "part pv.1 --grow\\nvolgroup a pv.1\\nlogvol /x --vgname=a --name=r --size=9 --grow | root alone",
        "part pv.1 --grow\\nvolgroup a pv.1\\nlogvol swap --vgname=a --name=r --hibernation | 3:1: logvol: give --size",
        "part pv.1 --grow\\nvolgroup a pv.1\\nlogvol none --vgname=a --name=r --size=9 --thinpool | neither thin",
        "part pv.1 --grow\\nvolgroup a pv.1\\nlogvol /boot --vgname=a --name=r --size=9 | 3:1: ",
        "part / --onpart=sda1 | 1:1: part: all partitions are made anew",
        "part /home --size=100 | 1:1: no part command is for /",
        "part / --size=1\\npart /usr --size=100 | 2:1: customizations.disk.partitions",
        "part / --size=1\\npart /var --size=9\\npart /var --size=9 | 3:1: customizations.disk",
        "part / --fstype=ext3 | unknown root file system",
        "clearpart --linux | 1:1: clearpart: a whole disk is erased",
        "ignoredisk --only-use=sda,sdb | 1:1: two disks are named, sda and sdb",
        "clearpart --all --drives=sda\\npart / --ondisk=sdb | 2:1: two disks are named",
        "mount /dev/sda1 / | 1:1: mount: whole disks are installed to",
        "network --device=bond0 --bondslaves=a,b | 1:1: network: bonds, bridges and VLANs",
        "network --bootproto=static --ip=10.0.0.2 | 1:1: network: --netmask needs an address",
        "network --bootproto=static --ip=10.0.0.2 --netmask=255.0.255.0 | is no netmask",
        "network --hostname=-x | 1:1: customizations.hostname",
        "network --device='a b' --bootproto=dhcp | is neither a name nor a hardware address",
        "text\\nuser --name='a b' | 2:1: customizations.user",
        "rootpw --plaintext $1$x | 1:1: the password begins as a hash",
        "timezone Not/Á | 1:1: customizations.timezone",
        "bootloader --password=x | 1:1: bootloader: --password, --extlinux",
        "realm join x | 1:1: realm is not followed by this installer; leave it out",
        "liveimg --url=http://x/y | 1:1: liveimg is not followed",
        "ostreesetup --osname=a --url=http://b --ref=c | 1:1: ostreesetup: container images",
        "%pre-install\\n%end | 1:1: %pre-install is not run",
        "%include /none.ks | 1:1: %include /none.ks: there is no such file here",
        "bogus | 1:1: Unknown command: bogus",
        "text\\nautopart\\npart / --size=1 | 3:1: The part and autopart commands can't be used",
      })
  void whatCannotBeFollowedIsRefused(String text, String sentence) {
    assertThatThrownBy(() -> answers(text.replace("\\n", "\n") + "\n"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining(sentence.strip());
  }

  @Test
  void whatIsLeftOutIsSaid() throws IOException {
    InstallAnswers answers =
        answers(
            """
            url --url=http://mirror.example
            autopart --noboot
            sshpw --username=x y
            rootpw --iscrypted locked
            reboot --kexec
            %addon com_redhat_kdump --enable
            %end
            %packages
            @core
            %end
            """);
    assertThat(answers.warnings())
        .hasSize(7)
        .anyMatch(w -> w.endsWith("1:1: url does nothing: an image is installed"))
        .anyMatch(w -> w.contains("%addon is skipped"))
        .anyMatch(w -> w.contains("the password is no hash"));
    assertThat(answers.config().users().getFirst().password()).isEqualTo("!");
    assertThat(said)
        .anyMatch(l -> l.startsWith("warning: ") && l.contains("%packages does nothing"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "ostreecontainer --url=/run/install/repo/container --transport=oci |||",
        "ostreecontainer --url=/data/x --transport=oci --stateroot=os | oci:/data/x|| os",
        "ostreecontainer --url=/run/install/repo/companions:r.example/b:2 --transport=oci"
            + "| oci:MEDIUM/companions:r.example/b:2| r.example/b:2|",
        "bootc --source-imgref=registry:r.example/a:1 | docker://r.example/a:1| r.example/a:1| default",
        "bootc --source-imgref=oci:/data/x --target-imgref=r.example/a --stateroot=z | oci:/data/x| r.example/a| z",
        "ostreecontainer --url=r.example:5000/a | docker://r.example:5000/a| r.example:5000/a|",
      })
  void theImageIsTheOneThatIsNamed(String text, String source, String target, String stateroot)
      throws IOException {
    String place = source == null ? null : source.replace("MEDIUM", medium.toString());
    assertThat(answers(text + "\nautopart\n").image())
        .isEqualTo(new InstallAnswers.Image(place, target, stateroot));
  }

  @Test
  void diskAndLoaderAreAsTheySay() throws IOException {
    InstallAnswers answers =
        answers("cmdline\nautopart --type=btrfs\nbootloader --sdboot\nignoredisk --drives=sda\n");
    assertThat(answers.rootfs()).isEqualTo(RootFileSystem.BTRFS);
    assertThat(answers.bootLoader()).isEqualTo(BootLoader.SYSTEMD);
    assertThat(answers.asksNothing()).isTrue();
    assertThat(answers.disk().erased()).isFalse();
    assertThat(answers.disk().admits("sda")).isFalse();
    assertThat(answers.disk().admits("sdb")).isTrue();
    assertThat(answers("part / --size=3000\n").rootSize()).isEqualTo(3000L << 20);
    Files.createDirectories(dir.resolve("dev/disk/by-id"));
    Files.createFile(dir.resolve("dev/vdx"));
    Files.createSymbolicLink(dir.resolve("dev/disk/by-id/one"), Path.of("../../vdx"));
    assertThat(answers("autopart\nignoredisk --only-use=disk/by-id/one\n").disk().only())
        .containsExactly("vdx");
  }

  @Test
  void networksAreFilesOfWhatTheSystemHas() throws IOException {
    String text =
        "network --bootproto=static --device=52:54:00:AA:BB:CC --ip=192.0.2.7"
            + " --netmask=255.255.255.0 --gateway=192.0.2.1 --nameserver=192.0.2.2,2001:db8::2"
            + " --ipv6=2001:db8::7/64 --ipv6gateway=2001:db8::1 --mtu=9000 --nodefroute"
            + " --ipv4-dns-search=a.example,b.example\nautopart\n";
    assertThat(answers(text).config().files().getFirst().data())
        .isEqualTo(
            """
            [Match]
            MACAddress=52:54:00:aa:bb:cc

            [Link]
            MTUBytes=9000

            [Network]
            DHCP=no
            Address=192.0.2.7/24
            Gateway=192.0.2.1
            Address=2001:db8::7/64
            Gateway=2001:db8::1
            DNS=192.0.2.2
            DNS=2001:db8::2
            Domains=a.example b.example

            [DHCPv4]
            UseGateway=no
            """);
    Files.createDirectories(dir.resolve("usr/lib/systemd/system"));
    Files.createFile(dir.resolve("usr/lib/systemd/system/NetworkManager.service"));
    DiskConfig.CustomFile file = answers(text).config().files().getFirst();
    assertThat(file.path())
        .isEqualTo("/etc/NetworkManager/system-connections/kickstart-0.nmconnection");
    assertThat(file.mode()).isEqualTo(0600);
    assertThat(file.data())
        .isEqualTo(
            """
            [connection]
            id=kickstart-0
            type=ethernet

            [ethernet]
            mac-address=52:54:00:aa:bb:cc
            mtu=9000

            [ipv4]
            method=manual
            address1=192.0.2.7/24,192.0.2.1
            dns=192.0.2.2;
            never-default=true
            dns-search=a.example;b.example;

            [ipv6]
            method=manual
            address1=2001:db8::7/64,2001:db8::1
            dns=2001:db8::2;
            never-default=true
            """);
  }

  /** What %pre writes may be included, as many files have it. */
  @Test
  void whatPreWritesIsRead() throws IOException {
    Path part = dir.resolve("part.ks");
    InstallAnswers answers =
        answers(
            """
            %%include %s
            reboot
            %%pre --interpreter=/bin/sh --log=%s
            echo told
            echo "part / --size=3000" > %s
            %%end
            """
                .formatted(part, dir.resolve("log/pre.log"), part));
    assertThat(answers.rootSize()).isEqualTo(3000L << 20);
    assertThat(dir.resolve("log/pre.log")).content().isEqualTo("told\n");
    assertThatThrownBy(() -> answers("autopart\n%pre --erroronfail\nexit 3\n%end\n"))
        .hasMessageEndingWith("%pre ended with status 3");
    answers("autopart\nreboot\n%pre\necho seen\nexit 3\n%end\n");
    assertThat(said).contains("seen").anyMatch(l -> l.endsWith("%pre ended with status 3"));
  }

  /** Scripts see the machine as it will be, and cannot change the image's own files. */
  @Test
  void postRunsInWhatIsInstalled() throws Exception {
    Path root = Files.createDirectories(dir.resolve("target"));
    Path tree = Files.createDirectories(root.resolve("ostree/deploy/os/deploy/1.0"));
    Path var = Files.createDirectories(root.resolve("ostree/deploy/os/var"));
    for (String folder :
        List.of("etc", "var", "boot", "sysroot", "dev", "proc", "sys", "run", "tmp", "usr")) {
      Files.createDirectories(tree.resolve(folder));
    }
    Files.createDirectories(root.resolve("boot"));
    Files.createDirectories(dir.resolve("mnt"));
    Kickstart kickstart =
        read(
            """
            autopart
            reboot
            %%post --nochroot --erroronfail --log=%s
            set -e
            test "$ANA_INSTALL_PATH" = %s
            cd "$ANA_INSTALL_PATH"
            echo late > etc/late
            echo kept > var/kept
            echo menu > boot/menu
            test -d sysroot/ostree
            if echo x > usr/x; then exit 1; fi
            %%end
            """
                .formatted(dir.resolve("post.log"), dir.resolve("mnt/sysroot")));
    MountNamespace.call(
        "test",
        () -> {
          kickstart.post(root, tree, var);
          return null;
        });
    assertThat(tree.resolve("etc/late")).content().isEqualTo("late\n");
    assertThat(var.resolve("kept")).content().isEqualTo("kept\n");
    assertThat(root.resolve("boot/menu")).content().isEqualTo("menu\n");
    assertThat(tree.resolve("usr")).isEmptyDirectory();
    assertThat(dir.resolve("post.log")).content().containsIgnoringCase("read-only");
    assertThat(dir.resolve("run/slipway-kickstart/script-1")).doesNotExist();
  }

  @Test
  void aFileIsFoundWhereTheKernelArgumentSays() throws IOException {
    Files.writeString(medium.resolve("ks.cfg"), "1");
    Files.writeString(dir.resolve("mine.ks"), "2");
    Files.createDirectories(dir.resolve("dev/disk/by-label"));
    Files.createFile(dir.resolve("dev/sr0"));
    Files.createSymbolicLink(dir.resolve("dev/disk/by-label/OUR\\x20ISO"), Path.of("../../sr0"));
    KickstartLocation location = new KickstartLocation(host(), medium, "sr0");
    for (String where :
        List.of("", "cdrom", "cdrom:/ks.cfg", "hd:LABEL=OUR ISO:/ks.cfg", "hd:sr0:/ks.cfg")) {
      assertThat(location.read(where)).as(where).asString().isEqualTo("1");
    }
    for (String where : List.of("file:/mine.ks", "file:///mine.ks", "/mine.ks")) {
      assertThat(location.read(where)).as(where).asString().isEqualTo("2");
    }
  }

  /**
   * The label of an ISO on a stick leads to its partition, which is not mounted beside the whole.
   */
  @Test
  void aPartitionOfTheMediumIsTheMedium() throws IOException {
    Files.writeString(medium.resolve("ks.cfg"), "1");
    Files.createDirectories(dir.resolve("dev/disk/by-label"));
    Files.createFile(dir.resolve("dev/sda1"));
    Files.createDirectories(dir.resolve("sys/block/sda/sda1"));
    Files.createSymbolicLink(dir.resolve("dev/disk/by-label/ISO"), Path.of("../../sda1"));
    assertThat(new KickstartLocation(host(), medium, "sda").read("hd:LABEL=ISO:/ks.cfg"))
        .asString()
        .isEqualTo("1");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"nfs:x:/y", "cdrom:/none.ks", "file:/none", "hd:LABEL=none:/x", "hd:../../etc:/x"})
  void aFileThatIsNotThereIsNamed(String where) {
    assertThatThrownBy(() -> new KickstartLocation(host(), medium, "sr0").read(where))
        .isInstanceOf(Problem.class)
        .hasMessageStartingWith("inst.ks=" + where);
  }

  @Test
  void aFileIsFetched() throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          byte[] body = "autopart\n".getBytes(StandardCharsets.UTF_8);
          boolean isThere = exchange.getRequestURI().getPath().equals("/a.ks");
          exchange.sendResponseHeaders(isThere ? 200 : 404, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    server.start();
    try {
      String base = "http://127.0.0.1:" + server.getAddress().getPort();
      assertThat(KickstartLocation.fetch(base + "/a.ks", "inst.ks=x"))
          .asString()
          .isEqualTo("autopart\n");
      assertThatThrownBy(() -> KickstartLocation.fetch(base + "/b.ks", "inst.ks=x"))
          .hasMessage("inst.ks=x: the server answers 404");
    } finally {
      server.stop(0);
    }
    assertThatThrownBy(() -> KickstartLocation.fetch("http://127.0.0.1:1/", "inst.ks=x"))
        .hasMessageStartingWith("inst.ks=x cannot be fetched");
  }
}
