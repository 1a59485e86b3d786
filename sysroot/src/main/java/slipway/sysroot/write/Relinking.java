package slipway.sysroot.write;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import slipway.linux.posix.OpenDirectory;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.ObjectType;
import slipway.ostree.repo.ObjectContent;
import slipway.ostree.repo.Repository;
import slipway.sysroot.state.Deployment;
import slipway.tree.FileTree;
import slipway.tree.Node;

/**
 * Leads the files of a deployment to their objects again. They are hard links, so one whose object
 * was replaced still has the old content.
 */
public final class Relinking {
  private static final OsPath TEMPORARY = OsPath.of(".slipway-relink.tmp");

  private final Repository repository;
  private final Set<Checksum> objects;
  private int count;

  private Relinking(Repository repository, Set<Checksum> objects) {
    this.repository = repository;
    this.objects = objects;
  }

  /**
   * Does it, each file by one rename.
   *
   * @param objects the objects that were replaced
   * @return how many files lead to another inode now
   */
  public static int run(
      Path root, Repository repository, Deployment deployment, Set<Checksum> objects)
      throws IOException {
    Relinking relinking = new Relinking(repository, objects);
    FileTree tree = repository.readTree(deployment.checksum());
    try (OpenDirectory top = OpenDirectory.of(OsPath.of(root.resolve(deployment.directory())))) {
      tree.walk((path, node) -> relinking.look(top, path, node));
    }
    return relinking.count;
  }

  private void look(OpenDirectory top, OsPath path, Node node) throws IOException {
    Checksum object = ObjectContent.linked(node).orElse(null);
    if (object != null && objects.contains(object)) {
      replace(top, path, object);
    }
  }

  private void replace(OpenDirectory top, OsPath path, Checksum object) throws IOException {
    Optional<OpenDirectory> found = top.find(path.parent());
    if (found.isEmpty()) {
      return;
    }
    OsPath file = OsPath.of(repository.objectPath(object, ObjectType.FILE));
    try (OpenDirectory parent = found.get()) {
      Optional<Stat> old = parent.lstat(path.name());
      if (old.isEmpty() || old.get().inode() == Posix.lstat(file).inode()) {
        return;
      }
      OsPath temporary = parent.at(TEMPORARY);
      if (parent.lstat(TEMPORARY).isPresent()) {
        Posix.unlink(temporary);
      }
      Posix.link(file, temporary);
      Posix.rename(temporary, parent.at(path.name()), 0);
      count++;
    }
  }
}
