package slipway.disk.bootloader;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.linux.mount.Mount;

/** An EFI system partition that is mounted; any folder looks like one. */
class EfiFolderTest {
  private static final String ERASED = "0A1B2C3D-0000-4000-8000-00000000000A";

  @TempDir Path folder;

  private final List<String> notes = new ArrayList<>();

  private List<String> removed(List<String> boots, List<String> kernels) throws Exception {
    return new EfiFolder(folder).removeLoadersOf(new ErasedSystems(boots, kernels), notes::add);
  }

  private void file(String path, String content) throws Exception {
    Path file = folder.resolve("EFI").resolve(path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, content);
  }

  @Test
  void anEmptyPartitionHasNoLoaders() throws Exception {
    assertThat(removed(List.of(ERASED), List.of(ERASED))).isEmpty();
  }

  @Test
  void loadersOfOthersStay() throws Exception {
    file("BOOT/BOOTX64.EFI", "shim of " + ERASED);
    file(
        "debian/grub.cfg",
        "search.fs_uuid " + ERASED.toLowerCase(Locale.ROOT) + " root hd0,gpt2\n");
    file("debian/shimx64.efi", "shim");
    file("built/grubx64.efi", "\0\0search.fs_uuid " + ERASED + " root\0");
    file("other/grub.cfg", "search.fs_uuid 11111111-0000-4000-8000-00000000000A root\n");
    file("Linux/old.efi", "root=UUID=" + ERASED);
    file("Linux/fedora.efi", "root=UUID=11111111-0000-4000-8000-00000000000A");
    file("Microsoft/Boot/bootmgfw.efi", "windows");
    EfiFolder efi = new EfiFolder(folder);
    Path files = Files.createDirectories(folder.resolve("files/EFI/BOOT"));
    Files.writeString(files.resolve("BOOTX64.EFI"), "MZ");
    efi.write(folder.resolve("files"));
    assertThat(removed(List.of(ERASED), List.of(ERASED)))
        .containsExactlyInAnyOrder("debian", "built", "Linux/old.efi");
    assertThat(folder.resolve("EFI")).isDirectoryNotContaining("glob:**{debian,built}");
    assertThat(folder.resolve("EFI/BOOT/BOOTX64.EFI")).hasContent("MZ");
    assertThat(folder.resolve("EFI/other/grub.cfg")).exists();
    assertThat(folder.resolve("EFI/Linux/old.efi")).doesNotExist();
    assertThat(folder.resolve("EFI/Linux/fedora.efi")).exists();
    assertThat(folder.resolve("EFI/Microsoft/Boot/bootmgfw.efi")).hasContent("windows");
  }

  /** As of a root that stays beside the new one, when its /boot is erased. */
  @Test
  void whatNamesARootThatStaysStays() throws Exception {
    file("debian/grub.cfg", "search.fs_uuid " + ERASED);
    file("Linux/old.efi", "root=UUID=" + ERASED);
    assertThat(removed(List.of(ERASED), List.of())).containsExactly("debian");
    assertThat(folder.resolve("EFI/Linux/old.efi")).exists();
    assertThat(removed(List.of(ERASED), List.of(ERASED))).containsExactly("Linux/old.efi");
    assertThat(folder.resolve("EFI/Linux")).as("empty now").doesNotExist();
  }

  /** The new loader does not depend on it, and by now the old system is gone. */
  @Test
  void oneThatCannotBeRemovedIsToldAndTheOthersGo() throws Exception {
    for (String vendor : List.of("a", "b", "c")) {
      file(vendor + "/grub.cfg", "search.fs_uuid " + ERASED);
    }
    Path busy = Files.createDirectory(folder.resolve("EFI/b/busy"));
    try (Mount mounted = Mount.of("tmpfs", busy, "tmpfs", 0, null)) {
      assertThat(removed(List.of(ERASED), List.of())).containsExactlyInAnyOrder("a", "c");
    }
    assertThat(notes)
        .singleElement()
        .asString()
        .startsWith(
            "the loader EFI/b on the EFI system partition could not be looked at or removed")
        .endsWith("choose the new one in its boot menu (efibootmgr)");
  }

  @Test
  void whatStaysIsToldWhateverTheReason() {
    assertThat(EfiFolder.stays("old", new IllegalStateException()))
        .contains("stays: IllegalStateException; where firmware");
  }
}
