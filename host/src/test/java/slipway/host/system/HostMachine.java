package slipway.host.system;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.FutureTask;
import org.jspecify.annotations.Nullable;
import slipway.archive.compress.Compression;
import slipway.archive.tar.TarOptions;
import slipway.base.Notes;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.host.update.Host;
import slipway.host.update.ProgressStream;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.process.Command;
import slipway.oci.copy.ImageSource;
import slipway.oci.layout.OciLayout;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;
import slipway.ostree.container.ContainerImport;
import slipway.ostree.gvariant.GVariant;
import slipway.ostree.object.Checksum;
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
 * A machine in a directory that was installed from an image, with a place to publish new versions
 * of that image and ears for what commands say and do.
 */
public final class HostMachine implements AutoCloseable {
  public static final String NAME = "registry.example/os:1";

  private final Path directory;
  final List<String> said = new ArrayList<>();
  public final List<String> noted = new ArrayList<>();
  public final List<Map<String, String>> journal = new ArrayList<>();
  public final List<String> actions = new ArrayList<>();

  /** Of the process that a command is. */
  public final Map<String, String> variables = new HashMap<>(Map.of("LANG", "C.UTF-8"));

  private final Map<String, ImageSource> published = new HashMap<>();
  private int layouts;

  /** Whether the start has come to its end, and what failed of that. */
  public boolean bootComplete = true;

  public final List<FailedUnit> failedUnits = new ArrayList<>();

  /** Whether the root of the next boot comes out of a composefs image. */
  public boolean composefs = true;

  public HostMachine() throws IOException {
    Path tmpfs = Path.of("/dev/shm");
    directory =
        Files.isDirectory(tmpfs)
            ? Files.createTempDirectory(tmpfs, "slipway-host")
            : Files.createTempDirectory("slipway-host");
    Files.createDirectories(run().resolve("ostree"));
    Files.createDirectories(root());
    NewSysroot.make(root(), "default", false);
  }

  public Path root() {
    return directory.resolve("root");
  }

  public Path run() {
    return directory.resolve("run");
  }

  /**
   * What an image is made of.
   *
   * @param links symbolic links, by path
   */
  public record Image(
      Map<String, String> files,
      Map<String, String> links,
      Map<String, String> labels,
      Platform platform) {
    public static Image of(String version) {
      Map<String, String> files = new TreeMap<>();
      files.put("usr/lib/os-release", "PRETTY_NAME=\"Test OS\"\nID=test\n");
      files.put("usr/lib/modules/6.1.0/vmlinuz", "kernel " + version);
      files.put("usr/lib/modules/6.1.0/initramfs.img", "initramfs " + version);
      files.put("usr/lib/tmpfiles.d/x.conf", "#\n");
      files.put("etc/version", version + "\n");
      files.put("etc/hosts", "127.0.0.1 localhost\n");
      Map<String, String> labels = new TreeMap<>();
      labels.put("containers.bootc", "1");
      labels.put("org.opencontainers.image.version", version);
      return new Image(files, Map.of(), labels, Platform.host());
    }

    public Image file(String path, @Nullable String content) {
      Map<String, String> changed = new TreeMap<>(files);
      if (content == null) {
        changed.remove(path);
      } else {
        changed.put(path, content);
      }
      return new Image(changed, links, labels, platform);
    }

    public Image link(String path, String target) {
      Map<String, String> changed = new TreeMap<>(links);
      changed.put(path, target);
      return new Image(files, changed, labels, platform);
    }

    public Image label(String name, @Nullable String value) {
      Map<String, String> changed = new TreeMap<>(labels);
      if (value == null) {
        changed.remove(name);
      } else {
        changed.put(name, value);
      }
      return new Image(files, links, changed, platform);
    }
  }

  /** Publishes an image of two layers: one that all have, and its own files. */
  public Manifest.Image publish(String name, Image image) throws IOException {
    return publish(name, image, Compression.NONE);
  }

  /** As {@link #publish(String, Image)}, with layers that are packed. */
  public Manifest.Image publish(String name, Image image, Compression compression)
      throws IOException {
    Path path = directory.resolve("layout" + layouts++);
    try (OciLayout layout = OciLayout.create(path, "x")) {
      TreeBuilder base = new TreeBuilder();
      for (String top : List.of("boot", "dev", "proc", "run", "sys", "sysroot", "tmp", "var")) {
        base.mkdirs(top);
      }
      base.symlink("ostree", "sysroot/ostree");
      for (String top : List.of("bin", "sbin", "lib", "lib64")) {
        base.symlink(top, "usr/" + top);
      }
      base.file("usr/share/base", 0644, "the same in all".getBytes(StandardCharsets.UTF_8));
      TreeBuilder own = new TreeBuilder();
      image
          .files()
          .forEach((file, text) -> own.file(file, 0644, text.getBytes(StandardCharsets.UTF_8)));
      image.links().forEach(own::symlink);
      List<Descriptor> layers = new ArrayList<>();
      List<Digest> diffIds = new ArrayList<>();
      for (TreeBuilder tree : List.of(base, own)) {
        ByteArrayOutputStream tar = new ByteArrayOutputStream();
        TarWriter.write(tar, tree.build(), TarOptions.EXACT);
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (OutputStream out = compression.compress(packed, 1)) {
          tar.writeTo(out);
        }
        Descriptor layer = Descriptor.of(MediaTypes.layer(compression), packed.toByteArray());
        put(layout, layer, packed.toByteArray());
        layers.add(layer);
        diffIds.add(Digest.sha256(tar.toByteArray()));
      }
      byte[] config = config(image, diffIds);
      Descriptor descriptor = Descriptor.of(MediaTypes.OCI_CONFIG, config);
      put(layout, descriptor, config);
      Manifest.Image manifest = Manifest.Image.of(descriptor, layers, Map.of());
      layout.putManifest(manifest, "x");
      published.put(name, OciLayout.open(path, "x"));
      return manifest;
    }
  }

  private static byte[] config(Image image, List<Digest> diffIds) {
    return ImageConfig.of(image.platform(), "2024-05-01T10:00:00.5Z", image.labels(), diffIds)
        .toJson();
  }

  private static void put(OciLayout layout, Descriptor descriptor, byte[] bytes)
      throws IOException {
    layout.putBlob(descriptor, offset -> new ByteArrayInputStream(bytes));
  }

  /** Where a published image is. */
  public ImageSource source(String name) {
    return java.util.Objects.requireNonNull(published.get(name));
  }

  /** Takes a published image away. */
  public void unpublish(String name) {
    published.remove(name);
  }

  /** Puts another source in the place of a published one. */
  public void replace(String name, java.util.function.UnaryOperator<ImageSource> wrap) {
    published.computeIfPresent(name, (n, source) -> wrap.apply(source));
  }

  /** Installs the published image as a disk builder would and boots it. */
  public Deployment install() throws IOException {
    Manifest.Image manifest = (Manifest.Image) published.get(NAME).manifest(null);
    Sysroot sysroot = Sysroot.open(root());
    ImageConfig config;
    try (var in = published.get(NAME).blob(manifest.config(), 0)) {
      config = ImageConfig.parse(in.readAllBytes());
    }
    Checksum commit =
        ContainerImport.run(
                sysroot.repository(),
                published.get(NAME),
                manifest,
                config,
                "docker://" + NAME,
                Progress.NONE)
            .mergeCommit();
    Deployment deployment =
        sysroot.deploy(
            DeploySpec.install(
                "default",
                commit,
                Origin.ofRegistry(NAME),
                KernelArguments.of("root=UUID=1", "rw")));
    boot(deployment);
    return deployment;
  }

  /** Starts a deployment: what was staged is gone, as /run is. */
  public void boot(Deployment deployment) throws IOException {
    Path path = root().resolve(deployment.directory());
    long device = ((Number) Files.getAttribute(path, "unix:dev")).longValue();
    long inode = ((Number) Files.getAttribute(path, "unix:ino")).longValue();
    Posix.removeTree(OsPath.of(run()));
    Files.createDirectories(run().resolve("ostree"));
    Files.write(
        run().resolve("ostree-booted"),
        GVariant.dictionary(
                Map.of(
                    "composefs",
                    GVariant.bool(composefs),
                    "backing-root-device-inode",
                    GVariant.tuple(GVariant.u64(device), GVariant.u64(inode))))
            .toBytes());
    Files.deleteIfExists(root().resolve("var"));
    Files.createSymbolicLink(
        root().resolve("var"), Path.of("ostree/deploy", deployment.stateroot(), "var"));
  }

  /** Shuts down, finalizing what is staged, and boots what is first in the menu. */
  public Deployment reboot() throws IOException {
    host().finalizeStaged();
    Deployment next = Sysroot.open(root()).deployments().getFirst();
    boot(next);
    return next;
  }

  /** Work that may fail. */
  public interface Work {
    void run() throws IOException;
  }

  /**
   * Begins work while another process stages what runs with the argument {@code theirs}: the work
   * has looked at the machine by the time it waits for the lock.
   *
   * @return what the work failed with
   */
  public @Nullable Throwable beginWhileStaging(Work work) throws Exception {
    FutureTask<@Nullable Throwable> task =
        new FutureTask<>(
            () -> {
              try {
                work.run();
                return null;
              } catch (IOException | RuntimeException e) {
                return e;
              }
            });
    Sysroot sysroot = environment().sysroot();
    Deployment booted = sysroot.booted().orElseThrow();
    KernelArguments theirs = booted.kargs().append(List.of("theirs"));
    long inode = Posix.lstat(OsPath.of(root().resolve("ostree/lock"))).inode();
    sysroot.stage(
        DeploySpec.restart(booted, theirs, Map.of(), booted),
        false,
        planned -> {
          Thread.ofPlatform().start(task);
          while (!isAwaited(inode) && !task.isDone()) {
            Thread.yield();
          }
        });
    return task.get();
  }

  /** Whether somebody waits for the lock on a file (proc_locks(5)). */
  private static boolean isAwaited(long inode) throws IOException {
    return Files.readAllLines(Path.of("/proc/locks")).stream()
        .anyMatch(line -> line.contains(": -> FLOCK") && line.contains(":" + inode + " "));
  }

  /** The arguments of what is staged. */
  public String stagedArguments() throws IOException {
    return environment().sysroot().staged().orElseThrow().kargs().toString();
  }

  /** As commands of this machine get it. */
  public HostEnvironment environment() {
    return new HostEnvironment(
        root(),
        run(),
        variables,
        said::add,
        new Notes(noted::add),
        this::open,
        new SystemActions() {
          @Override
          public void startFinalizer() {
            actions.add("finalizer");
          }

          @Override
          public void journal(Map<String, String> fields) {
            journal.add(Map.copyOf(fields));
          }

          @Override
          public void reboot() {
            actions.add("reboot");
            if (Files.exists(root().resolve("usr/bin/reboot.fails"))) {
              throw Problem.environment("nobody reboots");
            }
          }

          @Override
          public void end(String how) {
            actions.add(how);
          }

          @Override
          public void online() {
            actions.add("online");
          }

          @Override
          public boolean preparesSoftReboots() {
            return !Files.exists(root().resolve("usr/bin/ostree.old"));
          }

          @Override
          public void prepareSoftReboot(int index) {
            actions.add("prepare-soft-reboot " + index);
            if (Files.exists(root().resolve("usr/bin/ostree.fails"))) {
              throw Problem.environment("no new root");
            }
          }

          @Override
          public void resetSoftReboot() {
            actions.add("prepare-soft-reboot --reset");
          }

          @Override
          public void softReboot() {
            actions.add("soft-reboot");
          }

          @Override
          public boolean isBootComplete() {
            return bootComplete;
          }

          @Override
          public List<FailedUnit> failedBootUnits() {
            return List.copyOf(failedUnits);
          }
        },
        InstantSource.system());
  }

  private ImageSource open(ContainerReference image) {
    ImageSource source = published.get(image.name());
    if (source == null) {
      throw Problem.notFound("no image " + image.name());
    }
    return source;
  }

  public Host host() {
    return Host.of(environment());
  }

  /** The version of the image that a deployment was made from. */
  public static String version(Sysroot sysroot, Deployment deployment) {
    try {
      return sysroot.repository().readCommit(deployment.checksum()).string("version").orElse("");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public Host host(ProgressStream stream) {
    return Host.of(environment(), stream);
  }

  /** Puts an empty file into the running root. */
  public void put(String path) throws IOException {
    Path file = root().resolve(path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, "");
  }

  /** Lines said since the last call. */
  public List<String> heard() {
    List<String> lines = List.copyOf(said);
    said.clear();
    return lines;
  }

  /** ostree itself finds everything in order. */
  public void judge() {
    Command.of("ostree", "admin", "status", "--sysroot=" + root()).run();
    Command.of("ostree", "fsck", "--quiet", "--repo=" + root().resolve("ostree/repo")).run();
  }

  @Override
  public void close() throws IOException {
    Command.of("chattr", "-R", "-f", "-i", directory.toString()).tryRun();
    Posix.removeTree(OsPath.of(directory));
  }
}
