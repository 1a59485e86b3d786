package slipway.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
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
    Path config =
        Files.writeString(
            dir.resolve("config.toml"),
            """
            [customizations]
            hostname = "isobox"
            [customizations.kernel]
            append = "console=ttyS0,115200 mitigations=off"
            """);
    BaseImages.trixie()
        .must(
            ("disk build --quiet --type iso --installer-mode unattended --config "
                    + config
                    + " --output "
                    + dir
                    + " "
                    + BaseImages.TRIXIE)
                .split(" "));
    Path iso = dir.resolve("bootiso/install.iso");
    Command.of("checkisomd5", iso.toString()).run();
    Path disk = dir.resolve("disk.raw");
    try (RandomAccessFile file = new RandomAccessFile(disk.toFile(), "rw")) {
      file.setLength(8L << 30);
    }
    assertThat(
            printed(
                way,
                List.of("virtio-blk-pci", way.endsWith("cdrom") ? "ide-cd" : "ide-hd"),
                List.of(disk, iso),
                "Install finished",
                "error: "))
        .contains("Image:  " + BaseImages.TRIXIE)
        .contains("Install finished");
    assertThat(printed(way, List.of("virtio-blk-pci"), List.of(disk), "isobox login:"))
        .contains("isobox login:");
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
