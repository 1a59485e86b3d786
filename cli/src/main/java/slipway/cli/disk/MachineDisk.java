package slipway.cli.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import slipway.base.AtomicFile;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.cli.command.State;
import slipway.cli.output.Terminal;
import slipway.cli.output.TerminalProgress;
import slipway.disk.DiskBuilder;
import slipway.disk.DiskRequest;
import slipway.disk.DiskType;
import slipway.disk.FileAccess;
import slipway.disk.config.DiskConfig;
import slipway.linux.lock.Flock;
import slipway.linux.lock.ScratchFolder;
import slipway.media.DiskFormat;
import slipway.media.Machines;
import slipway.media.NamedMachine;
import slipway.oci.model.Manifest;
import slipway.oci.model.Platform;
import slipway.oci.store.LocalStore;
import slipway.ostree.container.LayerCache;

/**
 * What a machine starts from: a disk of the user's, or one that was made of an image. These are
 * kept, by the image's digest, for the next machine of the same image, and never written to:
 *
 * <pre>
 *  STATE/vm/disks/HEX.qcow2   of the image sha256:HEX
 *  STATE/vm/disks/lock        held while one is made, or those that nobody needs are removed
 *  STATE/vm/machines/NAME/    see {@link NamedMachine}
 * </pre>
 *
 * @param digest of the image, or null
 * @param shortName what a machine of it may be called
 */
record MachineDisk(Path file, DiskFormat format, @Nullable String digest, String shortName) {
  private static final String SUFFIX = ".qcow2";

  /** Machines with names, of a state. */
  static Machines machines(State state) {
    return new Machines(state.directory().resolve("vm/machines"));
  }

  /** Whether a word means a file: one is there, or an image could not be called so. */
  static boolean isFile(String word) {
    return word.isEmpty()
        || word.startsWith("/")
        || word.startsWith(".")
        || word.toLowerCase(Locale.ROOT).matches(".*\\.(raw|img|qcow2)")
        || Files.exists(Path.of(word));
  }

  /**
   * A disk of the user's.
   *
   * @param format or null for what its name says
   */
  static MachineDisk of(Path file, @Nullable DiskFormat format) {
    String name = String.valueOf(file.getFileName());
    return new MachineDisk(
        file, format == null ? DiskFormat.of(file) : format, null, name.replaceAll("\\..*", ""));
  }

  /**
   * The disk of an image in the local store, made when it is not there yet.
   *
   * @param platform that the image must be for
   * @throws Problem of kind NOT_FOUND when there is no such image, INPUT when it is for another
   *     platform
   */
  static MachineDisk ofImage(String image, Platform platform, State state) throws IOException {
    try (LocalStore store = state.storeWith(image)) {
      Manifest.Image manifest = store.image(image, platform);
      if (store.isForAnother(manifest, platform)) {
        String own = store.config(manifest).platform().architecture();
        throw Problem.input(
            "%s is for %s and the machine would be of %s; --arch says which one it is"
                .formatted(Printable.text(image), Printable.text(own), platform.architecture()));
      }
      Path folder = Files.createDirectories(state.directory().resolve("vm/disks"));
      Path disk = folder.resolve(manifest.digest().hex() + SUFFIX);
      try (Flock lock = Flock.file(folder.resolve("lock"), true)) {
        prune(store, folder, disk, state);
        if (!Files.exists(disk)) {
          boolean foreign = !Platform.host().accepts(platform);
          make(store, manifest, image, foreign, folder, disk, state);
        }
      }
      String name = LocalStore.localName(image).repository();
      return new MachineDisk(
          disk,
          DiskFormat.QCOW2,
          manifest.digest().toString(),
          name.substring(name.lastIndexOf('/') + 1));
    }
  }

  private static void make(
      LocalStore store,
      Manifest.Image manifest,
      String image,
      boolean foreign,
      Path folder,
      Path disk,
      State state)
      throws IOException {
    Progress progress = TerminalProgress.forStderr(System.err, !Terminal.stderrIsTerminal());
    try (ScratchFolder work = ScratchFolder.create(folder, "new-", progress::note)) {
      Path made =
          DiskBuilder.build(
                  new DiskRequest(
                          store.source(),
                          manifest,
                          store.config(manifest),
                          LocalStore.localName(image).orLatest(),
                          List.of(DiskType.QCOW2),
                          null,
                          null,
                          DiskConfig.EMPTY,
                          0,
                          FileAccess.PRIVATE,
                          work.path())
                      .withForeign(foreign)
                      .withCache(new LayerCache(state.layersDirectory())),
                  progress)
              .getFirst();
      AtomicFile.rename(made, disk);
    } finally {
      TerminalProgress.finish(progress);
    }
  }

  /** Removes disks whose image is gone and that no machine stands on. */
  private static void prune(LocalStore store, Path folder, Path wanted, State state)
      throws IOException {
    Set<Path> needed = new HashSet<>(Set.of(wanted));
    for (NamedMachine machine : machines(state).list()) {
      needed.add(machine.record().disk());
    }
    List<Path> disks;
    try (Stream<Path> all = Files.list(folder)) {
      disks = all.filter(f -> f.toString().endsWith(SUFFIX) && !needed.contains(f)).toList();
    }
    for (Path disk : disks) {
      String hex = String.valueOf(disk.getFileName()).replace(SUFFIX, "");
      if (store.find("sha256:" + hex).isEmpty()) {
        Files.deleteIfExists(disk);
      }
    }
  }
}
