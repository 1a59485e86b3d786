package slipway.sysroot.write;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import slipway.base.AfterCommit;
import slipway.base.AtomicFile;
import slipway.linux.posix.Ioctls;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Removal;
import slipway.ostree.object.Checksum;
import slipway.ostree.repo.Repository;
import slipway.ostree.repo.Transaction;
import slipway.sysroot.state.BootEntry;
import slipway.sysroot.state.BootTrial;
import slipway.sysroot.state.Deployment;
import slipway.sysroot.state.EspMenu;
import slipway.sysroot.state.MachineSettings;
import slipway.sysroot.state.RunState;
import slipway.sysroot.state.SysrootState;

/**
 * Removes what nothing leads to any more: boot menus that are not in force, deployments without an
 * entry (also those that a crash left half made), kernels that no entry names. May be stopped at
 * any point and run again; what cannot be removed is told and does not keep the rest.
 */
public final class SysrootSweep {
  /** Marks a new stateroot, in its folder, until the boot menu leads into it. */
  public static final String UNSTARTED = ".slipway-unstarted";

  private final Path root;
  private final RunState run;
  private final Repository repository;
  private final AfterCommit after;

  public SysrootSweep(Path root, RunState run, Repository repository, AfterCommit after) {
    this.root = root;
    this.run = run;
    this.repository = repository;
    this.after = after;
  }

  /**
   * Removes it.
   *
   * @return whether anything was: not while the menu that systemd-boot reads may need it
   */
  public boolean run(SysrootState state) {
    if (!after.attempt(
        "the boot menu on the EFI system partition is not up to date, nothing old is removed",
        () -> mirror(state))) {
      return false;
    }
    removeOtherMenus(state);
    after.attempt("not all old deployments were found", () -> removeDeployments(state.all()));
    removeKernels(state.all());
    after.attempt("a new stateroot is still marked as such", () -> unmark(state.deployments()));
    after.attempt(
        "not all unfinished files were found",
        () -> {
          AtomicFile.sweep(root.resolve("boot/ostree"));
          AtomicFile.sweepOf(MachineSettings.path(root));
          repository.sweep();
        });
    after.attempt("the refs of the deployments could not be written", () -> writeRefs(state));
    return true;
  }

  /**
   * Brings the copy of the menu that systemd-boot reads up to date.
   *
   * @return whether something was written; never on machines that another boot loader starts
   */
  public boolean mirror(SysrootState state) throws IOException {
    Optional<EspWriter> esp = EspWriter.of(root);
    if (esp.isEmpty()) {
      return false;
    }
    List<BootEntry> menu =
        SysrootState.entries(BootWriter.loader(root, state.bootVersion()).resolve("entries"));
    Optional<BootTrial> trial =
        BootTrial.read(root)
            .filter(t -> !state.deployments().isEmpty() && t.isOf(state.deployments().getFirst()));
    boolean changed = esp.get().mirror(menu, trial, after);
    // The menu is in force: what stays of old ones must not keep changes away.
    after.attempt(
        "not all of old boot menus could be removed from the EFI system partition",
        esp.get()::sweep);
    return changed;
  }

  /**
   * Removes what a change that failed wrote of its menu, which is not in force: the room that it
   * took is what other changes need.
   *
   * @param state what is in force, read after the failure
   * @throws IOException when the menu that systemd-boot reads may need it; nothing is removed then
   */
  public void removeUnfinishedMenu(SysrootState state) throws IOException {
    mirror(state);
    removeOtherMenus(state);
    removeKernels(state.all());
  }

  /** Removes objects that neither a deployment nor a ref needs. */
  public void prune(SysrootState state) throws IOException {
    repository.prune(state.all().stream().map(Deployment::checksum).collect(Collectors.toSet()));
  }

  private void removeOtherMenus(SysrootState state) {
    int other = 1 - state.bootVersion();
    int otherSub = 1 - state.subBootVersion();
    Path ostree = root.resolve("ostree");
    for (Path path :
        List.of(
            BootWriter.loader(root, other),
            root.resolve("boot/loader.tmp"),
            ostree.resolve("boot." + other),
            ostree.resolve("boot." + other + ".tmp"),
            ostree.resolve("boot." + state.bootVersion() + ".tmp"),
            ostree.resolve("boot." + other + ".0"),
            ostree.resolve("boot." + other + ".1"),
            ostree.resolve("boot." + state.bootVersion() + "." + otherSub))) {
      remove(path);
    }
  }

  private void unmark(List<Deployment> menu) throws IOException {
    for (Deployment d : menu) {
      Files.deleteIfExists(root.resolve("ostree/deploy").resolve(d.stateroot()).resolve(UNSTARTED));
    }
  }

  private void remove(Path path) {
    after.attempt(path + " could not be removed", () -> Removal.tree(OsPath.of(path)));
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
          after.attempt(
              "the old deployment " + id + " could not be removed", () -> remove(parent, id));
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
    Removal.tree(OsPath.of(stateroot.resolve("backing").resolve(id)));
    Removal.tree(OsPath.of(stateroot.resolve("deploy").resolve(id + ".origin")));
    Removal.tree(OsPath.of(directory));
  }

  /** Removes a deployment that could not be made; what cannot be removed waits for the next run. */
  public void removeAfterFailure(Deployment deployment) {
    Path stateroot = root.resolve("ostree/deploy").resolve(deployment.stateroot());
    if (Files.isDirectory(stateroot.resolve("deploy").resolve(deployment.id()))) {
      after.attempt(
          deployment.directory() + " could not be removed",
          () -> remove(stateroot, deployment.id()));
    }
  }

  /** Origins, whole or not, and backing directories whose deployment is gone. */
  private void removeOrphans(Path stateroot, Set<String> used) throws IOException {
    Path deploy = stateroot.resolve("deploy");
    AtomicFile.sweep(deploy);
    for (Path file : children(deploy)) {
      String name = String.valueOf(file.getFileName());
      if (name.endsWith(".origin")) {
        String id = name.substring(0, name.length() - ".origin".length());
        if (SysrootState.isDeploymentId(id) && !Files.isDirectory(deploy.resolve(id))) {
          remove(file);
        }
      }
    }
    for (Path backing : children(stateroot.resolve("backing"))) {
      String id = String.valueOf(backing.getFileName());
      if (SysrootState.isDeploymentId(id)
          && !used.contains(id)
          && !Files.isDirectory(deploy.resolve(id))) {
        remove(backing);
      }
    }
  }

  /** Removes kernels that none of these deployments boots. */
  public void removeKernels(List<Deployment> used) {
    after.attempt(
        "not all old kernels were found",
        () -> {
          Set<Path> booted = kernelsOf(root, used);
          unusedIn(root.resolve("boot").resolve(BootWriter.KERNELS), booted).forEach(this::remove);
          Optional<EspWriter> esp = EspWriter.of(root);
          if (esp.isPresent()) {
            esp.get().unusedKernels(booted).forEach(this::remove);
          }
        });
  }

  /** The names of the folders of these deployments' kernels, and of those that entries name. */
  static Set<Path> kernelsOf(Path root, List<Deployment> used) {
    Set<Path> names = new HashSet<>();
    for (Deployment d : used) {
      names.add(BootWriter.kernelDirectory(root, d).getFileName());
      names.addAll(named(d));
    }
    return names;
  }

  /**
   * Directories of kernels that none of these deployments boots: each stateroot has its own, also
   * of the same kernel.
   *
   * @param kernels where they are
   * @param booted names of those that are booted
   */
  static List<Path> unusedIn(Path kernels, Set<Path> booted) throws IOException {
    List<Path> unused = new ArrayList<>();
    for (String name : directories(kernels)) {
      if (EspMenu.isKernels(name) && !booted.contains(Path.of(name))) {
        unused.add(kernels.resolve(name));
      }
    }
    return unused;
  }

  /** The directory that a deployment's entry names, whoever wrote that. */
  private static List<Path> named(Deployment deployment) {
    BootEntry entry = deployment.entry();
    if (entry == null) {
      return List.of();
    }
    List<Path> named = new ArrayList<>();
    for (String kernel : entry.keys().getOrDefault("linux", List.of())) {
      Path folder = Path.of(kernel).getParent();
      if (folder != null && folder.getFileName() != null) {
        named.add(folder.getFileName());
      }
    }
    return named;
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
