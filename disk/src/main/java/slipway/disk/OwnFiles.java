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

  private static final String PODMAN = "var/lib/containers/storage";

  /**
   * Refuses to erase it.
   *
   * @param root that is to be erased
   * @throws Problem of kind INPUT
   */
  void requireOutside(MountedFileSystem root) throws IOException {
    if (isOn(root, host)) {
      throw Problem.input(
          root.point()
              + " is the root that this machine runs on, and --replace wipe would erase its"
              + " programs and those of its containers while they run; start the machine from"
              + " another medium for that, or give --replace alongside");
    }
    if (isOn(root, own) || hasLayerOn(root)) {
      throw Problem.input(
          "this command itself runs on "
              + root.point()
              + ", and --replace wipe would erase its own programs; run it from another file"
              + " system, or give --replace alongside");
    }
    for (Path seen : List.of(host, own)) {
      requireOutside(root, seen.resolve(PODMAN), "podman's images are in");
    }
    for (Path folder : List.of(TemporaryFiles.folder(), TemporaryFiles.largeFolder())) {
      requireOutside(root, folder, "temporary files are in");
    }
  }

  /**
   * Refuses to erase a file or folder that an installation reads.
   *
   * @param what it is, as the beginning of a sentence that its path ends
   * @throws Problem of kind INPUT
   */
  static void requireOutside(MountedFileSystem root, Path needed, String what) throws IOException {
    if (isOn(root, needed)) {
      throw Problem.input(
          "%s %s, which --replace wipe of %s would erase; keep them on another file system"
              .formatted(what, Printable.text(needed.toString()), root.point()));
    }
  }

  private static boolean isOn(MountedFileSystem root, Path other) throws IOException {
    return TargetRoot.isSame(root.point(), other);
  }

  private boolean hasLayerOn(MountedFileSystem root) throws IOException {
    Optional<MountTable.Entry> entry = MountTable.at(OsPath.of(own));
    if (entry.isEmpty()) {
      return false;
    }
    // Each subvolume has a number of its own.
    if (root.type().equals("btrfs") && entry.get().source().equals(root.device().toString())) {
      return true;
    }
    if (entry.get().type().equals("overlay")) {
      for (String layer : layers(entry.get().options())) {
        Optional<Path> place = place(layer);
        if (place.isEmpty() && isContainer()) {
          throw Problem.input(
              "nothing says whether --replace wipe of %s would erase the programs of this container: its layer %s is not seen; give podman run --pid=host, too, or run this without a container"
                  .formatted(root.point(), Printable.text(layer)));
        }
        if (place.isPresent() && isOn(root, place.get())) {
          return true;
        }
      }
    }
    return false;
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
  private Optional<Path> place(String layer) {
    for (Path seen : List.of(host, own)) {
      // Podman's short names count from there.
      Path place = layer.startsWith("/") ? seen : seen.resolve(PODMAN).resolve("overlay");
      Path path = place.resolve(layer.replaceFirst("^/+", ""));
      if (Files.exists(path)) {
        return Optional.of(path);
      }
    }
    return Optional.empty();
  }

  private boolean isContainer() {
    return Files.exists(own.resolve("run/.containerenv"))
        || Files.exists(own.resolve(".dockerenv"));
  }
}
