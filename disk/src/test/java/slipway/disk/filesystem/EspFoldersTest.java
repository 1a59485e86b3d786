package slipway.disk.filesystem;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.disk.bootloader.ErasedSystems;
import slipway.linux.process.Command;

/** What strangers put on a partition costs a bounded number of processes, and bytes. */
class EspFoldersTest {
  private static final String ID = "2f1c1c58-0f23-4f0b-8a7c-0d0c5b8f6a11";

  private static final String FIRST =
      "; where firmware starts it first, choose the new one in its boot menu (efibootmgr)";

  @TempDir Path directory;
  private Path disk;
  private EspFolders folders;
  private final List<String> notes = new ArrayList<>();

  @BeforeEach
  void format() throws Exception {
    disk = directory.resolve("disk");
    try (RandomAccessFile out = new RandomAccessFile(disk.toFile(), "rw")) {
      out.setLength(640 << 20);
    }
    mtools("mformat", "-F", "::");
    mtools("mmd", "::/EFI", "::/EFI/Linux", "::/loader", "::/loader/entries");
    folders = new EspFolders(disk, 0);
  }

  private void mtools(String program, String... arguments) {
    Command.of(program, "-i", disk.toString()).with(arguments).run();
  }

  private void put(String folder, String... names) throws Exception {
    List<String> files = new ArrayList<>();
    for (String name : names) {
      files.add(Files.writeString(directory.resolve(name), "of " + ID).toString());
    }
    files.add("::/" + folder + "/");
    mtools("mcopy", files.toArray(String[]::new));
  }

  private static String[] many(String prefix, String suffix) {
    String[] names = new String[201];
    for (int i = 0; i < names.length; i++) {
      names[i] = prefix + i + suffix;
    }
    return names;
  }

  private List<String> removed() throws Exception {
    return folders.removeLoadersOf(
        new ErasedSystems(List.of(ID), List.of(ID)),
        Files.createDirectories(directory.resolve("work")),
        notes::add);
  }

  @Test
  void ofManyFoldersTheFirstAreLookedInto() throws Exception {
    mtools("mmd", many("::/EFI/v", ""));
    put("EFI/v0", "grub.cfg");
    assertThat(removed()).containsExactly("v0");
    assertThat(notes)
        .containsExactly(
            "EFI on the EFI system partition has more than 200 folders, so only the first are looked"
                + " into for loaders of the old system");
  }

  @Test
  void aFolderOfManyFilesStays() throws Exception {
    mtools("mmd", "::/EFI/old");
    put("EFI/old", "grub.cfg");
    put("EFI/Linux", many("k", ".efi"));
    assertThat(removed()).containsExactly("old");
    assertThat(notes)
        .containsExactly(
            "the loader EFI/Linux on the EFI system partition could not be looked at or removed and stays:"
                + " EFI/Linux on the EFI system partition has more than 200 entries; remove those"
                + " that nothing starts from"
                + FIRST);
  }

  @Test
  void oneOfManyBytesStays() throws Exception {
    mtools("mmd", "::/EFI/old");
    put("EFI/old", "grub.cfg");
    Path large = directory.resolve("large.efi");
    try (RandomAccessFile out = new RandomAccessFile(large.toFile(), "rw")) {
      out.setLength((512 << 20) + 1);
    }
    mtools("mcopy", large.toString(), "::/EFI/old/");
    assertThat(removed()).isEmpty();
    assertThat(notes)
        .containsExactly(
            "the loader EFI/old on the EFI system partition could not be looked at or removed and stays: it"
                + " has more than 512 MiB"
                + FIRST);
  }

  /** The partition may be the /boot of another system of ostree, too. */
  @Test
  void kernelsOfAnotherSystemStay() throws Exception {
    String ours = "default-" + "0a".repeat(32);
    String others = "fedora-" + "0b".repeat(32);
    mtools("mmd", "::/ostree", "::/ostree/" + ours, "::/ostree/" + others);
    put("loader/entries", "ostree-a-1.conf");
    Path entry = directory.resolve("ostree-1.conf");
    Files.writeString(entry, "title other\nlinux /ostree/" + others + "/vmlinuz\n");
    mtools("mcopy", entry.toString(), "::/loader/entries/");
    assertThat(folders.clearMenu())
        .containsExactly("loader/entries/ostree-a-1.conf", "ostree/" + ours);
    assertThat(Command.of("mdir", "-b", "-i", disk.toString(), "::/ostree/").output())
        .contains(others)
        .doesNotContain(ours);
    // One that nobody can read may name all.
    mtools("mmd", "::/ostree/" + ours);
    put("loader/entries", "x[1].conf");
    assertThat(folders.clearMenu()).isEmpty();
  }

  @Test
  void aMenuOfManyEntriesIsRefused() throws Exception {
    put("loader/entries", many("ostree-a-", ".conf"));
    for (Runnable look : List.<Runnable>of(folders::menu, folders::clearMenu)) {
      assertThatThrownBy(look::run)
          .isInstanceOf(Problem.class)
          .hasMessage(
              "loader/entries on the EFI system partition has more than 200 entries; remove those"
                  + " that nothing starts from");
    }
    assertThat(Command.of("mdir", "-b", "-i", disk.toString(), "::/loader/entries/").output())
        .contains("ostree-a-0.conf");
  }

  @Test
  void aNameThatMtoolsTakeForAPatternIsNotGivenToThem() throws Exception {
    put("EFI/Linux", "k1.efi", "k[1].efi");
    mtools("mmd", "::/EFI/v[1]");
    assertThat(removed()).containsExactly("Linux/k1.efi");
    assertThat(notes)
        .containsExactlyInAnyOrder(
            "the loader EFI/Linux on the EFI system partition could not be looked at or removed and stays:"
                + " mtools take \"k[1].efi\" for a pattern; remove it yourself"
                + FIRST,
            "the loader EFI/v[1] on the EFI system partition could not be looked at or removed and stays:"
                + " mtools take \"v[1]\" for a pattern; remove it yourself"
                + FIRST);
  }
}
