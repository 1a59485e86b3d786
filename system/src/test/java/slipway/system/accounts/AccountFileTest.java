package slipway.system.accounts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.RootedFile;

/** Account files as images have them: odd, old, and larger than anybody's. */
class AccountFileTest {
  private static final String ODD =
      """
      root:x:0:0:root:/root:/bin/sh
      # a note
      +::::::
      :x:1:1::/:
      short:x
      long:x:2:2::/:/bin/sh:more
      root:x:5:5:again:/:/bin/sh
      open:x:6:6:::
      """;

  @TempDir Path root;
  private Path passwd;

  @BeforeEach
  void makeEtc() throws IOException {
    passwd = Files.createDirectory(root.resolve("etc")).resolve("passwd");
  }

  private AccountFile read() throws IOException {
    return AccountFile.read(
        OsPath.of(root), "etc/passwd", RootedFile.Links.IN_ROOT, "the image's /etc/passwd");
  }

  private static List<String> names(List<String[]> lines) {
    return lines.stream().map(line -> line[0]).toList();
  }

  /** glibc ends a line at a line feed only; else one line would come back as two. */
  @Test
  void aCarriageReturnMakesNoSecondAccount() {
    String odd = "a:x:1:1:note\rroot2::0:0:::\nb:x:2:2::/:/bin/sh\r\n";
    AccountFile file = AccountFile.parse(odd);
    assertThat(names(file.lines())).containsExactly("a", "b");
    assertThat(file).hasToString(odd);
  }

  @Test
  void whatIsNoAccountStaysWhereItIs() {
    AccountFile file = AccountFile.parse(ODD);
    assertThat(file).hasToString(ODD);
    assertThat(names(file.lines()))
        .containsExactly("root", "# a note", "+", "", "short", "long", "root", "open");
    assertThat(names(file.accounts(7))).containsExactly("root", "+", "root", "open");
    assertThat(file.accounts(7).getLast()).containsExactly("open", "x", "6", "6", "", "", "");
  }

  @Test
  void theFirstOfANameCountsIfItHasTheFields() {
    AccountFile file = AccountFile.parse(ODD);
    assertThat(file.find("root", 7).orElseThrow()[2]).isEqualTo("0");
    assertThat(file.find("short", 7)).isEmpty();
    assertThat(file.find("short", 2)).isPresent();
    assertThat(file.find("long", 7)).isEmpty();
    assertThat(file.find("Root", 7)).isEmpty();
  }

  @Test
  void emptyLinesGoAndTheLastLineEnds() {
    assertThat(AccountFile.parse("\na:x\n\n\nb:y")).hasToString("a:x\nb:y\n");
    assertThat(AccountFile.parse("\n\n").lines()).isEmpty();
    assertThat(AccountFile.parse("")).hasToString("");
  }

  @Test
  void aChangeLeavesTheOtherLinesAndANewOneIsTheLast() {
    AccountFile file = AccountFile.parse(ODD);
    file.find("root", 7).orElseThrow()[6] = "/bin/zsh";
    file.add("new", "x", "7", "7", "", "/", "")[5] = "/home/new";
    assertThat(file)
        .hasToString(ODD.replaceFirst("/bin/sh", "/bin/zsh") + "new:x:7:7::/home/new:\n");
    assertThat(file.find("new", 7)).isPresent();
  }

  /** Latin-1, UTF-8, and control characters that other readers of text take for ends of lines. */
  @Test
  void bytesOfAnyKindAreKept() throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int b = 0; b < 256; b++) {
      if (b != '\n' && b != '\r') {
        bytes.write(b);
      }
    }
    bytes.writeBytes(":J\u00fcrgen\u2028\n".getBytes(StandardCharsets.UTF_8));
    Files.write(passwd, bytes.toByteArray());
    AccountFile file = read();
    assertThat(file.lines()).hasSize(1);
    assertThat(file.toString().getBytes(StandardCharsets.ISO_8859_1))
        .isEqualTo(bytes.toByteArray());
  }

  @Test
  void aFileThatIsMissingIsEmpty() throws Exception {
    assertThat(read().lines()).isEmpty();
    Files.createSymbolicLink(passwd, Path.of("/usr/lib/passwd"));
    Files.createDirectories(root.resolve("usr/lib"));
    assertThat(read().lines()).isEmpty();
    Files.writeString(root.resolve("usr/lib/passwd"), ODD);
    assertThat(read()).as("through a link within the image").hasToString(ODD);
  }

  @Test
  void aFileIsBounded() throws Exception {
    int most = Math.toIntExact(Limit.SMALL_FILE_BYTES.preset());
    Files.write(passwd, new byte[most]);
    assertThat(read().lines()).hasSize(1);
    Files.write(passwd, new byte[most + 1]);
    assertThatThrownBy(this::read)
        .isInstanceOf(Problem.class)
        .hasMessageStartingWith("the image's /etc/passwd: more than 4 MiB");
  }
}
