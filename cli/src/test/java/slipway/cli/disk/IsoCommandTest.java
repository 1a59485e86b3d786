package slipway.cli.disk;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.cli.Ran;
import slipway.linux.process.Command;

/** The command lines of ISOs; what is made of them, media's tests hold. */
class IsoCommandTest {
  @TempDir Path dir;

  private String boot;
  private String kickstart;
  private String out;

  @BeforeEach
  void files() throws IOException {
    Path grub = Files.createDirectories(dir.resolve("tree/boot/grub"));
    Files.writeString(grub.resolve("grub.cfg"), "linux /vmlinuz inst.ks=old quiet\n");
    boot = dir.resolve("boot.iso").toString();
    Command.of("xorriso", "-no_rc", "-as", "mkisofs", "-quiet", "-V", "BOOT", "-R", "-o", boot)
        .with(dir.resolve("tree").toString())
        .run();
    kickstart = Files.writeString(dir.resolve("a.ks"), "text\nreboot\n").toString();
    out = dir.resolve("out.iso").toString();
  }

  private static Ran iso(String... words) {
    return Ran.of("slipway", List.of("iso"), words);
  }

  private String menu() {
    Path file = dir.resolve("menu");
    Command.of("xorriso", "-no_rc", "-indev", "stdio:" + out, "-osirrox", "on")
        .with("-extract_single", "/boot/grub/grub.cfg", file.toString())
        .run();
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void aKickstartComesAboard() {
    assertThat(iso("add-kickstart", boot, kickstart, out)).isEqualTo(new Ran(0, out + "\n", ""));
    assertThat(menu()).isEqualTo("linux /vmlinuz quiet inst.ks=hd:LABEL=BOOT:/a.ks\n");
    assertThat(iso("add-kickstart", boot, kickstart, out).err())
        .isEqualTo("error: " + out + " already exists; name another, or remove it\n");
  }

  @Test
  void aKickstartThatAnInstallerRefusesIsNotTaken() throws IOException {
    Files.writeString(Path.of(kickstart), "text\npart / --bogus\n");
    Ran ran = iso("add-kickstart", boot, kickstart, out);
    assertThat(ran.status()).isEqualTo(1);
    assertThat(ran.err())
        .contains(kickstart + ":2:8: error: Unexpected arguments to partition command")
        .endsWith("refuse " + kickstart + "; mend that, or say --no-check\n");
    assertThat(Path.of(out)).doesNotExist();
    assertThat(iso("add-kickstart", "--no-check", boot, kickstart, out).status()).isZero();
  }

  @Test
  void theReferencesWordsAreKnown() {
    String[] words = {
      "mkksiso",
      "--ks",
      kickstart,
      "-c",
      "console=ttyS0",
      "-r",
      "quiet rhgb",
      "-R",
      "vmlinuz",
      "kernel",
      "-V",
      "OURS",
      "--skip-mkefiboot",
      "--no-md5sum",
      boot,
      out
    };
    assertThat(Ran.of("slipway", words)).isEqualTo(new Ran(0, out + "\n", ""));
    assertThat(menu()).isEqualTo("linux /kernel console=ttyS0 inst.ks=hd:LABEL=OURS:/a.ks\n");
  }

  @Test
  void nothingToDoAndContradictionsAreRefused() {
    assertThat(Ran.of("slipway", "mkksiso", boot, out).err())
        .startsWith("error: nothing would change; give a kickstart file, or one of --add,");
    assertThat(Ran.of("slipway", "mkksiso", "--ks", kickstart, kickstart, boot, out).err())
        .isEqualTo("error: give the kickstart file by --ks, or in front of the ISOs, not both\n");
    assertThat(iso("add-kickstart", "-r", "a=b", boot, kickstart, out).err())
        .isEqualTo("error: --rm-args takes names of arguments, without their values\n");
    assertThat(iso("write", boot, kickstart).err()).contains("is no block device");
    assertThat(iso().err()).contains("which iso command?");
    assertThat(Path.of(out)).doesNotExist();
  }
}
