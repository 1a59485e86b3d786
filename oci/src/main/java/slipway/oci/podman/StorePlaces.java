package slipway.oci.podman;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.base.document.ConfigDocument;
import slipway.linux.posix.Posix;
import tools.jackson.databind.JsonNode;

/**
 * Which folders are podman's stores: the one that a name says itself ({@code
 * [driver@graphroot+runroot:options]name}, containers-transports(5)), or those of
 * containers-storage.conf(5).
 *
 * @param folders the user's own store first, then additional ones
 * @param driver that the name says; empty for any
 * @param image what the name says without the store
 */
record StorePlaces(List<Path> folders, String driver, String image) {
  private static final Pattern SPECIFIED =
      Pattern.compile("\\[(?:([a-z0-9-]+)@)?(/[^+:\\]]*)(?:\\+[^:\\]]*)?(?::[^\\]]*)?\\](.*)");

  StorePlaces {
    folders = List.copyOf(folders);
  }

  /**
   * @param name behind {@code containers-storage:}
   * @param environment of this process
   */
  static StorePlaces of(String name, Map<String, String> environment) throws IOException {
    if (name.startsWith("[")) {
      Matcher m = SPECIFIED.matcher(name);
      if (!m.matches()) {
        throw Problem.usage(
            "\""
                + name
                + "\": a store is written [DRIVER@GRAPHROOT+RUNROOT]NAME, all but its"
                + " absolute GRAPHROOT may be left out");
      }
      String driver = m.group(1) == null ? "" : m.group(1);
      return new StorePlaces(List.of(Path.of(m.group(2))), driver, m.group(3));
    }
    return new StorePlaces(configured(environment, isRoot(environment)), "", name);
  }

  /** Root of the machine, not of a user's namespace, whose store is the user's. */
  static boolean isRoot(Map<String, String> environment) {
    return Posix.geteuid() == 0 && !environment.containsKey("_CONTAINERS_USERNS_CONFIGURED");
  }

  /**
   * The folders of the stores that root has on a machine.
   *
   * @param seen where its root directory is seen
   */
  static List<Path> ofMachine(Path seen) throws IOException {
    List<Path> folders = new ArrayList<>();
    for (Path folder : configured(Map.of(), true, seen)) {
      folders.add(seen.resolve(Path.of("/").relativize(folder.toAbsolutePath())));
    }
    return folders;
  }

  static List<Path> configured(Map<String, String> environment, boolean root) throws IOException {
    return configured(environment, root, Path.of("/"));
  }

  private static List<Path> configured(Map<String, String> environment, boolean root, Path seen)
      throws IOException {
    Path graphroot =
        root
            ? Path.of("/var/lib/containers/storage")
            : data(environment).resolve("containers/storage");
    List<Path> folders = new ArrayList<>();
    Path file = configuration(environment, root, seen);
    if (file != null) {
      ConfigDocument document = ConfigDocument.toml(Files.readAllBytes(file), file.toString());
      JsonNode storage = document.root().path("storage");
      String key = root ? "graphroot" : "rootless_storage_path";
      String given = storage.path(key).asString("");
      if (given.isEmpty() && !root && isOwn(file, environment)) {
        given = storage.path("graphroot").asString("");
      }
      if (!given.isEmpty()) {
        graphroot = Path.of(expanded(given, environment));
      }
      for (String more :
          document.strings(
              storage.path("options"),
              "additionalimagestores",
              "storage.options.additionalimagestores")) {
        folders.add(Path.of(expanded(more, environment)));
      }
    }
    folders.addFirst(graphroot);
    return folders;
  }

  private static @Nullable Path configuration(
      Map<String, String> environment, boolean root, Path seen) {
    String named = environment.getOrDefault("CONTAINERS_STORAGE_CONF", "");
    List<Path> files = new ArrayList<>();
    if (!named.isEmpty()) {
      files.add(Path.of(named));
    } else {
      if (!root) {
        files.add(own(environment));
      }
      files.add(seen.resolve("etc/containers/storage.conf"));
      files.add(seen.resolve("usr/share/containers/storage.conf"));
    }
    return files.stream().filter(Files::isRegularFile).findFirst().orElse(null);
  }

  private static boolean isOwn(Path file, Map<String, String> environment) {
    return file.equals(own(environment)) || environment.containsKey("CONTAINERS_STORAGE_CONF");
  }

  private static Path own(Map<String, String> environment) {
    return xdg(environment, "XDG_CONFIG_HOME", ".config").resolve("containers/storage.conf");
  }

  private static Path data(Map<String, String> environment) {
    return xdg(environment, "XDG_DATA_HOME", ".local/share");
  }

  private static Path xdg(Map<String, String> environment, String variable, String inHome) {
    String given = environment.getOrDefault(variable, "");
    return given.isEmpty()
        ? Path.of(environment.getOrDefault("HOME", "/root")).resolve(inHome)
        : Path.of(given);
  }

  /** As podman expands them in these keys. */
  private static String expanded(String path, Map<String, String> environment) {
    return path.replace("$HOME", environment.getOrDefault("HOME", "/root"))
        .replace("$UID", Integer.toString(Posix.geteuid()));
  }
}
