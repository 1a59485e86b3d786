package slipway.sysroot;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import slipway.linux.Ioctls;
import slipway.linux.OsPath;
import slipway.linux.Posix;
import slipway.ostree.Checksum;
import slipway.ostree.Repository;
import slipway.ostree.Transaction;

/**
 * Removes what nothing leads to any more: boot menus that are not in force, deployments without an
 * entry (also those that a crash left half made), kernels that no entry names. May be stopped at
 * any point and run again.
 */
final class Cleanup {
  private final Path root;
  private final RunState run;
  private final Repository repository;

  Cleanup(Path root, RunState run, Repository repository) {
    this.root = root;
    this.run = run;
    this.repository = repository;
  }

  void run(SysrootState state, boolean prune) throws IOException {
    removeOtherMenus(state);
    removeDeployments(state.all());
    removeKernels(state.all());
    writeRefs(state);
    if (prune) {
      repository.prune(state.all().stream().map(Deployment::checksum).collect(Collectors.toSet()));
    }
  }

  private void removeOtherMenus(SysrootState state) throws IOException {
    int other = 1 - state.bootVersion();
    int otherSub = 1 - state.subBootVersion();
    Path ostree = root.resolve("ostree");
    for (Path path :
        List.of(
            root.resolve("boot/loader." + other),
            root.resolve("boot/loader.tmp"),
            ostree.resolve("boot." + other),
            ostree.resolve("boot." + other + ".tmp"),
            ostree.resolve("boot." + state.bootVersion() + ".tmp"),
            ostree.resolve("boot." + other + ".0"),
            ostree.resolve("boot." + other + ".1"),
            ostree.resolve("boot." + state.bootVersion() + "." + otherSub))) {
      Posix.removeTree(OsPath.of(path));
    }
  }

  private void removeDeployments(List<Deployment> used) throws IOException {
    for (String stateroot : directories(root.resolve("ostree/deploy"))) {
      Set<String> ids =
          used.stream()
              .filter(d -> d.stateroot().equals(stateroot))
              .map(Deployment::id)
              .collect(Collectors.toSet());
      Path parent = root.resolve("ostree/deploy").resolve(stateroot);
      for (String id : DeploymentWriter.ids(root, stateroot)) {
        if (!ids.contains(id)) {
          remove(parent, id);
        }
      }
      removeOrphans(parent, ids);
    }
  }

  /**
   * Removes a deployment's directory and what belongs to it. The running one stays, whatever the
   * boot menu says.
   */
  void remove(Path stateroot, String id) throws IOException {
    Path directory = stateroot.resolve("deploy").resolve(id);
    if (run.isBacking(directory)) {
      return;
    }
    Ioctls.setImmutable(OsPath.of(directory), false);
    Posix.removeTree(OsPath.of(stateroot.resolve("backing").resolve(id)));
    Files.deleteIfExists(stateroot.resolve("deploy").resolve(id + ".origin"));
    Posix.removeTree(OsPath.of(directory));
  }

  /** Removes a deployment that could not be made; what cannot be removed waits for the next run. */
  void removeAfterFailure(Deployment deployment) {
    Path stateroot = root.resolve("ostree/deploy").resolve(deployment.stateroot());
    try {
      if (Files.isDirectory(stateroot.resolve("deploy").resolve(deployment.id()))) {
        remove(stateroot, deployment.id());
      }
    } catch (IOException e) {
      System.getLogger(Cleanup.class.getName())
          .log(System.Logger.Level.WARNING, "cannot remove " + deployment.directory(), e);
    }
  }

  /** Origins and backing directories whose deployment is gone. */
  private static void removeOrphans(Path stateroot, Set<String> used) throws IOException {
    Path deploy = stateroot.resolve("deploy");
    for (Path file : children(deploy)) {
      String name = String.valueOf(file.getFileName());
      if (name.endsWith(".origin")) {
        String id = name.substring(0, name.length() - ".origin".length());
        if (SysrootState.isDeploymentId(id) && !Files.isDirectory(deploy.resolve(id))) {
          Files.delete(file);
        }
      }
    }
    for (Path backing : children(stateroot.resolve("backing"))) {
      String id = String.valueOf(backing.getFileName());
      if (SysrootState.isDeploymentId(id)
          && !used.contains(id)
          && !Files.isDirectory(deploy.resolve(id))) {
        Posix.removeTree(OsPath.of(backing));
      }
    }
  }

  /** Removes kernels that none of these deployments boots. */
  void removeKernels(List<Deployment> used) throws IOException {
    for (Path directory : unusedKernels(root, used)) {
      Posix.removeTree(OsPath.of(directory));
    }
  }

  /** Directories of kernels in {@code /boot} that none of these deployments boots. */
  static List<Path> unusedKernels(Path root, List<Deployment> used) throws IOException {
    Set<String> checksums =
        used.stream().map(Deployment::bootChecksum).collect(Collectors.toCollection(HashSet::new));
    List<Path> unused = new ArrayList<>();
    Path kernels = root.resolve("boot/ostree");
    for (String name : directories(kernels)) {
      String checksum = name.substring(name.lastIndexOf('-') + 1);
      if (checksum.length() == 64
          && name.length() > 65
          && checksum.chars().allMatch(c -> c >= '0' && c <= '9' || c >= 'a' && c <= 'f')
          && !checksums.contains(checksum)) {
        unused.add(kernels.resolve(name));
      }
    }
    return unused;
  }

  /** Refs that keep the deployed commits when somebody prunes the repository. */
  private void writeRefs(SysrootState state) throws IOException {
    Map<String, Checksum> wanted = new java.util.LinkedHashMap<>();
    List<Deployment> all = state.all();
    for (int i = 0; i < all.size(); i++) {
      wanted.put(
          "ostree/" + state.bootVersion() + "/" + state.subBootVersion() + "/" + i,
          all.get(i).checksum());
    }
    Map<String, Checksum> present = new java.util.HashMap<>();
    for (int b = 0; b < 2; b++) {
      present.putAll(repository.refs("ostree/" + b));
    }
    if (present.equals(wanted)) {
      return;
    }
    try (Transaction transaction = repository.begin()) {
      present.keySet().stream()
          .filter(ref -> !wanted.containsKey(ref))
          .forEach(ref -> transaction.setRef(ref, null));
      wanted.forEach(transaction::setRef);
      transaction.commit();
    }
  }

  private static List<String> directories(Path parent) throws IOException {
    return children(parent).stream()
        .filter(p -> Files.isDirectory(p, LinkOption.NOFOLLOW_LINKS))
        .map(p -> String.valueOf(p.getFileName()))
        .toList();
  }

  private static List<Path> children(Path parent) throws IOException {
    List<Path> found = new ArrayList<>();
    if (Files.isDirectory(parent)) {
      try (DirectoryStream<Path> stream = Files.newDirectoryStream(parent)) {
        stream.forEach(found::add);
      }
    }
    return found;
  }
}
