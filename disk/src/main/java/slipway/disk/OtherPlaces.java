package slipway.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import slipway.base.Problem;
import slipway.disk.config.PartitionContent;
import slipway.disk.customize.Customizer;
import slipway.disk.plan.DiskPlan;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.tree.FileTree;
import slipway.tree.Node;

/**
 * What a disk has file systems for beside its root, /boot and the EFI system partition. An
 * installation fills the root, and at last what lies there in such a place moves to its partition:
 * so a user's home is on the partition for /var/home.
 */
record OtherPlaces(DiskPlan plan) {
  private static final String VAR = "/var";

  /** Where an image has the program that finds logical volumes. */
  private static final List<String> LVM = List.of("usr/sbin/lvm", "usr/bin/lvm", "sbin/lvm");

  /**
   * One of them.
   *
   * @param path where it is mounted
   */
  record Place(DiskPlan.Part part, String path) {
    private boolean isOfVar() {
      return path.equals(VAR) || path.startsWith(VAR + "/");
    }

    /** Where what is in it lies before it moves. */
    private Path within(Installation.Deployed deployed) {
      return isOfVar()
          ? deployed.var().resolve(path.replaceFirst("^/var/?", ""))
          : deployed.tree().resolve(path.substring(1));
    }
  }

  /** Where it moves to. */
  @FunctionalInterface
  interface Partitions {
    /**
     * Fills one.
     *
     * @throws Problem of kind INPUT when that has no room
     */
    void fill(Place place, Path from) throws IOException;
  }

  /** All of them, what lies in another first. */
  private List<Place> places() {
    List<Place> places = new ArrayList<>();
    for (DiskPlan.Part part : plan.areas()) {
      for (String path : part.content().places()) {
        if (!PartitionContent.STARTING.contains(path)) {
          places.add(new Place(part, path));
        }
      }
    }
    places.sort(Comparator.comparing(Place::path).reversed());
    return places;
  }

  /**
   * Refuses what the machine could not mount.
   *
   * @throws Problem of kind INPUT
   */
  void require(FileTree image) {
    if (plan.group() != null && LVM.stream().allMatch(p -> image.find(p).isEmpty())) {
      throw Problem.input(
          "a machine of this image would not find its logical volumes, for there is no lvm in the image; install lvm2 in its Containerfile and make the initramfs anew, or take plain partitions");
    }
    if (!plan.encrypted().isEmpty() && !InstallableImage.hasCryptsetup(image)) {
      throw Problem.input(
          "a machine of this image would not unlock its partitions, for there is no systemd-cryptsetup in the image; install it in its Containerfile and make the initramfs anew, or leave out luks");
    }
    for (Place place : places()) {
      Node node = image.root();
      for (OsPath name : OsPath.of(place.path()).components()) {
        Node child = node instanceof Node.Directory d ? d.children().get(name) : null;
        if (child instanceof Node.Symlink link) {
          throw Problem.input(
              "nothing can be mounted on %s: %s is a link to %s in the image; name the place that it leads to"
                  .formatted(place.path(), name, link.target()));
        }
        boolean isWrong = child == null ? !place.isOfVar() : !(child instanceof Node.Directory);
        if (isWrong) {
          throw Problem.input(
              "nothing can be mounted on %s: it is no folder of the image, and the root of a machine cannot be written to; make it in the image's Containerfile (RUN mkdir), or take a place below /var"
                  .formatted(place.path()));
        }
        if (child == null) {
          break;
        }
        node = child;
      }
      if (!place.isOfVar() && node instanceof Node.Directory d && !d.children().isEmpty()) {
        throw Problem.input(
            "the image has files in %s, which a partition that is mounted there would hide; take another place"
                .formatted(place.path()));
      }
    }
  }

  /** Makes the folders to mount them on, before anything is put there. */
  void makeFolders(Installation.Deployed deployed) throws IOException {
    for (Place place : places()) {
      if (place.isOfVar()) {
        Customizer.makeFolder(deployed.var(), place.within(deployed));
      }
    }
  }

  /** Moves what is in them; their folders are empty then. */
  void fill(Installation.Deployed deployed, Partitions partitions) throws IOException {
    for (Place place : places()) {
      Path from = place.within(deployed);
      if (place.part().content() instanceof PartitionContent.Fat) {
        requireEmpty(place, from);
        continue;
      }
      partitions.fill(place, from);
      OsPath folder = OsPath.of(from);
      for (OsPath name : Posix.list(folder)) {
        Posix.removeTree(folder.resolve(name));
      }
    }
  }

  /** What is to be told when one has no room for what lies in its place. */
  static Problem tooSmall(Place place, Exception seen) {
    Problem told =
        Problem.input(
            "the partition for %s has %d MiB, which is too small for what the image and the config put there; give it a larger minsize"
                .formatted(place.path(), place.part().size() >> 20));
    // It is no cause: that would be taken for a disk that is full (DiskSpace).
    told.addSuppressed(seen);
    return told;
  }

  private static void requireEmpty(Place place, Path folder) throws IOException {
    try (var all = Files.list(folder)) {
      if (all.findAny().isPresent()) {
        throw Problem.input(
            "%s: vfat keeps neither owners nor modes of the files in %s; take ext4"
                .formatted("customizations.disk", place.path()));
      }
    }
  }
}
