package slipway.iso;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RenamedVolumeTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "GRUB     | true  | A   | B C | linux /k hd:LABEL=A     | linux /k hd:LABEL=B\\\\x20C",
        "GRUB     | true  | A   | B C | linux /k \"hd:LABEL=A\" | linux /k \"hd:LABEL=B\\\\x20C\"",
        "GRUB     | true  | A   | B C | linux /k 'hd:LABEL=A'   | linux /k 'hd:LABEL=B\\x20C'",
        "GRUB     | true  | A 1 | A 12 | linux LABEL=A\\\\x201  | linux LABEL=A\\\\x2012",
        "GRUB     | true  | A 1 | B   | linux 'LABEL=A\\x201'   | linux 'LABEL=B'",
        "GRUB     | false | A   | B C | search -l 'A'           | search -l 'B C'",
        "GRUB     | false | A   | B C | search -l A             | search -l B\\ C",
        "GRUB     | false | A   | B$C | search -l \"A\"         | search -l \"B\\$C\"",
        "GRUB     | false | A   | B C | set x=\"hd:LABEL=A ro\" | set x=\"hd:LABEL=B\\\\x20C ro\"",
        "SYSLINUX | true  | A   | B C | append hd:LABEL=A       | append hd:LABEL=B\\x20C",
        "SYSLINUX | true  | A 1 | A 12 | append LABEL=A\\x201   | append LABEL=A\\x2012",
        "SYSLINUX | false | A   | B C | menu label A            | menu label B C",
        "ENTRY    | true  | A   | B C | options root=LABEL=A    | options root=LABEL=B\\x20C",
        "GRUB     | false | A   | it's | search -l 'A'          | search -l 'it'\\''s'",
        "GRUB     | true  | k   | B   | linux /k CDLABEL=k      | linux /k CDLABEL=B",
        "GRUB     | false | set | B   | set x=1                 | set x=1",
        "GRUB     | false | A   | B   | search A_1 -A           | search A_1 -A",
        "GRUB     | true  | ``  | B C | linux /k                | linux /k",
      })
  void aNameIsWrittenAsItsPlaceTakesIt(
      BootMenu menu, boolean isKernels, String from, String to, String line, String expected) {
    assertThat(new RenamedVolume(from, to).in(line, menu, isKernels)).isEqualTo(expected);
  }
}
