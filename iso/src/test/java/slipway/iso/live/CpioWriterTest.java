package slipway.iso.live;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.linux.process.Command;

class CpioWriterTest {
  @TempDir Path dir;

  @Test
  void cpioReadsIt() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    CpioWriter cpio = new CpioWriter(out);
    byte[] text = "echo hello\n".getBytes(UTF_8);
    cpio.file("usr/bin/hello", 0755, text.length, new ByteArrayInputStream(text));
    cpio.file("usr/lib/empty", 0644, 0, new ByteArrayInputStream(new byte[0]));
    cpio.link("usr/lib/greet", "../bin/hello");
    cpio.end();

    Command.Result listed =
        Command.of("cpio", "-itv", "--numeric-uid-gid").stdin(out.toByteArray()).run();
    assertThat(
            listed.text().lines().map(l -> l.replaceAll("Jan +1 +1970", "").replaceAll(" +", " ")))
        .containsExactly(
            "drwxr-xr-x 2 0 0 0 usr",
            "drwxr-xr-x 2 0 0 0 usr/bin",
            "-rwxr-xr-x 1 0 0 11 usr/bin/hello",
            "drwxr-xr-x 2 0 0 0 usr/lib",
            "-rw-r--r-- 1 0 0 0 usr/lib/empty",
            "lrwxrwxrwx 1 0 0 12 usr/lib/greet -> ../bin/hello");
    Command.of("cpio", "-idm", "--quiet").directory(dir).stdin(out.toByteArray()).run();
    assertThat(Files.readString(dir.resolve("usr/lib/greet"))).isEqualTo("echo hello\n");
  }
}
