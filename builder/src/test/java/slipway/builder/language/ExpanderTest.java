package slipway.builder.language;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import slipway.base.Position;
import slipway.base.Problem;

class ExpanderTest {
  private static final Position AT = new Position("Containerfile", 3);
  private static final Map<String, String> VARIABLES =
      Map.of(
          "PWD", "/home",
          "SHELL", "bash",
          "NULL", "",
          "FILE", "lib/libfoo.so.1.2",
          "WIDE", "a  b",
          "STAR", "a*b*c",
          "HAN", "한국어");

  private static Expander expander() {
    return new Expander('\\', VARIABLES::get);
  }

  private static String expand(String text) {
    return expander().word(text, AT);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        // quotes and escapes
        "hello | hello",
        "he'll'o | hello",
        "he\\'llo | he'llo",
        "abc\\tdef | abctdef",
        "\"abc\\tdef\" | abc\\tdef",
        "\"abc\\\\tdef\" | abc\\tdef",
        "'abc\\tdef' | abc\\tdef",
        "hello\\ | hello",
        "hello\\\\ | hello\\",
        "\"hel'lo\" | hel'lo",
        "'hello\\' | hello\\",
        "\"''\" | ''",
        "'\"hello\"' | \"hello\"",
        // plain variables
        "$. | $.",
        "he$1x | hex",
        "he$.x | he$.x",
        "he$pwd. | he.",
        "he$PWD | he/home",
        "he\\$PWD | he$PWD",
        "he\\\\$PWD | he\\/home",
        "\"he\\$PWD\" | he$PWD",
        "\"he$PWD\" | he/home",
        "'he$PWD' | he$PWD",
        "\\${}aaa | ${}aaa",
        "he${hi}xx | hexx",
        "${PWD}} | /home}",
        "$HAN | 한국어",
        "$PWD$SHELL | /homebash",
        "$PWD_X | ``",
        "$@@@ | @@",
        "$001aaa | aaa",
        // defaults and alternatives
        "he${XXX:-000}xx | he000xx",
        "he${PWD:-000}xx | he/homexx",
        "he${XXX:-${YYY:-yyy}}xx | heyyyxx",
        "he${XXX:-$PWD}xx | he/homexx",
        "${NULL:-n} | n",
        "${NULL-n} | ``",
        "${XXX-n} | n",
        "${PWD:+${SHELL}}x | bashx",
        "${NULL:+n} | ``",
        "${NULL+n} | n",
        "${XXX+n} | ``",
        "he${PWD:+${PWD}:}xx | he/home:xx",
        "he${XXX:-\\$PWD:}xx | he$PWD:xx",
        "he${XXX:-\\${PWD}z}xx | he${PWDz}xx",
        "${XXX:-\"a b\"} | a b",
        "${1:-bbb} | bbb",
        "he${PWD?} | he/home",
        "he${NULL?} | he",
        // patterns
        "${FILE#*/} | libfoo.so.1.2",
        "${FILE#*l} | ib/libfoo.so.1.2",
        "${FILE##*l} | ibfoo.so.1.2",
        "${FILE%.*} | lib/libfoo.so.1",
        "${FILE%%.*} | lib/libfoo",
        "${FILE%.?} | lib/libfoo.so.1",
        "${FILE#nothing} | lib/libfoo.so.1.2",
        "${FILE#$XXX} | lib/libfoo.so.1.2",
        "${FILE/lib/usr} | usr/libfoo.so.1.2",
        "${FILE//lib/usr} | usr/usrfoo.so.1.2",
        "${FILE//./} | lib/libfooso12",
        "${FILE/\\//_} | lib_libfoo.so.1.2",
        "${STAR/\\*/-} | a-b*c",
        "${STAR//\\*/-} | a-b-c",
        "${STAR#a\\*} | b*c",
      })
  void expandsLikeAShell(String text, String expected) {
    assertThat(expand(text)).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "he'llo | a single quote is not closed",
        "\"hello\\\" | a double quote is not closed",
        "${} | ${ is not followed by a name",
        "he${.} | ${ is not followed by a name",
        "${{aaa} | ${ is not followed by a name",
        "he${PWD | a } is missing",
        "${aaa:-bbb ${foo} | a } is missing",
        "${PWD:=000} | ${PWD:= is not known",
        "${PWD=000} | ${PWD= is not known",
        "${XXX:YYY} | ${XXX:Y is not known",
        "${PWD:#x} | ${PWD:# is not known",
        "${XXX?} | XXX: is not set",
        "${NULL:?} | NULL: is empty",
        "${XXX:?give XXX} | XXX: give XXX",
        "${FILE/a\\b/c} | invalid escape \\b",
        "${FILE/a} | a / is missing",
      })
  void refusesWithThePlace(String text, String message) {
    assertThatThrownBy(() -> expand(text))
        .isInstanceOf(Problem.class)
        .hasMessageStartingWith("Containerfile:3: ")
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "hello$WIDE | helloa,b",
        "hello\"$WIDE\" | helloa  b",
        "80 '443 444' | 80,443 444",
        "a\\ b c | a b,c",
        "$NULL | ``",
      })
  void splitsWhatIsNotQuoted(String text, String expected) {
    assertThat(String.join(",", expander().words(text, AT))).isEqualTo(expected);
  }

  @Test
  void documentsKeepTheirQuotes() {
    assertThat(expander().document("a='$PWD' \"b\" \\$PWD \\n\n", AT))
        .isEqualTo("a='/home' \"b\" $PWD \\n\n");
  }

  @Test
  void backtickCanBeTheEscape() {
    Expander windows = new Expander('`', VARIABLES::get);
    assertThat(windows.word("c:\\dir`$PWD", AT)).isEqualTo("c:\\dir$PWD");
  }

  @Test
  void namesThatAreNotSetAreRemembered() {
    Expander expander = expander();
    expander.word("$PWD $none ${other} ${third:-x}", AT);
    assertThat(expander.unset()).containsExactly("none", "other");
  }
}
