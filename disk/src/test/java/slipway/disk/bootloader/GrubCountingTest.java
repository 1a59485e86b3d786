package slipway.disk.bootloader;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.disk.config.GrubConsole;
import slipway.linux.process.Command;
import slipway.sysroot.state.BootTrial;

/**
 * What GRUB makes of the configuration that disks get, by GRUB itself in a machine that has nothing
 * else: a disk with {@code /boot} and entries that say their name and restart.
 */
class GrubCountingTest {
  private static final String ID = "5b2f8a30-6e0d-4bb0-8f4e-2f1a2b3c4d5e";
  private static final Duration LIMIT = Duration.ofMinutes(2);
  private static final int START = 1 << 20;
  private static final int SIZE = 24 << 20;

  @TempDir Path directory;

  private static String environment(String... variables) {
    StringBuilder block = new StringBuilder("# GRUB Environment Block\n");
    for (String each : variables) {
      block.append(each).append('\n');
    }
    return block + "#".repeat(1024 - block.length());
  }

  private Path configured(Grub.Boot place) throws IOException {
    Path boot = Files.createTempDirectory(directory, "boot");
    new Grub(directory, place, "amd64", directory).configure(boot, GrubConsole.USUAL);
    return boot;
  }

  @Test
  void grubTakesTheConsoleThatIsAskedFor() throws Exception {
    GrubConsole asked = new GrubConsole(List.of("console"), List.of(), "--unit=1 --speed=9600");
    Path boot = Files.createTempDirectory(directory, "boot");
    new Grub(directory, new Grub.Boot(ID, "", "ext4"), "amd64", directory).configure(boot, asked);
    Command.of("grub-script-check", boot.resolve("grub/grub.cfg").toString()).run();
    assertThat(text(boot))
        .startsWith(
            """
            set timeout=1
            serial --unit=1 --speed=9600
            terminal_input console
            terminal_output serial console
            search\
            """);
  }

  private static String text(Path boot) throws IOException {
    return Files.readString(boot.resolve("grub/grub.cfg"));
  }

  @Test
  void grubUnderstandsEachForm() throws Exception {
    for (String filesystem : List.of("ext4", "xfs", "btrfs")) {
      for (String folder : List.of("", "/boot")) {
        Path boot = configured(new Grub.Boot(ID, folder, filesystem));
        Command.of("grub-script-check", boot.resolve("grub/grub.cfg").toString()).run();
        assertThat(text(boot).contains(folder + "/loader/grubenv"))
            .as("GRUB writes to ext4 alone")
            .isEqualTo(filesystem.equals("ext4"));
        Path root = Files.createDirectory(boot.resolve("root"));
        Files.createSymbolicLink(root.resolve("boot"), boot);
        assertThat(BootTrial.isCountedByLoader(root)).isEqualTo(filesystem.equals("ext4"));
      }
    }
  }

  @Test
  @Tag("slow")
  void countsEachStartAndThenStartsTheOneBefore() throws Exception {
    Path disk = disk(environment("boot_success=0", "boot_counter=3", "slipway_tries=3"));
    List<String> seen = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      seen.add(start(disk) + " " + counter(disk));
    }
    assertThat(seen).containsExactly("new 2", "new 1", "new 0", "old -1", "old -1");
  }

  @Test
  void countsFromTheMostTries() throws Exception {
    Path disk = disk(environment("boot_success=0", "boot_counter=" + BootTrial.MOST_TRIES, "a=b"));
    assertThat(start(disk) + " " + counter(disk)).isEqualTo("new " + (BootTrial.MOST_TRIES - 1));
  }

  @Test
  @Tag("slow")
  void startsTheFirstEntryWhateverElseIsThere() throws Exception {
    for (String block :
        List.of(
            "",
            environment("boot_success=1", "boot_counter=0"),
            environment("boot_success=0", "boot_counter=many"),
            "no block at all\n",
            environment("boot_success=0", "boot_counter=0").substring(0, 30))) {
      Path disk = disk(block);
      assertThat(start(disk)).as(block).isEqualTo("new");
    }
  }

  /** A disk with GRUB before its only partition. */
  private Path disk(String block) throws IOException {
    Path boot = configured(new Grub.Boot(ID, "", "ext4"));
    Path loader = Files.createDirectories(boot.resolve("loader.0"));
    Files.createSymbolicLink(boot.resolve("loader"), Path.of("loader.0"));
    if (!block.isEmpty()) {
      Files.writeString(loader.resolve("grubenv"), block);
    }
    String menu =
        text(boot)
            .replace("set timeout=1", "set timeout=0")
            // The firmware shows the console on the serial port too, between the letters.
            .replace("terminal_output serial console", "terminal_output serial");
    assertThat(menu).endsWith("blscfg\n");
    // GRUB of older distributions cannot read boot entries.
    Files.writeString(
        boot.resolve("grub/grub.cfg"),
        menu.replace(
            "blscfg\n",
            """
            menuentry new { echo STARTED new; reboot; }
            menuentry old { echo STARTED old; reboot; }
            """));
    Path disk = Files.createTempFile(directory, "disk", ".raw");
    try (RandomAccessFile file = new RandomAccessFile(disk.toFile(), "rw")) {
      file.setLength(START + SIZE);
    }
    Command.of("sfdisk", "--quiet", disk.toString()).stdin("label: dos\nstart=2048\n").run();
    Command.of("mke2fs", "-q", "-F", "-t", "ext4", "-U", ID, "-O", "^metadata_csum_seed")
        .with("-d", boot.toString(), "-E", "offset=" + START, disk.toString(), SIZE / 1024 + "k")
        .run();
    Grub.Place place = new Grub.Place(512, START - 512);
    new Grub.Bios(place, Files.readAllBytes(Path.of("/usr/lib/grub/i386-pc/boot.img")), core())
        .embed(disk);
    return disk;
  }

  /** With the modules that disks get, so that none is missing that the configuration needs. */
  private byte[] core() throws IOException {
    Path early = directory.resolve("early.cfg");
    Files.writeString(
        early,
        """
        search --no-floppy --fs-uuid --set=root %s
        set prefix=($root)/grub
        configfile $prefix/grub.cfg
        """
            .formatted(ID));
    Path core = directory.resolve("core.img");
    Command.of("grub-mkimage", "-O", "i386-pc", "-p", "/grub", "-c", early.toString())
        .with("-o", core.toString(), "biosdisk", "ext2")
        .with(Grub.MODULES.toArray(String[]::new))
        .run();
    return Files.readAllBytes(core);
  }

  /** Switches on until the entry restarts, and tells which it was. */
  private static String start(Path disk) {
    String console =
        Command.of("qemu-system-x86_64", "-nodefaults", "-no-user-config", "-nographic")
            .with("-accel", "tcg", "-m", "64M", "-serial", "stdio", "-no-reboot")
            .with("-drive", "file=" + disk + ",format=raw,if=virtio")
            .timeout(LIMIT)
            .run()
            .text();
    assertThat(console).contains("STARTED ");
    return console.replaceFirst("(?s).*STARTED (\\w+).*", "$1");
  }

  private static String counter(Path disk) {
    byte[] block =
        Command.of("debugfs", "-R", "cat /loader.0/grubenv", disk + "?offset=" + START)
            .run()
            .stdout();
    assertThat(block).hasSize(1024);
    return new String(block, StandardCharsets.UTF_8)
        .lines()
        .filter(line -> line.startsWith("boot_counter="))
        .map(line -> line.substring("boot_counter=".length()))
        .findFirst()
        .orElse("");
  }
}
