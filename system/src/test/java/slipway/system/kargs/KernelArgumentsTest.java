package slipway.system.kargs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.tree.FileTree;
import slipway.tree.TreeBuilder;

class KernelArgumentsTest {
  @Test
  void splitsAndChangesKernelArguments() {
    KernelArguments args =
        KernelArguments.parse("root=UUID=a  rw console=tty0 \"dyndbg=file a +p\" console=ttyS0\n");
    assertThat(args.list())
        .containsExactly(
            "root=UUID=a", "rw", "console=tty0", "\"dyndbg=file a +p\"", "console=ttyS0");
    assertThat(args.value("console")).contains("ttyS0");
    assertThat(args.value("rw")).contains("");
    assertThat(args.value("consol")).isEmpty();
    assertThat(args.withoutKey("console").list()).hasSize(3);
    assertThat(args.without("console=tty0").value("console")).contains("ttyS0");
    assertThat(KernelArguments.parse(args.toString())).isEqualTo(args);
  }

  @Test
  void keepsWhatIsQuotedByteForByte() {
    KernelArguments args = KernelArguments.parse(" foo=\"a  b\"\t\"ostree=/x y\" c", "k");
    assertThat(args.list()).containsExactly("foo=\"a  b\"", "\"ostree=/x y\"", "c");
    assertThat(args.value("foo")).contains("\"a  b\"");
    assertThat(args.value("ostree")).as("as the kernel reads it").contains("/x y");
    assertThat(args.withoutKey("ostree").list()).containsExactly("foo=\"a  b\"", "c");
  }

  @Test
  void followsTheImagesArgumentsAndKeepsLocalOnes() {
    KernelArguments current = KernelArguments.of("root=1", "quiet", "a=1", "mine", "b");
    assertThat(
            current.followImage(
                KernelArguments.of("quiet", "a=1", "gone"),
                KernelArguments.of("a=2", "b", "quiet")))
        .isEqualTo(KernelArguments.of("root=1", "a=2", "quiet", "mine", "b"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // The machine's, the old image's, the new image's, the machine's then.
        "r console=S0 | '' | console=tty0 console=S0 n | r console=tty0 console=S0 n",
        "r console=tty0 console=S0 m | console=tty0 console=S0 | console=S0 console=tty0 |"
            + " r console=S0 console=tty0 m",
        "r level=3 level=7 | level=3 | level=4 | r level=4 level=7",
        "r size=1G n=4 m | size=1G n=4 | size=1G n=4 size=2M n=4 | r size=1G n=4 size=2M n=4 m",
        "r size=1G n=4 size=2M n=4 | size=1G n=4 size=2M n=4 | size=2M n=4 | r size=2M n=4",
        "r m | a b | b a c | r m c",
        "r a m | a | a b | r a b m",
        "r m | '' | a b | r m a b",
        "r a m | a | '' | r m",
      })
  void followsOrderAndNumberOfTheImagesArguments(
      String machine, String before, String after, String then) {
    assertThat(
            KernelArguments.parse(machine)
                .followImage(KernelArguments.parse(before), KernelArguments.parse(after)))
        .hasToString(then);
  }

  /** Names are bytes, and a folder of an image may be a link. */
  @Test
  void readsWhateverHasAName() throws Exception {
    OsPath odd = OsPath.ofBytes(new byte[] {'z', (byte) 0xff, '.', 't', 'o', 'm', 'l'});
    OsPath folder = OsPath.of("usr/share/kargs");
    TreeBuilder tree =
        new TreeBuilder()
            .mkdirs("usr/lib/bootc")
            .symlink("usr/lib/bootc/kargs.d", "../../share/kargs")
            .mkdirs("usr/share/kargs")
            .file("usr/share/b", 0644, "kargs = [\"b\"]".getBytes(UTF_8))
            .symlink("usr/share/kargs/a.toml", "../b");
    tree.put(folder.resolve(odd), tree.find("usr/share/kargs/a.toml").orElseThrow());
    assertThat(KernelArgumentsDirectory.read(tree.build(), "amd64"))
        .isEqualTo(KernelArguments.of("b", "b"));
    tree.remove("usr/share/b");
    tree.remove("usr/share/kargs/a.toml");
    FileTree broken = tree.build();
    assertThatThrownBy(() -> KernelArgumentsDirectory.read(broken, "amd64"))
        .isInstanceOf(Problem.class)
        .hasMessage(
            "/usr/lib/bootc/kargs.d/z\ufffd.toml is a link to ../b, which is no file of the image;"
                + " make it a file, or remove it");
  }

  @Test
  void takesSeveralArgumentsOfOneStringApart() {
    KernelArguments old = KernelArgumentsDirectory.parse("kargs = [\"a=1 b=2\"]", "f", "amd64");
    assertThat(old).isEqualTo(KernelArguments.of("a=1", "b=2"));
    assertThat(
            KernelArguments.parse("root=1 a=1 b=2 mine")
                .followImage(old, KernelArguments.of("b=2")))
        .isEqualTo(KernelArguments.of("root=1", "b=2", "mine"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"a=\"b", "a \" b", "a\nlinux /evil", "a\rb", "a\0b", "a\u001b[2J", "\udc80"})
  void refusesWhatNoBootMenuCanHold(String text) {
    assertThatThrownBy(() -> KernelArguments.parse(text, "c.toml: kernel.append"))
        .isInstanceOf(Problem.class)
        .message()
        .startsWith("c.toml: kernel.append: ")
        .matches("[ -~]*");
    String toml =
        "kargs = [\""
            + text.codePoints().mapToObj("\\U%08X"::formatted).collect(Collectors.joining())
            + "\"]";
    if (!text.equals("\udc80")) {
      assertThatThrownBy(() -> KernelArgumentsDirectory.parse(toml, "/f.toml", "amd64"))
          .isInstanceOf(Problem.class)
          .hasMessageStartingWith("/f.toml:1: kargs: ");
    }
  }

  @ParameterizedTest
  @Tag("slow")
  @ValueSource(strings = {"a ", "a\", \""})
  void boundsWhatAnImageBrings(String piece) {
    String many = "kargs = [\"" + piece.repeat(300_000) + "a\"]";
    assertThatThrownBy(() -> KernelArgumentsDirectory.parse(many, "f.toml", "amd64"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("f.toml: more than 1000")
        .hasMessageContaining("--limit kernel-arguments=N");
  }

  @Test
  void refusesDeepTomlInOneSentence() {
    String deep = "kargs = " + "[".repeat(200_000) + "]".repeat(200_000);
    assertThatThrownBy(() -> KernelArgumentsDirectory.parse(deep, "f.toml", "amd64"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("f.toml");
    String tables = "a = " + "{a=".repeat(200_000) + "1" + "}".repeat(200_000);
    assertThatThrownBy(() -> KernelArgumentsDirectory.parse(tables, "f.toml", "amd64"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("f.toml");
    String dotted = "a" + ".a".repeat(200_000) + " = 1";
    assertThatThrownBy(() -> KernelArgumentsDirectory.parse(dotted, "f.toml", "amd64"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("f.toml");
  }

  @Test
  void readsKargsDirectoryFiles() {
    assertThat(
            KernelArgumentsDirectory.parse(
                "# c\nkargs = [\"a=b\", \"c\"]\nmatch-architectures = [\"x86_64\"]\n",
                "f",
                "amd64"))
        .isEqualTo(KernelArguments.of("a=b", "c"));
    assertThat(
            KernelArgumentsDirectory.parse(
                "kargs = [\"a\"]\nmatch-architectures = [\"x86_64\"]", "f", "arm64"))
        .isEqualTo(KernelArguments.NONE);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "kargs = 1|kargs is not a list of strings",
        "kargs = [1]|kargs is not a list of strings",
        "other = []|unknown key \"other\"",
        "match-architectures = []|kargs is missing",
        "kargs = [|f.toml:1"
      })
  void refusesWrongKargsFiles(String text, String message) {
    assertThatThrownBy(() -> KernelArgumentsDirectory.parse(text, "f.toml", "amd64"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining(message)
        .hasMessageContaining("f.toml");
  }

  /** An argument that is empty would stay in the boot menu, where nobody sees it. */
  @Test
  void anEmptyArgumentIsNone() {
    assertThatThrownBy(() -> KernelArguments.of("quiet", "").requireWritable("--karg"))
        .isInstanceOf(Problem.class)
        .hasMessage(
            "--karg: \"\" is no kernel argument, which is a word such as quiet or console=ttyS0");
  }
}
