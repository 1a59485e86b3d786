package slipway.sysroot.write;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import slipway.base.AfterCommit;
import slipway.base.AtomicFile;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.RawText;
import slipway.linux.posix.Ioctls;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.linux.posix.TreeCopy;
import slipway.linux.posix.UnixException;
import slipway.ostree.repo.Repository;
import slipway.sysroot.state.Deployment;
import slipway.sysroot.state.Origin;
import slipway.sysroot.state.SysrootState;
import slipway.tree.FileTree;
import slipway.tree.Node;

/**
 * Makes a deployment's directory. Nothing here changes what boots: until a boot entry leads to it a
 * directory is rubbish, which {@link SysrootSweep} removes.
 */
public final class DeploymentWriter {
  private final Path root;
  private final Repository repository;

  public DeploymentWriter(Path root, Repository repository) {
    this.root = root;
    this.repository = repository;
  }

  /**
   * Checks the commit out, copies {@code /etc} from the image's defaults, gives an empty {@code
   * /var} the image's, labels both, writes the composefs image and the origin. What fails, or is
   * interrupted, leaves an empty {@code /var} empty.
   */
  public void create(Deployment deployment, FileTree tree) throws IOException {
    Path stateroot = root.resolve("ostree/deploy").resolve(deployment.stateroot());
    if (!Files.isDirectory(stateroot)) {
      throw Problem.notFound("there is no stateroot \"" + deployment.stateroot() + "\"");
    }
    makeDirectory(stateroot.resolve("deploy"), 0755);
    makeDirectory(stateroot.resolve("backing"), 0700);
    for (String name : List.of("deploy", "backing")) {
      InheritedLabel.give(stateroot.resolve(name), stateroot);
    }
    Path directory = root.resolve(deployment.directory());
    repository.checkout(tree, directory);
    prepareEtc(directory);
    MachineId.forget(directory.resolve("etc"));
    try (NewVar var = NewVar.begin(stateroot)) {
      Path fresh = var.fresh();
      if (fresh != null) {
        prepareVar(directory, fresh);
      }
      label(directory, fresh, tree);
      InstalledComposefs.write(directory, tree);
      writeOrigin(deployment);
      var.keep();
    }
  }

  /**
   * Refuses an image whose {@code /etc} no machine could have: ostree keeps the defaults in {@code
   * /usr/etc}, and both are directories.
   *
   * @throws Problem of kind INPUT
   */
  public static void requireEtc(FileTree tree) {
    Node etc = tree.find("etc").orElse(null);
    Node defaults = tree.find("usr/etc").orElse(null);
    for (Node node : Arrays.asList(etc, defaults)) {
      if (node != null && !(node instanceof Node.Directory)) {
        throw Problem.input(
            "the image's "
                + (node == etc ? "/etc" : "/usr/etc")
                + " is no directory: a machine would have no /etc; make it one");
      }
    }
    boolean filled = etc instanceof Node.Directory d && !d.children().isEmpty();
    if (defaults == null && !filled) {
      throw Problem.input("the image has no /etc: a machine could not work without; add one");
    }
  }

  private static void makeDirectory(Path path, int mode) throws IOException {
    OsPath os = OsPath.of(path);
    try {
      Posix.mkdir(os, mode);
      Posix.chmod(os, mode);
    } catch (UnixException e) {
      if (e.errno() != UnixException.EEXIST) {
        throw e;
      }
    }
  }

  private static void prepareEtc(Path directory) throws IOException {
    Path etc = directory.resolve("etc");
    Path defaults = directory.resolve("usr/etc");
    boolean hasDefaults = Files.isDirectory(defaults, LinkOption.NOFOLLOW_LINKS);
    if (Files.exists(etc, LinkOption.NOFOLLOW_LINKS)) {
      boolean empty = isEmpty(etc);
      if (!empty && hasDefaults) {
        throw Problem.input("the image has files in both /etc and /usr/etc");
      }
      if (!empty) {
        Files.move(etc, defaults);
      } else if (hasDefaults) {
        Posix.rmdir(OsPath.of(etc));
      } else {
        return;
      }
    } else if (!hasDefaults) {
      return;
    }
    TreeCopy.copy(OsPath.of(defaults), OsPath.of(etc), TreeCopy.FAITHFUL, dropped -> {});
  }

  private static boolean isEmpty(Path directory) throws IOException {
    return Posix.list(OsPath.of(directory)).isEmpty();
  }

  /** As a container's volume: the image's content is the first content, never merged later. */
  private static void prepareVar(Path directory, Path var) throws IOException {
    Path initial = directory.resolve("var");
    if (!Files.isDirectory(initial, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    for (OsPath name : Posix.list(OsPath.of(initial))) {
      TreeCopy.copy(
          OsPath.of(initial).resolve(name),
          OsPath.of(var).resolve(name),
          TreeCopy.FAITHFUL,
          dropped -> {});
    }
    MachineId.forgetCopy(var);
    if (!Files.isDirectory(directory.resolve("usr/lib/tmpfiles.d"))) {
      legacyVar(var);
    }
  }

  /**
   * @param var when it is new
   */
  private static void label(Path directory, @Nullable Path var, FileTree tree) throws IOException {
    Optional<InstalledLabels> labels = InstalledLabels.of(tree);
    if (labels.isPresent()) {
      Path etc = directory.resolve("etc");
      if (Files.isDirectory(etc, LinkOption.NOFOLLOW_LINKS)) {
        labels.get().apply(OsPath.of(etc), OsPath.of("etc"));
      }
      if (var != null) {
        labels.get().apply(OsPath.of(var), OsPath.of("var"));
      }
    }
  }

  /** What ostree makes in {@code /var} for a system without systemd's tmpfiles. */
  private static void legacyVar(Path var) throws IOException {
    makeDirectory(var.resolve("tmp"), 01777);
    makeDirectory(var.resolve("lib"), 0755);
    makeDirectory(var.resolve("log"), 0755);
    if (!Files.exists(var.resolve("run"), LinkOption.NOFOLLOW_LINKS)) {
      Files.createSymbolicLink(var.resolve("run"), Path.of("../run"));
    }
    if (!Files.exists(var.resolve("lock"), LinkOption.NOFOLLOW_LINKS)) {
      Files.createSymbolicLink(var.resolve("lock"), Path.of("../run/lock"));
    }
  }

  /**
   * Writes the file beside the deployment that tells where it came from. One that is damaged stays
   * as it is: it may still tell a person.
   */
  public void writeOrigin(Deployment deployment) throws IOException {
    writeOrigin(root.resolve(deployment.directory()), deployment.origin());
  }

  /**
   * As {@link #writeOrigin(Deployment)}.
   *
   * @param directory of the deployment
   */
  public static void writeOrigin(Path directory, Origin origin) throws IOException {
    if (origin.damage() != null) {
      return;
    }
    Path target = SysrootState.originFile(directory);
    Path model =
        Files.exists(target) ? target : java.util.Objects.requireNonNull(directory.getParent());
    // What a kill left of an earlier attempt; whoever writes has the lock, or is an installation.
    AtomicFile.sweepOf(target);
    try (AtomicFile file = AtomicFile.create(target)) {
      file.out().write(RawText.encode(origin.toString()));
      InheritedLabel.give(file.temporary(), model);
      file.commit();
    }
  }

  /**
   * Does what waits for the last moment: merges {@code /etc}, marks it and {@code /var} as new for
   * systemd, makes the backing directories, seals the directory.
   *
   * @param var the machine's {@code /var} of this stateroot
   * @param warnings is told in a sentence what of {@code /etc} cannot be carried over, and which
   *     mark stays
   * @return the local changes that were carried over, or null without {@code merge}
   */
  @Nullable
  public EtcMerge complete(
      Deployment deployment, @Nullable Deployment merge, Path var, Consumer<String> warnings)
      throws IOException {
    Path directory = root.resolve(deployment.directory());
    EtcMerge changes = null;
    if (merge != null && Files.isDirectory(directory.resolve("etc"))) {
      changes = etcChanges(root.resolve(merge.directory()));
      for (OsPath dropped : changes.apply(directory.resolve("etc"))) {
        warnings.accept(
            "the socket /etc/"
                + Printable.text(dropped.toString())
                + " is not carried over: it is of a program that runs, which makes it again");
      }
    }
    if (changes != null && merge != null) {
      MachineId.keep(root.resolve(merge.directory()).resolve("etc"), directory.resolve("etc"));
    }
    removeMark(directory.resolve("etc"), warnings);
    removeMark(var, warnings);
    makeBacking(deployment, directory);
    writeOrigin(deployment);
    Ioctls.setImmutable(OsPath.of(directory), true);
    return changes;
  }

  /** Units may look at the mark; a deployment that boots without them beats none. */
  private static void removeMark(Path folder, Consumer<String> warnings) {
    new AfterCommit(warnings)
        .attempt(
            "the next start may leave out what follows an update (ConditionNeedsUpdate), as the"
                + " mark of an earlier one stays",
            () -> Files.deleteIfExists(folder.resolve(".updated")));
  }

  /** What was changed locally in the {@code /etc} of a deployment. */
  public static EtcMerge etcChanges(Path deployment) throws IOException {
    return EtcMerge.diff(deployment.resolve("usr/etc"), deployment.resolve("etc"));
  }

  private void makeBacking(Deployment deployment, Path directory) throws IOException {
    Path backing = backing(root, deployment);
    makeDirectory(backing, 0700);
    Path overlay = backing.resolve("root-transient");
    makeDirectory(overlay, 0700);
    makeDirectory(overlay.resolve("work"), 0700);
    Stat stat = Posix.lstat(OsPath.of(directory));
    makeDirectory(overlay.resolve("upper"), stat.permissions());
    InheritedLabel.give(overlay.resolve("upper"), directory);
    InheritedLabel.give(backing);
  }

  /** The directory of what belongs to a deployment and does not lie in its own. */
  public static Path backing(Path root, Deployment deployment) {
    return root.resolve("ostree/deploy")
        .resolve(deployment.stateroot())
        .resolve("backing")
        .resolve(deployment.id());
  }

  /** The serial for one more deployment of a commit: above all that have a directory. */
  public static int nextSerial(Path root, String stateroot, String commit) throws IOException {
    int next = 0;
    for (String id : ids(root, stateroot)) {
      if (id.startsWith(commit)) {
        next = Math.max(next, SysrootState.serialOf(id) + 1);
      }
    }
    return next;
  }

  /** The names of all deployment directories of a stateroot, in use or not. */
  public static List<String> ids(Path root, String stateroot) throws IOException {
    Path directory = root.resolve("ostree/deploy").resolve(stateroot).resolve("deploy");
    List<String> ids = new ArrayList<>();
    if (Files.isDirectory(directory)) {
      try (var children = Files.newDirectoryStream(directory)) {
        for (Path child : children) {
          String name = String.valueOf(child.getFileName());
          if (SysrootState.isDeploymentId(name)
              && Files.isDirectory(child, LinkOption.NOFOLLOW_LINKS)) {
            ids.add(name);
          }
        }
      }
    }
    return ids;
  }
}
