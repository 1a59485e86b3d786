package slipway.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import slipway.linux.Command;
import slipway.linux.LoopDevice;
import slipway.ostree.Checksum;
import slipway.ostree.Composefs;
import slipway.ostree.Repository;

/**
 * Looks at the disk of a machine that is off and holds it to what every boot needs: a repository
 * without errors, and behind each boot entry a kernel, an initramfs and a deployment that are
 * whole.
 */
final class DiskCheck {
  /**
   * What the disk says.
   *
   * @param next the commit of the entry that boots next
   * @param entries number of boot entries
   * @param rubbish what no entry leads to, of deployments, kernels and unfinished transactions
   */
  record Report(String next, int entries, List<String> rubbish) {}

  private final Path root;
  private final Repository repository;

  private DiskCheck(Path root) throws IOException {
    this.root = root;
    this.repository = Repository.open(root.resolve("ostree/repo"));
  }

  /**
   * Checks a copy, made in {@code scratch}: mounting a file system that was cut off replays its
   * journal, and that is left to the machine.
   */
  static Report ofCopy(Path disk, Path scratch) throws IOException {
    Path copy = scratch.resolve("copy.raw");
    Command.of("cp", "--sparse=always", disk.toString(), copy.toString()).run();
    try {
      Disk image = Disk.read(copy);
      Report report =
          MountedDisk.ask(image, scratch, 0, sysroot -> new DiskCheck(sysroot.root()).report());
      for (String part : List.of("root", "boot")) {
        try (LoopDevice device = image.attach(part)) {
          Command.of("e2fsck", "-f", "-n", device.device().toString()).run();
        }
      }
      return report;
    } finally {
      Files.delete(copy);
    }
  }

  private Report report() throws IOException {
    assertThat(Command.of("ostree", "fsck", "--repo=" + root.resolve("ostree/repo")).output())
        .contains("no errors found");
    Set<String> used = new HashSet<>();
    String next = "";
    List<Path> entries = entries();
    assertThat(entries).as("boot entries").isNotEmpty();
    for (Path entry : entries) {
      next = checkEntry(entry, used);
    }
    return new Report(next, entries.size(), rubbish(used));
  }

  /** The one that boots is the last. */
  private List<Path> entries() throws IOException {
    try (var files = Files.list(root.resolve("boot/loader/entries"))) {
      return files
          .filter(file -> file.toString().endsWith(".conf"))
          .sorted(Comparator.comparing(Path::toString))
          .toList();
    }
  }

  private String checkEntry(Path file, Set<String> used) throws IOException {
    Map<String, String> entry = new HashMap<>();
    for (String line : Files.readAllLines(file)) {
      int space = line.indexOf(' ');
      entry.put(line.substring(0, Math.max(0, space)), line.substring(space + 1).strip());
    }
    assertThat(entry).as(file.toString()).containsKeys("linux", "initrd", "options");
    String link =
        List.of(entry.get("options").split(" ")).stream()
            .filter(option -> option.startsWith("ostree=/"))
            .findFirst()
            .orElseThrow(() -> new AssertionError(file + " names no deployment"));
    Path deployment = root.resolve(link.substring("ostree=/".length())).toRealPath();
    Path linux = root.resolve("boot" + entry.get("linux"));
    Path initrd = root.resolve("boot" + entry.get("initrd"));
    sameFile(linux, module(deployment, "vmlinuz"));
    sameFile(initrd, module(deployment, "initramfs.img"));
    String id = deployment.getFileName().toString();
    used.add(id);
    used.add(linux.getParent().getFileName().toString());
    checkDeployment(deployment);
    return commit(deployment);
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

  private static void sameFile(Path boot, Path image) throws IOException {
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

  private List<String> rubbish(Set<String> used) throws IOException {
    List<String> found = new ArrayList<>();
    for (String parent :
        List.of(
            "ostree/deploy/default/deploy",
            "ostree/deploy/default/backing",
            "boot/ostree",
            "ostree/repo/tmp")) {
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
