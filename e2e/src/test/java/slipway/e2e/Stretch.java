package slipway.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A step as it went undisturbed, and what a disk is held to that was interrupted in it.
 *
 * @param from the first request of it in the log
 * @param to the first one that is not its any more
 * @param booted the deployment that ran
 */
record Stretch(
    Step step,
    int from,
    int to,
    String booted,
    MachineContent before,
    MachineContent after,
    long millis) {
  /** Holds a disk's files to it, whatever its menu is. */
  DiskCheck.More compared() {
    return (root, grub) -> {
      MachineContent found = MachineContent.of(root);
      keptEtc(found);
      keptVar(found);
    };
  }

  /** Holds a disk to what was there before the step and after it. */
  void compare(Path root, List<MenuEntry> grub, MatrixFigures row) throws IOException {
    MachineContent found = MachineContent.of(root);
    List<String> seen = MachineContent.menu(root, grub);
    for (List<String> menu : List.of(seen, found.menu())) {
      assertThat(menu).as("menu").isIn(before.menu(), after.menu());
      assertThat(menu).as("what ran stays in the menu").anyMatch(e -> e.startsWith(booted));
    }
    if (seen.equals(before.menu())) {
      row.old++;
    } else {
      row.fresh++;
    }
    keptEtc(found);
    keptVar(found);
  }

  private void keptEtc(MachineContent found) {
    found
        .etc()
        .forEach(
            (deployment, etc) -> {
              List<SortedMap<String, String>> known = new ArrayList<>();
              for (MachineContent content : List.of(before, after)) {
                if (content.etc().containsKey(deployment)) {
                  known.add(content.etc().get(deployment));
                }
              }
              assertThat(known.isEmpty() || known.contains(etc))
                  .as("/etc of %s is %s, not one of %s", deployment, etc, known)
                  .isTrue();
            });
  }

  private void keptVar(MachineContent found) {
    before
        .var()
        .forEach(
            (stateroot, var) -> {
              SortedMap<String, String> later = after.var().get(stateroot);
              if (later != null) {
                SortedMap<String, String> kept = new TreeMap<>(var);
                kept.entrySet().retainAll(later.entrySet());
                assertThat(found.var().get(stateroot))
                    .as("/var of " + stateroot)
                    .containsAllEntriesOf(kept);
              }
            });
  }
}
