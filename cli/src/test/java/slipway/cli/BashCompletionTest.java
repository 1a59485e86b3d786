package slipway.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import slipway.cli.document.BashCompletion;
import slipway.cli.document.CommandText;
import slipway.linux.process.Command;
import slipway.oci.model.Descriptor;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;
import slipway.oci.store.LocalStore;

/** The script in a real bash. */
class BashCompletionTest {
  private static final String WORD_BREAKS = " \t\n\"'@><=;|&(:";

  /** Of one line it shows what is offered, then in brackets what bash is asked to do of its own. */
  private static final String HARNESS =
      """
      set -u; eval "$1"; program=$2 COMP_LINE=$3 COMP_WORDBREAKS=$4; shift 4
      compopt() { of_bash+=("[$2]"); }
      of_bash=() COMP_POINT=${#COMP_LINE} COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) IFS=:
      "_${program//-/_}"
      printf '%s\\n' "${COMPREPLY[@]}" "${of_bash[@]}"
      """;

  @TempDir Path dir;

  /** What bash offers at the end of a line. */
  private String offered(Program program, String line, String breaks) {
    List<String> argv = new ArrayList<>(List.of("bash", "--norc", "-c", HARNESS, "bash"));
    argv.add(BashCompletion.of(CommandModel.whole(program)));
    argv.addAll(List.of(program.word(), line, breaks));
    argv.addAll(split(line, breaks));
    Command.Result result =
        Command.of(argv).directory(dir).environment("SLIPWAY_STATE", dir.toString()).run();
    assertThat(result.stderr()).isEmpty();
    return String.join(" ", result.text().lines().filter(l -> !l.isEmpty()).toList());
  }

  private String offered(String line) {
    return offered(Program.SLIPWAY, line, WORD_BREAKS);
  }

  /** As bash does it: what breaks words is a word, too, but for blanks. */
  private static List<String> split(String line, String breaks) {
    List<String> words = new ArrayList<>(List.of(""));
    boolean ended = false;
    for (char c : line.toCharArray()) {
      String last = words.getLast();
      boolean same =
          last.isEmpty() || (breaks.indexOf(c) >= 0) == (breaks.indexOf(last.charAt(0)) >= 0);
      if (c == ' ') {
        ended = true;
      } else if (ended || !same) {
        words.add(String.valueOf(c));
        ended = false;
      } else {
        words.set(words.size() - 1, last + c);
      }
    }
    if (ended) {
      words.add("");
    }
    return words;
  }

  /** An underscore stands for a word that is not begun yet. */
  @ParameterizedTest
  @Tag("slow")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          slipway bui                        | build
          slipway disk build --ty            | --type
          slipway disk build --type _        | raw qcow2 ami vmdk vhd gce ova iso pxe
          slipway disk build --type=q        | qcow2
          slipway disk build --type=         | raw qcow2 ami vmdk vhd gce ova iso pxe
          slipway disk build --type x        | ''
          slipway disk build --type raw --co | --config
          slipway build --pull=              | missing always never
          slipway build --pull --no          | --no-cache
          slipway build --file _             | [default]
          slipway build --file=my            | [default]
          slipway build _                    | [default]
          slipway build -- -                 | [default]
          slipway build context _            | ''
          slipway build -t help --no-c       | --no-cache
          slipway images _                   | ''
          slipway completion _               | bash
          slipway help dis                   | disk
          slipway help disk _                | build
          slipway help build _               | ''
          slipway --limit a=1 regis          | registry
          slipway --limit registry-          | ''
          slipway --limit layer-b            | layer-bytes= [nospace]
          slipway build --limit=layer-b      | layer-bytes= [nospace]
          slipway --limit hel                | help
          slipway bootc upg                  | upgrade
          slipway bootc update --che         | --check
          slipway nosuch bui                 | ''
          slipway nosuch --he                | ''
          slipway disk nosuch --he           | ''
          """)
  void completes(String line, String expected) {
    assertThat(offered(line.replaceFirst("_$", ""))).isEqualTo(expected);
  }

  /** Whoever takes characters out of COMP_WORDBREAKS gets whole words. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          slipway disk build --type=q    | --type=qcow2
          slipway disk build --type=     | --type=raw --type=qcow2 --type=ami --type=vmdk --type=vhd --type=gce --type=ova --type=iso --type=pxe
          slipway build --limit=layer-b  | --limit=layer-bytes= [nospace]
          slipway build --file=my        | --file=my folder/ [filenames] [nospace]
          slipway build --file=ou        | --file=ours [filenames]
          slipway build --file my        | [default]
          slipway rmi localhost/web:     | localhost/web:1 localhost/web:2
          """)
  void completesWhereEqualsSignsAndColonsBreakNoWords(String line, String expected)
      throws Exception {
    Files.createDirectory(dir.resolve("my folder"));
    Files.createFile(dir.resolve("ours"));
    putImages(dir);
    assertThat(offered(Program.SLIPWAY, line, " \t\n\"'@><;|&(")).isEqualTo(expected);
  }

  private static void putImages(Path state) {
    try (LocalStore store = LocalStore.open(state.resolve("store"))) {
      for (String name :
          List.of("localhost/web:1", "localhost/web:2", "r.example:5000/os:trixie")) {
        byte[] config =
            ImageConfig.of(Platform.host(), null, Map.of("name", name), List.of()).toJson();
        Descriptor blob = store.putBlob(MediaTypes.OCI_CONFIG, config);
        Manifest image = Manifest.Image.of(blob, List.of(), Map.of());
        store.putManifest(image, LocalStore.localName(name));
      }
    }
  }

  /** Bash puts what is offered in place of what stands behind the last colon. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          slipway inspect _               | localhost/web:1 localhost/web:2 r.example:5000/os:trixie
          slipway inspect --raw r.        | r.example:5000/os:trixie
          slipway history r.example:5     | 5000/os:trixie
          slipway rmi a b localhost/web:  | 1 2
          slipway rmi -- localhost/web:2  | 2
          slipway tag we                  | web:1 web:2
          slipway tag web:1 _             | [default]
          slipway push web:1              | 1
          slipway save -o file web:1 loc  | localhost/web:1 localhost/web:2
          slipway disk build r            | r.example:5000/os:trixie
          slipway rmi nosuch              | ''
          slipway rmi --root nowhere _    | ''
          slipway rmi --root=./other/ _   | localhost/web:1 localhost/web:2 r.example:5000/os:trixie
          """)
  void completesImagesOfTheStore(String line, String expected) {
    putImages(line.contains("other") ? dir.resolve("other") : dir);
    assertThat(offered(line.replaceFirst("_$", ""))).isEqualTo(expected);
  }

  /** Completion is asked at any time: it says nothing, makes nothing, runs nothing of an index. */
  @Test
  void anIndexThatIsMissingOrOddOffersNothing() throws Exception {
    assertThat(offered("slipway rmi ")).isEmpty();
    assertThat(dir).isEmptyDirectory();
    Path index = Files.createDirectory(dir.resolve("store")).resolve("index.json");
    String name = "\"org.opencontainers.image.ref.name\": ";
    Files.writeString(
        index, "{ " + name + "\"$(touch made)\", " + name + "\"*\", \0 " + name + "\"a:1\"");
    assertThat(offered("slipway rmi ")).isEqualTo("a:1");
    assertThat(dir.resolve("made")).doesNotExist();
    Files.delete(index);
    Command.of("mkfifo", index.toString()).run();
    assertThat(offered("slipway rmi ")).isEmpty();
  }

  @ParameterizedTest
  @Tag("slow")
  @EnumSource
  void everyCommandAndOptionIsThere(Program program) {
    check(program, CommandModel.whole(program));
  }

  private void check(Program program, CommandSpec command) {
    List<String> words = new ArrayList<>();
    for (CommandSpec child : CommandText.children(command)) {
      words.add(child.name());
      words.addAll(List.of(child.aliases()));
      check(program, child);
    }
    if (command.userObject() == null) {
      words.addAll(List.of("help", "version"));
    }
    String line = command.qualifiedName();
    if (!words.isEmpty()) {
      assertThat(offered(program, line + " ", WORD_BREAKS).split(" "))
          .containsExactlyInAnyOrderElementsOf(words);
    }
    List<String> options = new ArrayList<>(List.of("--limit"));
    for (OptionSpec option : command.options()) {
      // Words that are only taken so that scripts with them go on are offered to nobody.
      if (!option.hidden()) {
        options.addAll(List.of(option.names()));
      }
    }
    if (command.userObject() == null) {
      options.addAll(List.of("--help", "--version"));
    }
    assertThat(offered(program, line + " -", WORD_BREAKS).split(" "))
        .containsExactlyInAnyOrderElementsOf(options);
  }
}
