package slipway.media.kickstart;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is said beyond the verdict: odd characters, and files that do not do what was meant. */
class KickstartAdviceTest {
  private static final String WHOLE =
      """
      autopart
      ostreecontainer --url=quay.io/org/image:tag
      sshkey --username=root "ssh-ed25519 A"
      reboot
      """;

  private static List<KickstartFinding> findings(String text) {
    return Verdict.read(text, KickstartVersion.F45).findings();
  }

  private static List<String> warned(String text) {
    assertThat(findings(text)).noneMatch(KickstartFinding::isError);
    return findings(text).stream().map(KickstartFinding::message).toList();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          part / \u2013fstype=xfs    | 8  | U+2013 EN DASH where -- was meant
          part / \u2014size=1        | 8  | U+2014 EM DASH where -- was meant
          part / -\u2011size=1       | 9  | U+2011 NON-BREAKING HYPHEN where - was meant
          part\u00a0/ --size=1       | 5  | U+00A0 NO-BREAK SPACE where a space was meant
          \ufefftext --bogus         | 1  | U+FEFF ZERO WIDTH NO-BREAK SPACE, which is not seen, where nothing was meant
          sshkey --username=a \u201cb c\u201d | 21 | U+201C LEFT DOUBLE QUOTATION MARK where " was meant; U+201D RIGHT DOUBLE QUOTATION MARK where " was meant
          rootpw a b\u2019           | 11 | U+2019 RIGHT SINGLE QUOTATION MARK where ' was meant
          """)
  void charactersThatAreNotAsciiAreNamed(String line, int column, String fix) {
    KickstartFinding error = findings(line + "\n").getFirst();
    assertThat(error.isError()).isTrue();
    assertThat(error.fix()).isEqualTo(fix);
    assertThat(error.at().column()).isEqualTo(column);
  }

  @Test
  void linesThatAreTakenAreWarnedOfSurelyWrongOnesOnly() {
    assertThat(findings("bootloader --append=\u201cquiet\u201d\n"))
        .singleElement()
        .satisfies(f -> assertThat(f.isError()).isFalse())
        .satisfies(f -> assertThat(f.fix()).startsWith("U+201C LEFT DOUBLE QUOTATION MARK"))
        .satisfies(f -> assertThat(f.at().column()).isEqualTo(21));
    for (String fine :
        List.of(
            "user --name=a --gecos=\"A \u2013 B\u00a0\u201cC\u201d\"\n",
            "user --name=a --gecos=O\u2019Brien\n",
            "lang de_DE # \u2013 \u201c\n",
            "network --hostname=a\u2013b\n")) {
      assertThat(findings(fine)).as(fine).isEmpty();
    }
  }

  @Test
  void aWholeFileIsQuiet() {
    assertThat(warned(WHOLE)).isEmpty();
    assertThat(warned("lang de_DE\n")).isEmpty();
  }

  @Test
  void whatIsMissingIsTold() {
    assertThat(warned("ostreecontainer --url=quay.io/a\n"))
        .containsExactly(
            "nothing ends the installation: the installer waits for a key",
            "no command makes partitions, so the installer asks for them",
            "no user, rootpw or sshkey: unless the image has accounts nobody can log in");
    assertThat(warned("ostreecontainer --url=quay.io/a\n%include /tmp/part\n")).hasSize(1);
    assertThat(findings("ostreecontainer --url=quay.io/a\npart\nuser\nreboot -x\n"))
        .as("commands that are wrong are not missing")
        .hasSize(3)
        .allMatch(KickstartFinding::isError);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          ostreecontainer --url=localhost/web:1 | can never update
          bootc --source-imgref=registry:localhost/web | can never update
          bootc --source-imgref=containers-storage:x --target-imgref=localhost/web | can never update
          ostreecontainer --url=/run/install/repo/container --transport=oci | look for updates in oci:/run
          """)
  void imagesThatNobodyHasAreTold(String line, String words) {
    String file = WHOLE.replaceFirst("ostreecontainer.*", line);
    assertThat(warned(file)).singleElement().asString().contains(words);
    assertThat(warned(file + "%post\nbootc switch --mutate-in-place quay.io/a\n%end\n")).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          rootpw secret                | the password stands in the file as clear text
          rootpw $6$salt$hash          | the password looks like a hash and is taken as clear text
          network --bootproto=static --device=a | --bootproto=static needs --ip, which the installer asks for
          url --url=http://x           | url does nothing beside ostreecontainer
          """)
  void whatDoesNotDoWhatWasMeantIsTold(String line, String words) {
    assertThat(warned(WHOLE + line + "\n")).containsExactly(words);
    assertThat(warned(WHOLE + "rootpw --iscrypted $6$salt$hash\n")).isEmpty();
  }
}
