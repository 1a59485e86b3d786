package slipway.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import slipway.linux.loop.LoopDevice;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.process.Command;
import slipway.ostree.container.Composefs;
import slipway.ostree.object.Checksum;
import slipway.ostree.repo.Repository;

/**
 * Looks at the disk of a machine that is off and holds it to what every boot needs: a repository
 * without errors, and behind each boot entry a kernel, an initramfs and a deployment that are
 * whole. That is so for the menu as GRUB sees it, which knows no journals, and as Linux does.
 */
final class DiskCheck {
  /**
   * What the disk says.
   *
   * @param next the commit of the entry that boots next
   * @param entries number of boot entries
   * @param settled whether GRUB and Linux see the same menu
   * @param rubbish what no entry leads to, of deployments, kernels and unfinished transactions
   */
  record Report(String next, int entries, boolean settled, List<String> rubbish) {}

  private final Path root;
  private final Repository repository;
  private final Set<String> used = new HashSet<>();
  private final Set<Path> whole = new HashSet<>();

  private DiskCheck(Path root) throws IOException {
    this.root = root;
    this.repository = Repository.open(root.resolve("ostree/repo"));
  }

  /**
   * Checks a copy, made in {@code scratch}: mounting a file system that was cut off replays its
   * journal, and that is left to the machine.
   */
  static Report ofCopy(Path disk, Path scratch) throws IOException {
    Path work = Files.createDirectory(scratch.resolve("check"));
    try {
      Path copy = work.resolve("copy.raw");
      Command.of("cp", "--sparse=always", disk.toString(), copy.toString()).run();
      return of(copy, work, (root, grub) -> {});
    } finally {
      Posix.removeTree(OsPath.of(work));
    }
  }

  /** What else is looked at. */
  interface More {
    /**
     * @param root of the mounted disk
     * @param grub the menu as GRUB has it, the entry that boots last
     */
    void look(Path root, List<MenuEntry> grub) throws IOException;
  }

  /** Checks a disk itself, whose journals are replayed; {@code work} takes copies of kernels. */
  static Report of(Path disk, Path work, More more) throws IOException {
    List<MenuEntry> grub = MenuEntry.asGrubSees(disk, work);
    Disk image = Disk.read(disk);
    Report report =
        MountedDisk.ask(
            image,
            work,
            0,
            sysroot -> {
              more.look(sysroot.root(), grub);
              return new DiskCheck(sysroot.root()).report(grub);
            });
    for (String part : List.of("root", "boot")) {
      try (LoopDevice device = image.attach(part)) {
        Disk.check(device);
      }
    }
    return report;
  }

  private Report report(List<MenuEntry> grub) throws IOException {
    assertThat(Command.of("ostree", "fsck", "--repo=" + root.resolve("ostree/repo")).output())
        .contains("no errors found");
    List<MenuEntry> linux = MenuEntry.asLinuxSees(root.resolve("boot"));
    for (List<MenuEntry> menu : List.of(linux, grub)) {
      assertThat(menu).as("boot entries").isNotEmpty();
      for (MenuEntry entry : menu) {
        checkEntry(entry);
      }
    }
    boolean settled =
        grub.stream()
            .map(MenuEntry::text)
            .toList()
            .equals(linux.stream().map(MenuEntry::text).toList());
    return new Report(commit(deployment(grub.getLast())), grub.size(), settled, rubbish());
  }

  private Path deployment(MenuEntry entry) throws IOException {
    return entry.deployment(root);
  }

  private void checkEntry(MenuEntry entry) throws IOException {
    Path deployment = deployment(entry);
    same(entry.linux(), module(deployment, "vmlinuz"));
    same(entry.initrd(), module(deployment, "initramfs.img"));
    used.add(deployment.getFileName().toString());
    used.add(entry.kernelDirectory());
    if (whole.add(deployment)) {
      checkDeployment(deployment);
    }
  }

  private static String commit(Path deployment) {
    return deployment.getFileName().toString().replaceFirst("\\..*", "");
  }

  private static Path module(Path deployment, String name) throws IOException {
    try (var versions = Files.list(deployment.resolve("usr/lib/modules"))) {
      return versions
          .map(version -> version.resolve(name))
          .filter(Files::exists)
          .findFirst()
          .orElseThrow(() -> new AssertionError(deployment + " has no " + name));
    }
  }

  private static void same(Path boot, Path image) throws IOException {
    assertThat(boot).exists();
    assertThat(Files.mismatch(boot, image)).as(boot + " and " + image).isEqualTo(-1);
  }

  /** Each file is the commit's, the composefs image shows the commit, and nothing else is there. */
  private void checkDeployment(Path deployment) throws IOException {
    String id = deployment.getFileName().toString();
    String checksum = commit(deployment);
    assertThat(Files.readString(deployment.resolveSibling(id + ".origin")))
        .as("origin of " + id)
        .contains("container-image-reference");
    String differences =
        Command.of(
                "ostree",
                "diff",
                "--repo=" + root.resolve("ostree/repo"),
                checksum,
                deployment.toString())
            .output();
    assertThat(differences.lines())
        .as(id + " against its commit")
        .allMatch(line -> line.matches("A +/?(etc(/.*)?|\\.ostree\\.cfs)"))
        .hasSizeGreaterThan(50);
    byte[] image = Files.readAllBytes(deployment.resolve(".ostree.cfs"));
    assertThat(List.of(composefs(checksum, false), composefs(checksum, true)))
        .as("composefs image of " + id)
        .anyMatch(wanted -> Arrays.equals(wanted, image));
  }

  private byte[] composefs(String commit, boolean digests) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      Composefs.writeDeployment(repository.readTree(new Checksum(commit)), digests, bytes);
    } catch (IOException e) {
      throw new AssertionError("the tree of " + commit + " cannot be read", e);
    }
    return bytes.toByteArray();
  }

  private List<String> rubbish() throws IOException {
    List<String> parents = new ArrayList<>(List.of("boot/ostree", "ostree/repo/tmp"));
    try (var stateroots = Files.list(root.resolve("ostree/deploy"))) {
      for (Path stateroot : stateroots.toList()) {
        parents.add("ostree/deploy/" + stateroot.getFileName() + "/deploy");
        parents.add("ostree/deploy/" + stateroot.getFileName() + "/backing");
      }
    }
    List<String> found = new ArrayList<>();
    for (String parent : parents) {
      if (!Files.exists(root.resolve(parent))) {
        continue;
      }
      try (var children = Files.list(root.resolve(parent))) {
        children
            .filter(Files::isDirectory)
            .filter(child -> !child.getFileName().toString().equals("cache"))
            .filter(child -> !used.contains(child.getFileName().toString()))
            .forEach(child -> found.add(parent + "/" + child.getFileName()));
      }
    }
    return found;
  }
}
