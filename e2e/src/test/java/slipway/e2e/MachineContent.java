package slipway.e2e;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a disk holds that must not be lost.
 *
 * @param menu what each entry boots, the first that boots next: the deployment and the arguments
 * @param etc the /etc of each deployment in the menu
 * @param var the /var of each stateroot
 */
record MachineContent(
    List<String> menu,
    Map<String, SortedMap<String, String>> etc,
    Map<String, SortedMap<String, String>> var) {
  static MachineContent of(Path root) throws IOException {
    List<MenuEntry> entries = MenuEntry.asLinuxSees(root.resolve("boot"));
    Map<String, SortedMap<String, String>> etc = new TreeMap<>();
    for (MenuEntry entry : entries) {
      Path deployment = entry.deployment(root);
      etc.put(name(deployment), Listing.of(deployment.resolve("etc")));
    }
    Map<String, SortedMap<String, String>> var = new TreeMap<>();
    try (var stateroots = Files.list(root.resolve("ostree/deploy"))) {
      for (Path stateroot : stateroots.toList()) {
        if (Files.exists(stateroot.resolve("var"))) {
          var.put(stateroot.getFileName().toString(), Listing.of(stateroot.resolve("var")));
        }
      }
    }
    return new MachineContent(menu(root, entries), etc, var);
  }

  static List<String> menu(Path root, List<MenuEntry> entries) throws IOException {
    List<String> menu = new ArrayList<>();
    for (MenuEntry entry : entries.reversed()) {
      menu.add(name(entry.deployment(root)) + " " + entry.arguments());
    }
    return menu;
  }

  /** With the stateroot. */
  static String name(Path deployment) {
    return deployment.getParent().getParent().getFileName() + "/" + deployment.getFileName();
  }
}
