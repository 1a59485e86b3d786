package slipway.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Notes;
import slipway.base.Problem;

/**
 * What is asked of cryptsetup and systemd-cryptenroll, played by scripts that note it: encrypting
 * takes the kernel's device mapper, which machines that run tests need not have.
 */
class EncryptedRootTest {
  private static final UUID ID = UUID.fromString("0a1b2c3d-0000-4000-8000-00000000000a");

  @TempDir Path directory;

  private final List<String> notes = new ArrayList<>();
  private Path log;
  private Path work;
  private EncryptedRoot.Tools tools;

  @BeforeEach
  void play() throws IOException {
    log = directory.resolve("log");
    work = Files.createDirectory(directory.resolve("work"));
    Path bin = Files.createDirectory(directory.resolve("bin"));
    tools = new EncryptedRoot.Tools(bin + ":/usr/bin:/bin", directory.resolve("tpm"));
    script(
        "cryptsetup",
        "case $1 in close) key=;; *) key=$(cat | wc -c);; esac; echo cryptsetup $* $key >> " + log);
    script(
        "systemd-cryptenroll",
        "for a; do case $a in --unlock-key-file=*) f=${a#*=};; esac; done\n"
            + "echo enroll $1 $2 $(stat -c %a $f) $(wc -c < $f) $4 >> "
            + log);
  }

  private void script(String name, String text) throws IOException {
    Path file = directory.resolve("bin").resolve(name);
    Files.writeString(file, "#!/bin/sh\n" + text + "\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private EncryptedRoot create() throws IOException {
    return EncryptedRoot.create(Path.of("/dev/part"), ID, work, tools, new Notes(notes::add));
  }

  @Test
  void whatStaysOpenIsTold() throws Exception {
    EncryptedRoot root = create();
    script("cryptsetup", "exit 5");
    root.close();
    assertThat(notes)
        .singleElement()
        .asString()
        .contains("close it by cryptsetup close slipway-" + ID);
  }

  @Test
  void theTpmAloneHasAKeyInTheEnd() throws Exception {
    EncryptedRoot root = create();
    assertThat(root.device()).hasToString("/dev/mapper/slipway-" + ID);
    assertThat(root.arguments().list())
        .containsExactly("luks.uuid=" + ID, "luks.options=tpm2-device=auto,headless=true");
    assertThat(work).isEmptyDirectory();
    root.close();
    assertThat(Files.readAllLines(log))
        .containsExactly(
            "cryptsetup luksFormat --batch-mode --type luks2 --uuid "
                + ID
                + " --key-file - /dev/part 64",
            "cryptsetup open --type luks2 --key-file - /dev/part slipway-" + ID + " 64",
            "enroll --wipe-slot=all --tpm2-device=auto 600 64 /dev/part",
            "cryptsetup close slipway-" + ID);
    assertThat(notes).isEmpty();
  }

  @Test
  void whatCannotBeBoundIsClosedAgain() throws Exception {
    script("systemd-cryptenroll", "echo TPM2 is locked >&2; exit 1");
    assertThatThrownBy(this::create)
        .isInstanceOf(Problem.class)
        .hasMessageContaining("systemd-cryptenroll failed with status 1");
    assertThat(work).isEmptyDirectory();
    assertThat(Files.readAllLines(log)).last().isEqualTo("cryptsetup close slipway-" + ID);
  }

  @Test
  void aMachineThatCannotDoItIsToldBefore() throws Exception {
    assertThatThrownBy(() -> tools.require())
        .isInstanceOf(Problem.class)
        .hasMessageStartingWith("--block-setup tpm2-luks: this machine has no TPM 2.0");
    for (String version : List.of("1", "2")) {
      Path tpm = Files.createDirectories(directory.resolve("tpm/tpm" + version));
      Files.writeString(tpm.resolve("tpm_version_major"), version + "\n");
    }
    tools.require();
    Files.delete(directory.resolve("bin/cryptsetup"));
    EncryptedRoot.Tools without =
        new EncryptedRoot.Tools(directory.resolve("bin").toString(), directory.resolve("tpm"));
    assertThatThrownBy(without::require)
        .isInstanceOf(Problem.class)
        .hasMessageContaining("there is no cryptsetup here");
  }
}
