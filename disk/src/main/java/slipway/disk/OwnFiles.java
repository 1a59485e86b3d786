package slipway.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.TemporaryFiles;
import slipway.linux.mount.MountTable;
import slipway.linux.posix.OsPath;
import slipway.oci.podman.PodmanStore;

/**
 * What an installation lives on while it runs, and must not erase: the machine's system, its own
 * programs, which in a container are layers in some folder of the machine, and its temporary files.
 *
 * @param own the root that it runs in
 * @param host the root that the machine runs on
 */
record OwnFiles(Path own, Path host) {
  /** The options of an overlay that name folders (overlayfs, Documentation/filesystems). */
  private static final Pattern LAYERS =
      Pattern.compile("(?:^|,)(?:lowerdir|upperdir|datadir)\\+?=([^,]*)");

  private static final Pattern BETWEEN = Pattern.compile("(?<!\\\\)::?");

  /**
   * Refuses to erase it.
   *
   * @throws Problem of kind INPUT
   */
  void requireOutside(WipedFiles wiped) throws IOException {
    Optional<Path> machine = wiped.fileSystemOf(host);
    if (machine.isPresent()) {
      throw Problem.input(
          machine.get()
              + " is the root that this machine runs on, and --replace wipe would erase its"
              + " programs and those of its containers while they run; start the machine from"
              + " another medium for that, or give --replace alongside");
    }
    Optional<Path> programs = wiped.fileSystemOf(own);
    programs = programs.isPresent() ? programs : layerOn(wiped);
    if (programs.isPresent()) {
      throw Problem.input(
          "this command itself runs on "
              + programs.get()
              + ", and --replace wipe would erase its own programs; run it from another file"
              + " system, or give --replace alongside");
    }
    for (Path seen : List.of(host, own)) {
      for (Path store : PodmanStore.foldersOf(seen)) {
        wiped.requireOutside(store, "podman's images are in");
      }
    }
    for (Path folder : List.of(TemporaryFiles.folder(), TemporaryFiles.largeFolder())) {
      wiped.requireOutside(folder, "temporary files are in");
    }
  }

  private Optional<Path> layerOn(WipedFiles wiped) throws IOException {
    Optional<MountTable.Entry> entry =
        MountTable.at(OsPath.of(own)).filter(e -> e.type().equals("overlay"));
    for (String layer : entry.map(e -> layers(e.options())).orElse(List.of())) {
      Optional<Path> place = place(layer);
      if (place.isEmpty() && isContainer()) {
        throw Problem.input(
            "nothing says whether --replace wipe of %s would erase the programs of this container: its layer %s is not seen; give podman run --pid=host, too, or run this without a container"
                .formatted(wiped.root(), Printable.text(layer)));
      }
      Optional<Path> on = place.isEmpty() ? Optional.empty() : wiped.fileSystemOf(place.get());
      if (on.isPresent()) {
        return on;
      }
    }
    return Optional.empty();
  }

  static List<String> layers(String options) {
    List<String> layers = new ArrayList<>();
    for (Matcher m = LAYERS.matcher(options); m.find(); ) {
      for (String layer : BETWEEN.split(m.group(1))) {
        layers.add(layer.replace("\\:", ":"));
      }
    }
    return layers;
  }

  /** A layer as this process sees it: the names are those of who started the container. */
  private Optional<Path> place(String layer) throws IOException {
    for (Path seen : List.of(host, own)) {
      List<Path> places = new ArrayList<>();
      if (layer.startsWith("/")) {
        places.add(seen);
      } else {
        // Podman's short names count from there.
        PodmanStore.foldersOf(seen).forEach(store -> places.add(store.resolve("overlay")));
      }
      for (Path place : places) {
        Path path = place.resolve(layer.replaceFirst("^/+", ""));
        if (Files.exists(path)) {
          return Optional.of(path);
        }
      }
    }
    return Optional.empty();
  }

  private boolean isContainer() {
    return Files.exists(own.resolve("run/.containerenv"))
        || Files.exists(own.resolve(".dockerenv"));
  }
}
