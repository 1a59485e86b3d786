package slipway.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.Model.CommandSpec;
import slipway.cli.command.ReferenceWords;

/** The words of bootc 1.16: each is taken or answered by a sentence, and docs/bootc.md has it. */
class ReferenceTest {
  private static final String IMAGE =
      " --source-imgref --target-transport --target-imgref --enforce-container-sigpolicy"
          + " --run-fetch-check --skip-fetch-check --experimental-unified-storage"
          + " --target-no-signature-verification --disable-selinux --karg --karg-delete"
          + " --root-ssh-authorized-keys --generic-image --bound-images --stateroot"
          + " --bootupd-skip-boot-uuid --bootloader --composefs-backend --allow-missing-verity"
          + " --uki-addon";

  /** A command, and its options; with an asterisk those that are unknown here, as documented. */
  private static List<String> lines() {
    return List.of(
        "upgrade --quiet --check --apply --soft-reboot --download-only --from-downloaded --tag"
            + " --progress-fd",
        "switch --quiet --apply --soft-reboot --transport --enforce-container-sigpolicy --retain"
            + " --no-signature-verification --mutate-in-place --experimental-unified-storage"
            + " --progress-fd",
        "rollback --apply --soft-reboot",
        "edit -f --quiet",
        "status --json --format --format-version --booted -v --verbose",
        "usr-overlay --read-only",
        "install to-disk --wipe --block-setup --filesystem --root-size --via-loopback" + IMAGE,
        "install to-filesystem --root-mount-spec --boot-mount-spec --replace"
            + " --acknowledge-destructive --skip-finalize"
            + IMAGE,
        "install to-existing-root --replace --acknowledge-destructive --cleanup" + IMAGE,
        "install print-configuration --all",
        "install finalize",
        "install ensure-completion",
        "install reset --experimental --stateroot --target-imgref --target-transport --quiet"
            + " --apply --no-root-kargs --karg *--progress-fd",
        "container inspect --rootfs --json --format",
        "container lint --rootfs --fatal-warnings --list --skip --no-truncate",
        "container split-kernel-and-rootfs",
        "container ukify --rootfs --karg --allow-missing-verity *--write-dumpfile-to --kernel-dir",
        "container compute-composefs-digest *--write-dumpfile-to",
        "container compute-composefs-digest-from-storage",
        "container export --format -o --kernel-in-boot --disable-selinux",
        "image list --type --format",
        "image copy-to-storage --source --target",
        "image set-unified",
        "image pull-from-default-storage",
        "image cmd list",
        "image cmd build",
        "image cmd pull",
        "image cmd push",
        "loader-entries set-options-for-source --source --options",
        "composefs-finalize-staged",
        "config-diff",
        "delete-deployment",
        "exec-in-host-mount-namespace",
        "state wipe-ostree",
        "completion",
        "internals fsck",
        "internals cleanup",
        "internals print-json-schema",
        "internals bootc-install-completion",
        "internals ostree-ext",
        "internals ostree-container",
        "internals reboot");
  }

  /** The command of a line, or null where a word of it is only answered. */
  private static CommandSpec command(List<String> words) {
    Verb verb = Verb.of(Program.BOOTC, words.getFirst());
    if (verb == null) {
      assertThat(ReferenceWords.instead("bootc", words.getFirst())).as("%s", words).isPresent();
      return null;
    }
    CommandSpec at = Help.line(Program.BOOTC, verb, words.getFirst()).getCommandSpec();
    for (String word : words.subList(1, words.size())) {
      if (!at.subcommands().containsKey(word)) {
        assertThat(ReferenceWords.instead(at.qualifiedName(), word)).as("%s", words).isPresent();
        return null;
      }
      at = at.subcommands().get(word).getCommandSpec();
    }
    return at;
  }

  @Test
  void everyWordIsTakenOrAnswered() {
    for (String line : lines()) {
      List<String> words = List.of(line.split(" "));
      List<String> names = words.stream().takeWhile(w -> !w.matches("\\*?-.*")).toList();
      CommandSpec command = command(names);
      for (String option : words.subList(names.size(), words.size())) {
        String name = option.replace("*", "");
        boolean known = command.findOption(name) != null;
        boolean answered = ReferenceWords.instead(command.qualifiedName(), name).isPresent();
        assertThat(List.of(known, answered, option.startsWith("*")))
            .as("%s %s: taken, answered, or marked as unknown", names, name)
            .containsOnlyOnce(true);
      }
    }
  }

  /** A word in the row of another command does not count. */
  @Test
  void everyWordHasARow() throws IOException {
    Map<String, List<String>> sections = sections();
    List<String> missing = new ArrayList<>();
    for (String line : lines()) {
      List<String> words = List.of(line.replace("*", "").split(" "));
      List<String> names = words.stream().takeWhile(w -> !w.startsWith("-")).toList();
      List<String> own = sections.getOrDefault(names.getFirst(), List.of());
      List<String> rows = own.isEmpty() ? sections.get("rollback") : own;
      boolean whole = !own.isEmpty() && names.size() == 1;
      List<String> about =
          rows.stream().filter(row -> whole || has(row.split("\\|")[1], names.getLast())).toList();
      if (about.isEmpty()) {
        missing.add(String.join(" ", names));
      }
      for (String option : words.subList(names.size(), words.size())) {
        boolean shared = !own.isEmpty() && rows.stream().anyMatch(row -> isOfOption(row, option));
        if (!shared && about.stream().noneMatch(row -> has(row, option))) {
          missing.add(String.join(" ", names) + " " + option);
        }
      }
    }
    assertThat(missing).isEmpty();
  }

  /** The rows of the document, by the first word of their section's heading. */
  private static Map<String, List<String>> sections() throws IOException {
    Map<String, List<String>> sections = new HashMap<>();
    String heading = "";
    for (String line : Files.readAllLines(Path.of("../docs/bootc.md"))) {
      if (line.startsWith("## ")) {
        heading = line.substring(3).split("[, ]")[0];
      } else if (line.startsWith("|")) {
        sections.computeIfAbsent(heading, h -> new ArrayList<>()).add(line);
      }
    }
    return sections;
  }

  private static boolean has(String row, String word) {
    return row.matches(".*[`, ]" + word + "[`, |].*");
  }

  /** Whether a row is of an option of all commands of its section. */
  private static boolean isOfOption(String row, String option) {
    return row.startsWith("| `-") && has(row.split("\\|")[1], option);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "delete-deployment 1 | bootc delete-deployment is not here; use bootc delete",
        "help state | bootc state is not here; there is no second backend",
        "image set-unified | bootc image set-unified is not here; images are kept by ostree alone",
        "internals fsck | bootc internals fsck is not here; use bootc fsck",
        "container split-kernel-and-rootfs --rootfs /r --output /o | bootc container"
            + " split-kernel-and-rootfs is not here; copy the folder",
        "container compute-composefs-digest-from-storage --write-dumpfile-to=f | bootc container"
            + " compute-composefs-digest-from-storage is not here; mount the image",
        "internals print-json-schema --of host | bootc internals print-json-schema is not here",
        "container --rootfs split-kernel-and-rootfs | unknown option --rootfs; bootc container",
        "install to-disk --disable-selinux /dev/x | --disable-selinux is not here; give --karg",
        "install to-existing-root --uki-addon=x | --uki-addon is not here; give its arguments",
        "install to-filesystem --skip-fetch-check --target-no-signature-verification"
            + " --disable-selinux /mnt | --disable-selinux is not here",
        "install reset --target-transport oci | --target-transport is not here; what is installed",
        "switch --experimental-unified-storage x | --experimental-unified-storage is not here",
        "status --uki-addon | unknown option --uki-addon; bootc status --help lists the options",
      })
  void aWordThatIsNotHereSaysWhatIs(String row) {
    String[] parts = row.split(" \\| ");
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    PrintStream printed = new PrintStream(err, true, StandardCharsets.UTF_8);
    assertThat(Main.run("bootc", parts[0].split(" "), printed, printed)).isEqualTo(2);
    assertThat(err.toString(StandardCharsets.UTF_8))
        .startsWith("error: " + parts[1])
        .hasLineCount(1);
  }
}
