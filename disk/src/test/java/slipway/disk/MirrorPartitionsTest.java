package slipway.disk;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import slipway.disk.FilesystemInstall.Replace;
import slipway.disk.config.RootFileSystem;
import slipway.linux.loop.LoopDevice;
import slipway.linux.mount.Mount;
import slipway.linux.process.Command;

/** A root on two disks, each with an EFI system partition. */
class MirrorPartitionsTest extends FilesystemCase {
  /** Makes the root a btrfs over both disks; /boot is on the first one. */
  private Path second() throws Exception {
    Path second = directory.resolve("second");
    try (RandomAccessFile out = new RandomAccessFile(second.toFile(), "rw")) {
      out.setLength(2048 * MIB);
    }
    Command.of("sfdisk", "--quiet", second.toString()).stdin(GPT).run();
    LoopDevice one = disk(GPT, 3);
    LoopDevice other = loop(second, table(second).get(3));
    open.add(other);
    Command.of("mkfs.btrfs", "-q", "-m", "raid1", "-d", "raid1")
        .with(one.device().toString(), other.device().toString())
        .run();
    root = Files.createDirectories(directory.resolve("mnt"));
    open.add(Mount.of(one.device().toString(), root, "btrfs", 0, "device=" + other.device()));
    mount(disk(GPT, 2), RootFileSystem.EXT4, root.resolve("boot"));
    format(disk);
    return second;
  }

  private static String esp(Path disk) throws Exception {
    return disk + "@@" + table(disk).get(1).start();
  }

  private static void format(Path disk) throws Exception {
    Command.of("mformat", "-i", esp(disk), "-F", "-T", "131072", "::").run();
  }

  @Test
  void whatStrangersWroteIsToldInPlainLetters() {
    assertThat(MirrorPartitions.unseen(new NoSuchFileException("/boot/\u001b[31mred")))
        .isEqualTo(
            "the EFI system partitions of further disks could not be looked at:"
                + " /boot/\\x1b[31mred does not exist");
  }

  @Test
  @Tag("slow")
  void allGetTheLoaderAndOneThatCannotIsNamed() throws Exception {
    Path second = second();
    install(request(Replace.NOTHING));
    judged();
    assertThat(notes)
        .contains(
            "the EFI system partition of "
                + second
                + " has not got the loader, so the machine does not start from that disk: it holds"
                + " no FAT that can be read");
    format(second);
    notes.clear();
    // The kernel of the erased root goes with the folder that all systems share.
    Path kernel = Files.writeString(directory.resolve("old.efi"), "root=UUID=" + uuid(root));
    Command.of("mmd", "-i", esp(second), "::/EFI", "::/EFI/Linux").run();
    Command.of("mcopy", "-i", esp(second), kernel.toString(), "::/EFI/Linux/").run();
    install(request(Replace.WIPE));
    judged();
    assertThat(notes)
        .contains(
            "removed the old system's loader EFI/Linux/old.efi from the EFI system partition "
                + second);
    assertThat(notes).noneMatch(line -> line.contains("has not got the loader"));
    for (Path each : new Path[] {disk, second}) {
      assertThat(Command.of("mdir", "-b", "-i", esp(each), "::/EFI/BOOT/").output())
          .contains("::/EFI/BOOT/BOOTX64.EFI");
      assertThat(Command.of("filefrag", "-v", each.toString()).output())
          .as("what mtools wrote is on the disk")
          .doesNotContain("delalloc");
    }
    Command.of("mmd", "-i", esp(second), "::/EFI/other").run();
    install(request(Replace.WIPE));
    assertThat(notes)
        .anyMatch(line -> line.endsWith("it has a loader of another system (EFI/other)"));
  }
}
