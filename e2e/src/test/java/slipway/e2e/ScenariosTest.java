package slipway.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Worked examples of documents, as {@code examples/scenarios} has them, typed one after the other
 * in one machine.
 */
class ScenariosTest {
  private static final Path SCRIPTS = Cli.ROOT.resolve("examples/scenarios");

  /** Each goes on from where the one before it leaves the machine. */
  private static final List<String> IN_A_MACHINE =
      List.of(
          "S35-file-systems",
          "S36-timer",
          "S20-no-automatic-updates",
          "S21-upgrade",
          "S27-boot-menu",
          "S22-rollback",
          "S26-etc-and-var",
          "S18-switch",
          "S37-automatic-update");

  @TempDir Path dir;

  @Test
  @Tag("soak")
  void inAMachine() throws Exception {
    try (Releases releases = Releases.start(dir);
        UpgradingMachine machine = UpgradingMachine.start(releases, 0, dir)) {
      for (String name : IN_A_MACHINE) {
        play(name, releases, machine);
        System.out.println("passed: " + name);
      }
      machine.goDown();
      assertThat(DiskCheck.ofCopy(machine.disk(), dir).rubbish()).isEmpty();
    }
  }

  private static void play(String name, Releases releases, UpgradingMachine machine)
      throws Exception {
    String head = "registry=" + releases.registryInGuest() + "\n";
    StringBuilder part = new StringBuilder(head);
    for (String line : Files.readAllLines(SCRIPTS.resolve(name + ".sh"))) {
      if (!line.startsWith("#: ")) {
        part.append(line).append('\n');
        continue;
      }
      String[] words = line.substring(3).split(" ");
      System.out.print(machine.type(part.toString(), words[0].equals("restarted")));
      part = new StringBuilder(head);
      switch (words[0]) {
        case "publish" -> releases.publish(Integer.parseInt(words[1]), "web:" + words[2]);
        case "reboot" -> {
          machine.goDown();
          machine.boot();
        }
        case "restarted" -> machine.boot();
        default -> throw new AssertionError(name + ": " + line);
      }
    }
    System.out.print(machine.type(part.toString(), false));
  }

  /** So that none is forgotten. */
  @Test
  void everyScriptIsPlayedAndListed() throws Exception {
    try (var files = Files.list(SCRIPTS)) {
      assertThat(
              files
                  .map(f -> f.getFileName().toString())
                  .filter(f -> f.endsWith(".sh"))
                  .map(f -> f.replace(".sh", "")))
          .containsExactlyInAnyOrderElementsOf(IN_A_MACHINE);
    }
    String list = Files.readString(Cli.ROOT.resolve("docs/scenarios.md"));
    for (String name : IN_A_MACHINE) {
      assertThat(list).contains("`" + name + ".sh`");
    }
  }
}
