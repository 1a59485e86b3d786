package slipway.iso;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.base.Progress;
import slipway.linux.process.Command;

/** Firmware starts what was made anew, and its GRUB prints the menu and the kickstart file. */
class IsoStartTest {
  private static final String FIRMWARE = "/usr/share/OVMF/OVMF_CODE_4M.fd";

  @TempDir Path dir;

  /** In a CD drive and as a disk, which reads the partitions and not the boot catalog. */
  @ParameterizedTest
  @ValueSource(strings = {"bios cdrom", "uefi disk"})
  void everyFirmwareStartsIt(String way) throws IOException {
    start(way);
  }

  @ParameterizedTest
  @Tag("soak")
  @ValueSource(strings = {"uefi cdrom", "bios disk"})
  void theOtherWays(String way) throws IOException {
    start(way);
  }

  private void start(String way) throws IOException {
    Path kickstart = Files.writeString(dir.resolve("machine.ks"), "text\n# the answers\nreboot\n");
    Path out = dir.resolve("out.iso");
    IsoRewrite.run(
        InstallerIso.likeFedoras(dir, "TEST"),
        out,
        IsoChanges.ofKickstart(kickstart),
        true,
        OptionalLong.empty(),
        Progress.NONE);
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "-nodefaults -no-user-config -nographic -machine q35 -accel tcg -m 256 -serial stdio"
                    .split(" ")));
    if (way.startsWith("uefi")) {
      arguments.addAll(List.of("-drive", "if=pflash,format=raw,readonly=on,file=" + FIRMWARE));
    }
    arguments.addAll(
        List.of(
            "-drive",
            "if=none,id=iso,format=raw,snapshot=on,file=" + out,
            "-device",
            way.endsWith("cdrom") ? "ide-cd,drive=iso" : "ide-hd,drive=iso"));
    // GRUB folds lines.
    assertThat(printed(arguments, "# the answers").replaceAll("\\s*\n\\s*", ""))
        .contains("vmlinuz inst.stage2=hd:LABEL=TEST quiet inst.ks=hd:LABEL=TEST:/machine.ks");
  }

  /** What a machine prints until a line, or until it prints nothing more. */
  private static String printed(List<String> arguments, String last) throws IOException {
    Process machine =
        Command.of("qemu-system-x86_64").with(arguments.toArray(String[]::new)).start();
    try (BufferedReader lines = machine.inputReader(StandardCharsets.ISO_8859_1)) {
      StringBuilder all = new StringBuilder();
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        all.append(line).append('\n');
        if (line.contains(last)) {
          break;
        }
      }
      return all.toString();
    } finally {
      Command.kill(machine);
    }
  }
}
