package slipway.startup;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import slipway.archive.tar.Metadata;
import slipway.base.Progress;
import slipway.host.status.StatusReader;
import slipway.host.system.HostEnvironment;
import slipway.host.system.SystemActions;
import slipway.host.update.Host;
import slipway.linux.posix.Posix;
import slipway.ostree.gvariant.GVariant;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.CommitSpec;
import slipway.ostree.repo.Repository;
import slipway.ostree.repo.Transaction;
import slipway.sysroot.state.ContainerReference;
import slipway.sysroot.state.Origin;
import slipway.tree.FileTree;
import slipway.tree.Node;

/**
 * Walks the way of commands on a machine that is made up in a directory, so that the JVM's
 * ahead-of-time cache, which is trained where no machine runs, holds what they load. The status
 * needs no privilege; its deployment is an empty directory that three links lead to.
 */
public final class Training {
  private static final String BOOT_SUM = "00".repeat(32);
  private static final String DIGEST = "sha256:" + "11".repeat(32);
  private static final String CONFIG =
      "{\"architecture\":\"amd64\",\"created\":\"2024-01-01T00:00:00Z\",\"os\":\"linux\","
          + "\"config\":{\"Env\":[\"A=b\"],\"Labels\":{\"containers.bootc\":\"1\","
          + "\"org.opencontainers.image.version\":\"1\"}},\"rootfs\":{\"diff_ids\":[]}}";

  private Training() {}

  /**
   * Installs and upgrades a made-up machine; who is not root only imports.
   *
   * @param directory empty; the caller removes it
   */
  public static void upgrade(Path directory) throws IOException {
    TrainingUpgrade.run(directory);
  }

  /**
   * Renders the status of a made-up machine in every format.
   *
   * @param directory empty; the caller removes it
   */
  public static void status(Path directory) throws IOException {
    Path root = directory.resolve("root");
    Path run = directory.resolve("run");
    machine(root, run);
    Host host =
        Host.of(
            new HostEnvironment(
                root,
                run,
                System.getenv(),
                line -> {},
                Progress.NONE,
                image -> {
                  throw new IllegalStateException("nothing is fetched");
                },
                SystemActions.systemd(),
                InstantSource.system()));
    for (Host.Format format : Host.Format.values()) {
      if (!host.status(format, true, false).contains(DIGEST)) {
        throw new IllegalStateException("the made-up machine is not read");
      }
    }
  }

  private static void machine(Path root, Path run) throws IOException {
    Repository repository = Repository.create(root.resolve("ostree/repo"), mode());
    Checksum commit = commit(repository);
    String id = commit + ".0";
    Path deployment = root.resolve("ostree/deploy/default/deploy").resolve(id);
    Files.createDirectories(deployment);
    Files.writeString(
        deployment.resolveSibling(id + ".origin"),
        Origin.ofContainer(ContainerReference.registry("registry.example/os:1").toString())
            .withPinned(true)
            .toString());
    link(root.resolve("ostree/boot.0"), "boot.0.0");
    link(
        root.resolve("ostree/boot.0.0/default/" + BOOT_SUM + "/0"),
        "../../../deploy/default/deploy/" + id);
    link(root.resolve("boot/loader"), "loader.0");
    Path entries = Files.createDirectories(root.resolve("boot/loader.0/entries"));
    Files.writeString(
        entries.resolve("ostree-1.conf"),
        "title T (ostree:0)\nversion 1\noptions root=UUID=1 rw ostree=/ostree/boot.0/default/"
            + BOOT_SUM
            + "/0\nlinux /k\ninitrd /i\n");
    runState(run, deployment, id);
  }

  /** Only root may write to the repository of a machine. */
  private static Repository.Mode mode() {
    return Posix.geteuid() == 0 ? Repository.Mode.BARE : Repository.Mode.BARE_USER;
  }

  private static void link(Path link, String target) throws IOException {
    Files.createDirectories(java.util.Objects.requireNonNull(link.getParent()));
    Files.createSymbolicLink(link, Path.of(target));
  }

  private static Checksum commit(Repository repository) throws IOException {
    Map<String, GVariant> metadata = new LinkedHashMap<>();
    metadata.put(StatusReader.MANIFEST_DIGEST, GVariant.string(DIGEST));
    metadata.put(StatusReader.MANIFEST, GVariant.string("{}"));
    metadata.put(StatusReader.CONFIG, GVariant.string(CONFIG));
    try (Transaction transaction = repository.begin()) {
      var root =
          transaction.writeTree(
              new FileTree(new Node.Directory(Metadata.directory(0755), new TreeMap<>())));
      Checksum commit = transaction.writeCommit(new CommitSpec(metadata, null, "", "", 0, root));
      transaction.setRef("ostree/0/0/0", commit);
      transaction.commit();
      return commit;
    }
  }

  /** What the initramfs tells of the deployment that it has started. */
  static void noteBooted(Path run, Path deployment) throws IOException {
    GVariant backing =
        GVariant.tuple(
            GVariant.u64(((Number) Files.getAttribute(deployment, "unix:dev")).longValue()),
            GVariant.u64(((Number) Files.getAttribute(deployment, "unix:ino")).longValue()));
    Files.write(
        run.resolve("ostree-booted"),
        GVariant.dictionary(Map.of("backing-root-device-inode", backing)).toBytes());
  }

  /** What the initramfs and a staging would have left. */
  private static void runState(Path run, Path deployment, String id) throws IOException {
    Files.createDirectories(run.resolve("ostree"));
    noteBooted(run, deployment);
    Map<String, GVariant> target = new LinkedHashMap<>();
    target.put("name", GVariant.string(id));
    target.put("osname", GVariant.string("default"));
    target.put("bootcsum", GVariant.string(BOOT_SUM));
    Files.write(
        run.resolve("ostree/staged-deployment"),
        GVariant.dictionary(Map.of("target", GVariant.dictionary(target))).toBytes());
  }
}
