package slipway.iso;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.process.Command;
import slipway.system.kargs.KernelArguments;

/** Held against xorriso, mtools and the media check of isomd5sum. */
class IsoRewriteTest {
  private static final String LABEL = "Fedora-S-dvd-x86_64-42";

  @TempDir Path dir;

  private Path kickstart;

  @BeforeEach
  void kickstart() throws IOException {
    kickstart = Files.writeString(dir.resolve("machine.ks"), "text\nreboot\n");
  }

  private Path make(Path in, IsoChanges changes) throws IOException {
    Path out = dir.resolve("out-" + in.getFileName());
    IsoRewrite.run(in, out, changes, true, OptionalLong.empty(), Progress.NONE);
    return out;
  }

  private static List<String> report(Path iso) {
    return IsoContents.xorriso(iso)
        .with("-report_el_torito", "plain", "-report_system_area", "plain")
        .output()
        .lines()
        .filter(line -> !line.contains("GUID") && !line.contains("size") && !line.contains("range"))
        .filter(line -> !line.matches("MBR partition  .*|El Torito catalog.*|GPT part.*:   3 .*"))
        // Sectors and how many a loader has.
        .map(line -> line.replaceFirst("(img : .*)0x00 .*", "$1").strip())
        .toList();
  }

  private Path extracted(Path iso) throws IOException {
    Path tree = Files.createTempDirectory(dir, "tree");
    IsoContents.xorriso(iso).with("-osirrox", "on", "-extract", "/", tree.toString()).run();
    IsoContents.xorriso(iso)
        .with("-osirrox", "on", "-extract_boot_images", tree.resolve("boot-images").toString())
        .run();
    return tree;
  }

  @Test
  void aKickstartIsFoundFromEveryWayToStart() throws IOException {
    Path in = InstallerIso.likeFedoras(dir, LABEL);
    Path out = make(in, IsoChanges.ofKickstart(kickstart));
    Path before = extracted(in);
    Path after = extracted(out);
    String argument = "inst.stage2=hd:LABEL=" + LABEL + " quiet inst.ks=hd:LABEL=" + LABEL;
    assertThat(Files.readString(after.resolve("boot/grub2/grub.cfg")))
        .contains("\tlinux /images/pxeboot/vmlinuz " + argument + ":/machine.ks\n")
        .doesNotContain("old.ks");
    String uefi = Files.readString(after.resolve("EFI/BOOT/grub.cfg"));
    assertThat(uefi).contains("\tlinuxefi /images/pxeboot/vmlinuz " + argument + ":/machine.ks\n");
    Path esp = after.resolve("boot-images/eltorito_img2_uefi.img");
    assertThat(InstallerIso.mtools("mtype", esp, "::/EFI/BOOT/grub.cfg")).isEqualTo(uefi.strip());
    assertThat(after.resolve("machine.ks")).hasSameTextualContentAs(kickstart);
    for (String same : List.of("images/pxeboot/vmlinuz", "images/pxeboot/initrd.img")) {
      assertThat(after.resolve(same)).hasSameBinaryContentAs(before.resolve(same));
    }
    assertThat(report(out)).isEqualTo(report(in)).anyMatch(line -> line.contains("UEFI"));
    assertThat(Command.of("checkisomd5", out.toString()).run().status()).isZero();
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(out)))
        .isEqualTo("rw-------");
    assertThat(left()).isEmpty();
  }

  @Test
  void whatDebianHandsOnToTheInstalledSystemStaysBehind() throws IOException {
    Path out =
        make(
            InstallerIso.likeDebians(dir, "Debian 12.5.0 amd64 n"),
            IsoChanges.ofKickstart(kickstart));
    Path tree = extracted(out);
    assertThat(Files.readString(tree.resolve("isolinux/txt.cfg")))
        .contains(
            "\tappend vga=788 initrd=/install.amd/initrd.gz"
                + " inst.ks=hd:LABEL=Debian\\x2012.5.0\\x20amd64\\x20n:/machine.ks --- quiet\n");
    // GRUB takes one backslash away.
    assertThat(Files.readString(tree.resolve("boot/grub/grub.cfg")))
        .contains(
            "    linux /install.amd/vmlinuz vga=788"
                + " inst.ks=hd:LABEL=Debian\\\\x2012.5.0\\\\x20amd64\\\\x20n:/machine.ks"
                + " --- quiet\n");
    assertThat(Files.readString(tree.resolve("isolinux/isolinux.cfg")))
        .isEqualTo("path \ninclude txt.cfg\ndefault vesamenu.c32\n");
  }

  /** As each place takes it: arguments as udev writes labels, texts between quotes as it is. */
  @Test
  void aNameOfTheVolumeWithBlanksIsFoundFromEveryPlaceThatNamesIt() throws IOException {
    IsoChanges none = IsoChanges.NONE;
    Path out =
        make(
            InstallerIso.likeFedoras(dir, LABEL),
            new IsoChanges(
                none.kickstart(),
                none.updates(),
                none.added(),
                none.arguments(),
                none.removed(),
                none.replaced(),
                Optional.of("Our own 1")));
    assertThat(Files.readString(extracted(out).resolve("boot/grub2/grub.cfg")))
        .contains("search --no-floppy --set=root -l 'Our own 1'\n")
        .contains(" inst.stage2=hd:LABEL=Our\\\\x20own\\\\x201 ");
    // And back, from a name with blanks to one without.
    Path again = dir.resolve("again.iso");
    IsoChanges back =
        new IsoChanges(
            none.kickstart(),
            none.updates(),
            none.added(),
            none.arguments(),
            none.removed(),
            none.replaced(),
            Optional.of("Plain"));
    IsoRewrite.run(out, again, back, true, OptionalLong.empty(), Progress.NONE);
    assertThat(Files.readString(extracted(again).resolve("boot/grub2/grub.cfg")))
        .contains("search --no-floppy --set=root -l 'Plain'\n", " inst.stage2=hd:LABEL=Plain ");
  }

  @Test
  void argumentsFilesAndTheNameOfTheVolumeChange() throws IOException {
    Path in = InstallerIso.likeFedoras(dir, LABEL);
    Path folder = Files.createDirectory(dir.resolve("extra"));
    Files.writeString(folder.resolve("note"), "hello");
    Path out =
        make(
            in,
            new IsoChanges(
                Optional.empty(),
                Optional.of(Files.writeString(dir.resolve("updates.img"), "u")),
                List.of(folder),
                KernelArguments.of("console=ttyS0,115200n8", "title=\"two words\""),
                List.of("quiet"),
                List.of(new IsoChanges.Replaced("'Install'", "'Install it'")),
                Optional.of("Ours")));
    Path tree = extracted(out);
    assertThat(Files.readString(tree.resolve("boot/grub2/grub.cfg")))
        .contains("search --no-floppy --set=root -l 'Ours'\n", "menuentry 'Install it' ")
        .contains(
            " inst.stage2=hd:LABEL=Ours inst.ks=cdrom:/old.ks console=ttyS0,115200n8"
                + " title=\"two words\" inst.updates=hd:LABEL=Ours:/updates.img\n");
    assertThat(tree.resolve("extra/note")).hasContent("hello");
    assertThat(IsoContents.of(out).volume()).isEqualTo("Ours");
    // What was made is made anew.
    Path again = dir.resolve("again.iso");
    IsoRewrite.run(
        out, again, IsoChanges.ofKickstart(kickstart), true, OptionalLong.empty(), Progress.NONE);
    assertThat(Files.readString(extracted(again).resolve("boot/grub2/grub.cfg")))
        .contains("inst.ks=hd:LABEL=Ours:/machine.ks");
    assertThat(Command.of("checkisomd5", again.toString()).run().status()).isZero();
  }

  @Test
  void theSameIsMadeAgainOfTheSame() throws Exception {
    Path in = InstallerIso.likeFedoras(dir, LABEL);
    List<Path> made = new ArrayList<>();
    for (String name : List.of("a.iso", "b.iso")) {
      Path out = dir.resolve(name);
      IsoChanges changes = IsoChanges.ofKickstart(kickstart);
      IsoRewrite.run(in, out, changes, true, OptionalLong.of(1_700_000_000), Progress.NONE);
      made.add(out);
    }
    assertThat(made.get(0)).hasSameBinaryContentAs(made.get(1));
    // FAT's times are in steps of two seconds, in which both may have been made.
    Path esp = extracted(made.get(0)).resolve("boot-images/eltorito_img2_uefi.img");
    assertThat(InstallerIso.mtools("mdir", esp, "::/EFI/BOOT/grub.cfg")).contains("2023-11-14");
  }

  @Test
  void whatCannotBeMadeIsRefusedInASentence() throws IOException {
    Path in = InstallerIso.likeFedoras(dir, LABEL);
    IsoChanges changes = IsoChanges.ofKickstart(kickstart);
    refused(dir.resolve("missing.iso"), changes, "missing.iso does not exist");
    refused(Files.write(dir.resolve("x.iso"), new byte[99999]), changes, "is no ISO 9660 image");
    refused(dir, changes, "is no regular file");
    refused(in, IsoChanges.ofKickstart(dir.resolve("no.ks")), "there is no ");
    Path blank = Files.writeString(dir.resolve("my answers.ks"), "text\n");
    refused(in, IsoChanges.ofKickstart(blank), "letters, digits and . _ + - only");
    refused(in, arguments("a;reboot"), "for its own");
    refused(in, arguments("a\nb"), "--cmdline");
    Path empty = dir.resolve("empty.iso");
    Command.of("xorriso", "-no_rc", "-as", "mkisofs", "-quiet", "-V", "X", "-o", empty.toString())
        .with(dir.resolve("fedora/images").toString())
        .run();
    refused(empty, changes, "has no boot menu");
    Path half = dir.resolve("half.iso");
    byte[] bytes = Files.readAllBytes(in);
    Files.write(half, java.util.Arrays.copyOf(bytes, 200_000));
    refused(half, changes, "xorriso cannot read " + half + ": is it whole?");
    assertThat(left()).isEmpty();
    Path out = make(in, changes);
    byte[] made = Files.readAllBytes(out);
    refused(in, changes, "already exists");
    assertThat(out).hasBinaryContent(made);
  }

  private static IsoChanges arguments(String argument) {
    return new IsoChanges(
        Optional.empty(),
        Optional.empty(),
        List.of(),
        KernelArguments.of(argument),
        List.of(),
        List.of(),
        Optional.empty());
  }

  private void refused(Path in, IsoChanges changes, String sentence) {
    assertThatThrownBy(() -> make(in, changes))
        .isInstanceOf(Problem.class)
        .hasMessageContaining(sentence);
  }

  /** Unfinished files beside the results. */
  private List<Path> left() throws IOException {
    try (Stream<Path> files = Files.list(dir)) {
      return files.filter(f -> f.getFileName().toString().startsWith(".")).toList();
    }
  }
}
