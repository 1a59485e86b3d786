package slipway.cli.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import slipway.base.Problem;
import slipway.cli.Main;
import slipway.host.deployment.ArgumentEdit;

/** A value that cannot be is wrong usage, wherever its grammar is known, and ends with code 2. */
class WrongUsageTest {
  /** In each line % stands for a blank. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          install to-disk IMAGE --karg a"b /dev/null            | --karg: the double quotes
          install to-disk IMAGE --karg ostree=/x /dev/null        | --karg: ostree= is
          install to-disk IMAGE --stateroot ../x /dev/null        | --stateroot: "../x" cannot be
          install to-filesystem IMAGE --stateroot a/b /mnt        | --stateroot: "a/b" cannot be
          install to-filesystem IMAGE --root-mount-spec a%b /mnt  | --root-mount-spec takes one word
          install to-filesystem IMAGE --boot-mount-spec a%b /mnt  | --boot-mount-spec takes one word
          install to-filesystem IMAGE --replace all /mnt          | --replace "all" is not known
          install to-disk IMAGE --filesystem ntfs /dev/null       | unknown root file system
          install to-disk IMAGE --bootloader lilo /dev/null       | --bootloader "lilo"
          install to-disk IMAGE --root-size 3X /dev/null          | --root-size "3X"
          install to-disk IMAGE --block-setup raid /dev/null      | --block-setup "raid"
          install to-disk --source-imgref docker://A%B /dev/null  | --source-imgref: "A B"
          install to-disk --source-imgref floppy:x /dev/null      | --source-imgref: "floppy:x"
          install to-disk --target-imgref A%B /dev/null           | --target-imgref: "A B"
          install reset --stateroot ../x                          | --stateroot: "../x" cannot be
          install reset --karg a"b                             | --karg: the double quotes
          install reset --target-imgref A%B                       | --target-imgref: "A B"
          switch A%B                                              | the image: "A B"
          switch --transport floppy x                             | --transport floppy:
          switch --require-digest x a.example/b                   | --require-digest:
          upgrade --tag a%b                                       | --tag: "a b"
          upgrade --from floppy:x                                 | --from: images of transport
          upgrade --from registry:A%B                             | --from: "A B"
          upgrade --from x                                        | --from takes
          upgrade --require-digest x                              | --require-digest:
          kargs add a"b                                        | the kernel argument: the double
          kargs add ostree=/x                                     | the argument "ostree=/x"
          kargs delete a"b                                     | the kernel argument: the double
          kargs replace a"b                                    | the kernel argument: the double
          status --format-version 7                               | unknown format version 7
          status --json --format yaml                             | --json and --format yaml ask
          container inspect --json --format yaml                  | --json and --format yaml ask
          """)
  void endsWithTwo(String line, String sentence) {
    String[] words =
        line.replace("IMAGE", "--source-imgref oci:/none --target-imgref a.example/b").split(" +");
    for (int i = 0; i < words.length; i++) {
      words[i] = words[i].replace('%', ' ');
    }
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(err, true, StandardCharsets.UTF_8);
    int status = Main.run("bootc", words, out, out);
    assertThat(err.toString(StandardCharsets.UTF_8)).startsWith("error: ").contains(sentence);
    assertThat(status).isEqualTo(2);
  }

  @Test
  void argumentsOfOtherToolsToo() {
    assertThatThrownBy(() -> ArgumentEdit.add(List.of("a=\""), false))
        .isInstanceOfSatisfying(
            Problem.class, p -> assertThat(p.kind()).isEqualTo(Problem.Kind.USAGE));
  }
}
