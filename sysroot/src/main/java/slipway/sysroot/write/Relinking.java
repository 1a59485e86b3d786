package slipway.sysroot.write;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.linux.posix.Ioctls;
import slipway.linux.posix.OpenDirectory;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.ObjectType;
import slipway.ostree.object.Objects;
import slipway.ostree.repo.ObjectContent;
import slipway.ostree.repo.Repository;
import slipway.sysroot.state.Deployment;
import slipway.tree.FileTree;

/**
 * Compares the files of a deployment with their objects, and leads them there again. They are hard
 * links, so one whose object was replaced still has the old content. One that is another inode with
 * the same content is fine: an object cannot have any number of links.
 */
public final class Relinking {
  private static final OsPath USR = OsPath.of("usr");
  private static final OsPath ETC = OsPath.of("etc");

  private final Repository repository;
  private final Deployment deployment;
  private final OsPath directory;

  public Relinking(Path root, Repository repository, Deployment deployment) {
    this.repository = repository;
    this.deployment = deployment;
    this.directory = OsPath.of(root.resolve(deployment.directory()));
  }

  /** A file that is another inode than its object, or missing. */
  private record Apart(OsPath path, Checksum object, boolean missing) {}

  /**
   * Looks, and changes nothing. An object that is missing is not missed here.
   *
   * @return a sentence for each file that is not what its object is called
   * @throws Problem when the tree of the deployment cannot be read
   */
  public List<String> check() throws IOException {
    List<String> errors = new ArrayList<>();
    try (OpenDirectory top = OpenDirectory.of(directory)) {
      for (Apart file : apart(top)) {
        if (file.missing()) {
          errors.add(shown(file) + " is missing");
        } else if (!isWhole(top, file)) {
          errors.add(shown(file) + " is not what its object " + file.object() + " should be");
        }
      }
    }
    return errors;
  }

  private String shown(Apart file) {
    return "the file "
        + Printable.text(file.path().toString())
        + " of the deployment "
        + deployment;
  }

  /**
   * Does it, each file by one rename: those of objects that were replaced, and those that are not
   * what they should be.
   *
   * @param replaced the objects that are new
   * @return how many files lead to another inode now
   */
  public int run(Set<Checksum> replaced) throws IOException {
    try (OpenDirectory top = OpenDirectory.of(directory)) {
      List<Apart> wanted = new ArrayList<>();
      for (Apart file : apart(top)) {
        if (replaced.contains(file.object())
            || ((file.missing() || !isWhole(top, file)) && isWhole(file.object()))) {
          wanted.add(file);
        }
      }
      // The directory itself cannot be changed, once a deployment is complete.
      boolean sealed =
          !deployment.staged() && wanted.stream().anyMatch(f -> f.path().parent().isEmpty());
      if (sealed) {
        Ioctls.setImmutable(directory, false);
      }
      try {
        return replace(top, wanted);
      } finally {
        if (sealed) {
          Ioctls.setImmutable(directory, true);
        }
      }
    }
  }

  private int replace(OpenDirectory top, List<Apart> files) throws IOException {
    int count = 0;
    for (Apart file : files) {
      Optional<OpenDirectory> found = top.find(file.path().parent());
      if (found.isPresent()) {
        try (OpenDirectory parent = found.get()) {
          repository.relink(file.object(), parent.at(file.path().name()));
          count++;
        }
      }
    }
    return count;
  }

  /** What is on another file system than the objects is an overlay's, and none of ours. */
  private List<Apart> apart(OpenDirectory top) throws IOException {
    List<Apart> found = new ArrayList<>();
    FileTree tree = repository.readTree(deployment.checksum());
    tree.walk(
        (path, node) -> {
          Optional<Checksum> object = ObjectContent.linked(node);
          if (object.isPresent() && repository.has(object.get(), ObjectType.FILE)) {
            Stat is = Posix.lstat(object(object.get()));
            OsPath place = place(path);
            Optional<Stat> file = top.lstat(place);
            if (file.isEmpty()
                ? isMissed(place)
                : file.get().device() == is.device() && file.get().inode() != is.inode()) {
              found.add(new Apart(place, object.get(), file.isEmpty()));
            }
          }
        });
    return found;
  }

  /** Where a deployment has a file of its image: the image's /etc is /usr/etc, /etc a copy. */
  private static OsPath place(OsPath path) {
    return path.components().getFirst().equals(ETC) ? USR.resolve(path) : path;
  }

  private static boolean isMissed(OsPath place) {
    return place.components().getFirst().equals(USR)
        && !place.name().startsWith(Objects.QUOTED_WHITEOUT);
  }

  private boolean isWhole(OpenDirectory top, Apart file) throws IOException {
    Optional<OpenDirectory> found = top.find(file.path().parent());
    if (found.isEmpty()) {
      return false;
    }
    try (OpenDirectory parent = found.get()) {
      return isWhole(parent.at(file.path().name()), file.object());
    }
  }

  private boolean isWhole(Checksum object) {
    return isWhole(object(object), object);
  }

  /** Whether a file has the content and the attributes of an object, whatever the object has. */
  private boolean isWhole(OsPath file, Checksum object) {
    try {
      return repository.contentChecksum(file).equals(object);
    } catch (IOException | Problem e) {
      return false; // A disk that does not give it, or no file.
    }
  }

  /** Whether the deployment has a file of the image as the image has it. */
  boolean isWhole(OsPath path) throws IOException {
    Optional<Checksum> object =
        repository.readTree(deployment.checksum()).find(path).flatMap(ObjectContent::linked);
    return object.isEmpty() || isWhole(directory.resolve(path), object.get());
  }

  private OsPath object(Checksum checksum) {
    return OsPath.of(repository.objectPath(checksum, ObjectType.FILE));
  }
}
