package slipway.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.linux.process.Command;

/** An ISO starts the image live and installs it onto an empty disk, which starts then. */
@Tag("soak")
class InstallerTest {
  private static final String FIRMWARE = "/usr/share/OVMF/OVMF_CODE_4M.fd";

  @TempDir Path dir;

  @ParameterizedTest
  @ValueSource(strings = {"bios cdrom", "uefi disk"})
  void installsWithoutAnybody(String way) throws IOException {
    Path iso =
        iso(
            """
            [customizations]
            hostname = "isobox"
            [customizations.kernel]
            append = "console=ttyS0,115200 mitigations=off"
            """,
            "unattended");
    Command.of("checkisomd5", iso.toString()).run();
    Path disk = empty();
    assertThat(
            printed(
                way,
                List.of("virtio-blk-pci", way.contains("cdrom") ? "ide-cd" : "ide-hd"),
                List.of(disk, iso),
                "Install finished",
                "error: "))
        .contains("Image:  " + BaseImages.TRIXIE)
        .contains("Install finished");
    assertThat(printed(way, List.of("virtio-blk-pci"), List.of(disk), "isobox login:"))
        .contains("isobox login:");
  }

  /** A kickstart file of a server says all, and the machine is off at the end. */
  @Test
  void installsAsAKickstartFileSays() throws IOException {
    byte[] kickstart =
        """
        text --non-interactive
        lang C.UTF-8
        timezone UTC
        network --bootproto=dhcp --device=link --activate --hostname=ksbox
        zerombr
        clearpart --all --initlabel
        reqpart --add-boot
        part /var/home --fstype=ext4 --size=300
        part swap --size=64
        part / --grow --fstype=ext4
        bootloader --append="mitigations=off"
        user --name=jane --groups=sudo --password=simsalabim --plaintext
        rootpw --lock
        poweroff
        %pre
        echo "pre sees $(uname -s)"
        %end
        %post --erroronfail
        set -e
        getent passwd jane
        test -d /var/home/jane
        echo "made by post for $(cat /etc/hostname)" > /etc/issue
        %end
        """
            .getBytes(StandardCharsets.UTF_8);
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    server.createContext(
        "/box.ks",
        exchange -> {
          exchange.sendResponseHeaders(200, kickstart.length);
          exchange.getResponseBody().write(kickstart);
          exchange.close();
        });
    server.start();
    try {
      Path plain =
          iso(
              "[customizations.kernel]\nappend = \"console=ttyS0,115200 mitigations=off\"\n",
              "confirm");
      Path iso = dir.resolve("kickstart.iso");
      // As the emulated network calls this machine.
      String place = "http://10.0.2.2:" + server.getAddress().getPort() + "/box.ks";
      BaseImages.trixie()
          .must("mkksiso", "-c", "inst.ks=" + place, plain.toString(), iso.toString());
      Path disk = empty();
      String way = "bios cdrom network";
      assertThat(
              printed(
                  way,
                  List.of("virtio-blk-pci", "ide-cd"),
                  List.of(disk, iso),
                  "error: ",
                  "Power down"))
          .contains("pre sees Linux")
          .contains("jane:x:")
          .contains("Install finished. The machine stops.");
      assertThat(printed(way, List.of("virtio-blk-pci"), List.of(disk), "ksbox login:"))
          .contains("made by post for ksbox")
          .contains("ksbox login:");
      assertThat(Command.of("sfdisk", "--dump", disk.toString()).output())
          .contains("name=\"var-home\"", "name=\"swap\"");
    } finally {
      server.stop(0);
    }
  }

  private Path iso(String config, String mode) throws IOException {
    Path file = Files.writeString(dir.resolve("config.toml"), config);
    BaseImages.trixie()
        .must(
            "disk build --quiet --type iso --installer-mode %s --config %s --output %s %s"
                .formatted(mode, file, dir, BaseImages.TRIXIE)
                .split(" "));
    return dir.resolve("bootiso/install.iso");
  }

  private Path empty() throws IOException {
    Path disk = dir.resolve("disk.raw");
    try (RandomAccessFile file = new RandomAccessFile(disk.toFile(), "rw")) {
      file.setLength(8L << 30);
    }
    return disk;
  }

  /** What a machine prints until one of these, or until it ends; the first drive starts first. */
  private static String printed(String way, List<String> devices, List<Path> drives, String... last)
      throws IOException {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                ("-nodefaults -no-user-config -display none -no-reboot -machine q35 -cpu Nehalem"
                        + " -accel tcg,thread=multi,tb-size=512 -smp 2 -m 2560 -serial stdio")
                    .split(" ")));
    if (way.startsWith("uefi")) {
      arguments.addAll(List.of("-drive", "if=pflash,format=raw,readonly=on,file=" + FIRMWARE));
    }
    if (way.endsWith("network")) {
      arguments.addAll(List.of("-netdev", "user,id=n", "-device", "virtio-net-pci,netdev=n"));
    }
    for (int i = 0; i < drives.size(); i++) {
      String drive = "if=none,format=raw,cache=unsafe,id=d%d,file=%s".formatted(i, drives.get(i));
      String device = devices.get(i) + ",drive=d" + i + ",bootindex=" + (i + 1);
      arguments.addAll(List.of("-drive", drive, "-device", device));
    }
    Process machine =
        Command.of("qemu-system-x86_64").with(arguments.toArray(String[]::new)).start();
    try (BufferedReader in = machine.inputReader(StandardCharsets.ISO_8859_1)) {
      StringBuilder all = new StringBuilder();
      // A prompt has no end of line.
      for (int c = in.read(); c >= 0; c = in.read()) {
        all.append((char) c);
        if (List.of(last).stream().anyMatch(l -> all.indexOf(l, all.length() - l.length()) >= 0)) {
          break;
        }
      }
      return all.toString();
    } finally {
      Command.kill(machine);
    }
  }
}
