package slipway.media;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.linux.process.Command;

class KvmProbeTest {
  @Test
  void theTestGuestRunsWhereGuestsRun() throws Exception {
    assertThat(KvmProbe.run(Accelerator.TCG).usable()).isTrue();
  }

  /** Runs the guest once. */
  static final class Child {
    private Child() {}

    public static void main(String[] args) throws IOException {
      System.out.println(KvmProbe.run(Accelerator.TCG).usable());
    }
  }

  /** Starts a child with a QEMU of this text. */
  private static Process child(Path folder, String qemu) throws IOException {
    Path program = folder.resolve("bin/qemu-system-x86_64");
    Files.createDirectories(program.getParent());
    Files.writeString(program, "#!/bin/sh\n" + qemu);
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
    ProcessBuilder child =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin/java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            Child.class.getName());
    child.environment().put("TMPDIR", folder.resolve("tmp").toString());
    child.environment().put("PATH", program.getParent() + ":" + System.getenv("PATH"));
    return child.redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }

  @Test
  void theNextProbeRemovesWhatAKilledOneLeft(@TempDir Path folder) throws Exception {
    Path temporary = Files.createDirectory(folder.resolve("tmp"));
    Path began = folder.resolve("began");
    Command.of("mkfifo", began.toString()).run();
    Process killed = child(folder, "echo > " + began + "\nexec sleep 1000\n");
    List<ProcessHandle> guests;
    try (InputStream in = Files.newInputStream(began)) {
      assertThat(in.read()).isEqualTo('\n');
      guests = killed.descendants().toList();
    } finally {
      killed.destroyForcibly().waitFor();
    }
    guests.forEach(ProcessHandle::destroyForcibly);
    assertThat(temporary).isNotEmptyDirectory();
    Process next = child(folder, "exit 85\n");
    assertThat(next.inputReader().readLine()).isEqualTo("true");
    assertThat(next.waitFor()).isZero();
    assertThat(temporary).isEmptyDirectory();
  }

  @Test
  void aProcessorWithoutVirtualisationIsNotTried(@TempDir Path run) throws Exception {
    boolean flags =
        Files.readString(Path.of("/proc/cpuinfo"))
            .matches("(?s).*\\nflags\\s*:[^\\n]*\\b(vmx|svm)\\b.*");
    KvmProbe verdict = KvmProbe.of(run);
    assertThat(verdict.reason()).isNotBlank();
    if (!flags) {
      assertThat(verdict.usable()).isFalse();
      assertThat(run).isEmptyDirectory();
    }
  }
}
