package slipway.disk.bootloader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.archive.tar.Metadata;
import slipway.base.Problem;
import slipway.linux.process.Command;
import slipway.tree.Content;
import slipway.tree.TreeBuilder;

class GrubTest {
  private static final String FOLDER = "usr/lib/grub/x86_64-efi/";

  /** What grub-bios-setup does to a GPT disk, written a second time as its judge. */
  private static final String JUDGE =
      """
      import struct, sys
      disk, boot, core, lba = sys.argv[1], open(sys.argv[2], 'rb').read(), \\
          bytearray(open(sys.argv[3], 'rb').read()), int(sys.argv[4])
      first = bytearray(boot)
      struct.pack_into('<Q', first, 0x5c, lba)
      first[0x66:0x68] = b'\\x90\\x90'
      struct.pack_into('<QHH', core, 0x1f4, lba + 1, (len(core) + 511) // 512 - 1, 0x820)
      with open(disk, 'r+b') as f:
          sector = bytearray(f.read(512))
          sector[0:440] = first[0:440]
          f.seek(0)
          f.write(sector)
          f.seek(lba * 512)
          f.write(core)
      """;

  @TempDir Path directory;

  private static Grub.Place bios(long size) {
    return new Grub.Place(1 << 20, size);
  }

  private Path disk(String name) throws Exception {
    byte[] disk = new byte[3 << 20];
    new Random(7).nextBytes(disk);
    return Files.write(directory.resolve(name), disk);
  }

  @Test
  void embeddingIsByteForByteThatOfAnother() throws Exception {
    Path boot = Path.of("/usr/lib/grub/i386-pc/boot.img");
    Path core = directory.resolve("core.img");
    Command.of("grub-mkimage", "-O", "i386-pc", "-p", "(hd0,gpt3)/grub", "-o", core.toString())
        .with("biosdisk", "part_gpt", "ext2", "normal")
        .run();
    Path ours = disk("ours");
    Path theirs = disk("theirs");
    new Grub.Bios(bios(1 << 20), Files.readAllBytes(boot), Files.readAllBytes(core)).embed(ours);
    Command.of("python3", "-c", JUDGE, theirs.toString(), boot.toString(), core.toString(), "2048")
        .run();
    assertThat(Files.mismatch(ours, theirs)).isEqualTo(-1);
    byte[] before = Files.readAllBytes(disk("before"));
    byte[] after = Files.readAllBytes(ours);
    assertThat(Arrays.equals(before, 440, 1 << 20, after, 440, 1 << 20))
        .describedAs("the partition table's part of the first sector and all up to the partition")
        .isTrue();
  }

  @Test
  void whatDoesNotFitIsNotWritten() throws Exception {
    Path disk = disk("small");
    byte[] before = Files.readAllBytes(disk);
    assertThatThrownBy(() -> new Grub.Bios(bios(1024), new byte[512], new byte[2048]).embed(disk))
        .isInstanceOf(Problem.class);
    assertThatThrownBy(
            () -> new Grub.Bios(bios(1 << 20), new byte[440], new byte[2048]).embed(disk))
        .isInstanceOf(Problem.class);
    assertThatThrownBy(() -> new Grub.Bios(bios(1 << 20), new byte[512], new byte[100]).embed(disk))
        .isInstanceOf(Problem.class);
    assertThat(Files.readAllBytes(disk)).isEqualTo(before);
  }

  /** An image's folder with GRUB's files for UEFI, as far as they are looked for. */
  private static TreeBuilder modules() {
    TreeBuilder image = new TreeBuilder();
    List<String> names = new ArrayList<>(List.of("kernel.img", "moddep.lst", "blscfg.mod"));
    Grub.MODULES.forEach(module -> names.add(module + ".mod"));
    names.forEach(name -> image.file(FOLDER + name, Metadata.file(0644), Content.of(new byte[9])));
    return image;
  }

  private static void assertRefused(TreeBuilder image, String sentence) {
    assertThatThrownBy(() -> Grub.require(image.build(), "amd64", false, true))
        .isInstanceOf(Problem.class)
        .hasMessage(sentence);
  }

  /** Each is found before anything is erased for the image. */
  @Test
  void aFolderOfModulesIsBounded() {
    Grub.require(modules().build(), "amd64", false, true);
    TreeBuilder many = modules();
    for (int i = 0; i < 1000; i++) {
      many.file(FOLDER + "more" + i + ".mod", Metadata.file(0644), Content.of(new byte[0]));
    }
    assertRefused(
        many,
        "the image's /usr/lib/grub/x86_64-efi has more than 1000 files of GRUB's; leave those out"
            + " that GRUB does not need");
    TreeBuilder large = modules();
    for (String name : List.of("a.mod", "b.mod")) {
      large.file(FOLDER + name, Metadata.file(0644), Content.of(new byte[33 << 20]));
    }
    assertThatThrownBy(() -> Grub.require(large.build(), "amd64", false, true))
        .isInstanceOf(Problem.class)
        .hasMessageStartingWith("the image's /usr/lib/grub/x86_64-efi: more than 64 MiB");
    TreeBuilder link = modules();
    link.symlink(FOLDER + "link.mod", "/etc/shadow");
    assertRefused(
        link,
        "the image's /usr/lib/grub/x86_64-efi/link.mod is no regular file; put the file itself"
            + " there");
  }
}
