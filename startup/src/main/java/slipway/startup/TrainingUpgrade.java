package slipway.startup;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import slipway.archive.compress.Compression;
import slipway.archive.tar.TarOptions;
import slipway.base.Progress;
import slipway.host.status.ImageFacts;
import slipway.host.system.FailedUnit;
import slipway.host.system.HostEnvironment;
import slipway.host.system.ImageSources;
import slipway.host.system.MachineImages;
import slipway.host.system.SystemActions;
import slipway.host.update.Host;
import slipway.host.update.ImagePull;
import slipway.linux.posix.Ioctls;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.oci.copy.ImageSource;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;
import slipway.ostree.container.ContainerImport;
import slipway.ostree.container.Imported;
import slipway.ostree.repo.Repository;
import slipway.sysroot.DeploySpec;
import slipway.sysroot.NewSysroot;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.ContainerReference;
import slipway.sysroot.state.Deployment;
import slipway.sysroot.state.Origin;
import slipway.system.kargs.KernelArguments;
import slipway.tree.TarWriter;
import slipway.tree.TreeBuilder;

/**
 * Installs, upgrades and rolls back a made-up machine from a made-up registry, with enough files
 * that the JVM learns which methods matter: what it keeps of that spares the first seconds of each
 * real installation and upgrade. The same at every run.
 */
final class TrainingUpgrade {
  private static final String STATEROOT = "default";
  private static final int FOLDERS = 60;
  private static final int FILES_IN_FOLDER = 40;
  private static final int LARGE_FILES = 6;
  private static final int LARGE = 4 << 20;

  private final Path directory;
  private final TrainingRegistry registry;
  private final ContainerReference name;

  private TrainingUpgrade(Path directory, TrainingRegistry registry) {
    this.directory = directory;
    this.registry = registry;
    this.name =
        ContainerReference.registry(registry.host() + "/" + TrainingRegistry.REPOSITORY + ":1");
  }

  /**
   * Walks the whole way; who is not root only imports.
   *
   * @param directory empty; the caller removes it
   */
  static void run(Path directory) throws IOException {
    try (TrainingRegistry registry = new TrainingRegistry()) {
      TrainingUpgrade training = new TrainingUpgrade(directory, registry);
      training.publish("1");
      if (Posix.geteuid() == 0) {
        training.live();
      } else {
        training.fetch(
            Repository.create(directory.resolve("repo"), Repository.Mode.BARE_USER),
            new MachineImages(training.root(), Map.of()));
      }
    }
  }

  private Path root() {
    return directory.resolve("root");
  }

  private Path runDirectory() {
    return directory.resolve("run");
  }

  // ---- the image ----

  /** Publishes a version: all but the topmost layer are the same in every one. */
  private void publish(String version) throws IOException {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(1);
    List<Descriptor> layers = new ArrayList<>();
    List<Digest> diffIds = new ArrayList<>();
    for (TreeBuilder tree : List.of(skeleton(), small(random), large(random), own(version))) {
      Compression compression = layers.size() == 1 ? Compression.GZIP : Compression.ZSTD;
      byte[] tar = tar(tree);
      layers.add(registry.blob(MediaTypes.layer(compression), compressed(compression, tar)));
      diffIds.add(Digest.sha256(tar));
    }
    registry.publish(
        "1",
        Manifest.Image.of(
            registry.blob(MediaTypes.OCI_CONFIG, config(version, diffIds)), layers, Map.of()));
  }

  private static TreeBuilder skeleton() {
    TreeBuilder tree = new TreeBuilder();
    for (String top : List.of("boot", "dev", "proc", "run", "sys", "sysroot", "tmp", "var/lib")) {
      tree.mkdirs(top);
    }
    return tree.symlink("ostree", "sysroot/ostree");
  }

  private static TreeBuilder small(RandomGenerator random) {
    TreeBuilder tree = new TreeBuilder();
    for (int folder = 0; folder < FOLDERS; folder++) {
      String path = (folder % 10 == 0 ? "etc/" : "usr/share/") + "folder-" + folder;
      for (int file = 0; file < FILES_IN_FOLDER; file++) {
        byte[] content = new byte[random.nextInt(1 << random.nextInt(1, 16))];
        random.nextBytes(content);
        tree.file(path + "/file-" + file, file % 5 == 0 ? 0755 : 0644, content);
      }
      tree.symlink(path + "/link", "file-0").link(path + "/file-1", path + "/twin");
    }
    return tree;
  }

  private static TreeBuilder large(RandomGenerator random) {
    TreeBuilder tree = new TreeBuilder();
    for (int file = 0; file < LARGE_FILES; file++) {
      byte[] content = new byte[LARGE];
      random.nextBytes(content);
      tree.file("usr/lib/large-" + file, 0644, content);
    }
    return tree;
  }

  private static TreeBuilder own(String version) {
    TreeBuilder tree = new TreeBuilder();
    Map<String, String> files = new TreeMap<>();
    files.put("usr/lib/os-release", "PRETTY_NAME=\"Training\"\nID=training\n");
    files.put("usr/lib/modules/6.1.0/vmlinuz", "kernel " + version);
    files.put("usr/lib/modules/6.1.0/initramfs.img", "initramfs " + version);
    files.put("usr/lib/tmpfiles.d/training.conf", "#\n");
    files.put("usr/lib/ostree/prepare-root.conf", "[composefs]\nenabled = yes\n");
    files.put("usr/lib/bootc/kargs.d/10-training.toml", "kargs = [\"quiet\"]\n");
    files.put("etc/version", version);
    files.put("var/lib/training", version);
    files.forEach((path, text) -> tree.file(path, 0644, text.getBytes(StandardCharsets.UTF_8)));
    return tree;
  }

  private static byte[] tar(TreeBuilder tree) throws IOException {
    ByteArrayOutputStream tar = new ByteArrayOutputStream();
    TarWriter.write(tar, tree.build(), TarOptions.EXACT);
    return tar.toByteArray();
  }

  private static byte[] compressed(Compression compression, byte[] tar) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (OutputStream out = compression.compress(bytes, 1)) {
      out.write(tar);
    }
    return bytes.toByteArray();
  }

  private static byte[] config(String version, List<Digest> diffIds) {
    return ImageConfig.of(
            Platform.host(),
            "2024-05-01T10:00:00Z",
            Map.of(ImageFacts.BOOTC, "1", ImageFacts.VERSION, version),
            diffIds)
        .toJson();
  }

  // ---- the machine ----

  private Imported fetch(Repository repository, ImageSources images) throws IOException {
    try (ImageSource source = images.open(name)) {
      Manifest.Image manifest = (Manifest.Image) source.manifest(null);
      ImageConfig config;
      try (var in = source.blob(manifest.config(), 0)) {
        config = ImageConfig.parse(in.readAllBytes());
      }
      return ContainerImport.run(
          repository, source, manifest, config, ImagePull.transportName(name), Progress.NONE);
    }
  }

  /** Installation, upgrade, shutdown, rollback. */
  private void live() throws IOException {
    Path conf = Files.createDirectories(root().resolve("etc/containers/registries.conf.d"));
    Files.writeString(
        conf.resolve("training.conf"),
        "[[registry]]\nlocation = \"" + registry.host() + "\"\ninsecure = true\n");
    try {
      install();
      publish("2");
      host().upgrade(Host.UpgradeOptions.NONE);
      host().finalizeStaged();
      boot();
      host().status(Host.Format.HUMANREADABLE, true, false);
      host().rollback(false);
    } finally {
      for (Deployment deployment : Sysroot.open(root()).deployments()) {
        Ioctls.setImmutable(OsPath.of(root().resolve(deployment.directory())), false);
      }
    }
  }

  private void install() throws IOException {
    Sysroot sysroot = NewSysroot.make(root(), STATEROOT, false);
    Imported imported = fetch(sysroot.repository(), new MachineImages(root(), Map.of()));
    sysroot.deploy(
        DeploySpec.install(
            STATEROOT,
            imported.mergeCommit(),
            Origin.ofContainer(name.toString()),
            KernelArguments.of("root=UUID=1", "rw")));
    Files.createSymbolicLink(root().resolve("var"), Path.of("ostree/deploy/" + STATEROOT + "/var"));
    boot();
  }

  /** Starts the first of the menu: the initramfs says which, /run is empty but for that. */
  private void boot() throws IOException {
    Deployment first = Sysroot.open(root()).deployments().getFirst();
    Files.createDirectories(runDirectory().resolve("ostree"));
    Training.noteBooted(runDirectory(), root().resolve(first.directory()));
  }

  private Host host() {
    return Host.of(
        new HostEnvironment(
            root(),
            runDirectory(),
            Map.of(),
            line -> {},
            Progress.NONE,
            new MachineImages(root(), Map.of()),
            new Still(),
            InstantSource.system()));
  }

  /** No services run. */
  private static final class Still implements SystemActions {
    @Override
    public void startFinalizer() {}

    @Override
    public void journal(Map<String, String> fields) {}

    @Override
    public void reboot() {
      throw new IllegalStateException("nothing is rebooted");
    }

    @Override
    public void end(String how) {
      reboot();
    }

    @Override
    public void online() {}

    @Override
    public boolean preparesSoftReboots() {
      return false;
    }

    @Override
    public void prepareSoftReboot(int index) {
      reboot();
    }

    @Override
    public void resetSoftReboot() {
      reboot();
    }

    @Override
    public void softReboot() {
      reboot();
    }

    @Override
    public boolean isBootComplete() {
      return true;
    }

    @Override
    public List<FailedUnit> failedBootUnits() {
      return List.of();
    }
  }
}
