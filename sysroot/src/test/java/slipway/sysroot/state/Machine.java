package slipway.sysroot.state;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.process.Command;
import slipway.ostree.gvariant.GVariant;
import slipway.ostree.object.Checksum;
import slipway.sysroot.NewSysroot;
import slipway.sysroot.Sysroot;

/**
 * A machine in a directory for tests: a sysroot, images with a kernel of a few bytes, a directory
 * that plays {@code /run}. Closing it removes everything, sealed directories too.
 */
public final class Machine implements AutoCloseable {
  private static final Path TMPFS = Path.of("/dev/shm");

  private final Path directory;
  private int images;

  public Machine() throws IOException {
    directory =
        Files.isDirectory(TMPFS)
            ? Files.createTempDirectory(TMPFS, "slipway-machine")
            : Files.createTempDirectory("slipway-machine");
    Files.createDirectories(root());
    Files.createDirectories(run().resolve("ostree"));
  }

  public Path root() {
    return directory.resolve("root");
  }

  Path run() {
    return directory.resolve("run");
  }

  public Path directory() {
    return directory;
  }

  public Sysroot init() throws IOException {
    return NewSysroot.make(root(), "default", false);
  }

  Sysroot open() throws IOException {
    return Sysroot.open(root());
  }

  /** The sysroot as seen by the system that runs from {@code booted}. */
  public Sysroot openBooted(Deployment booted) throws IOException {
    boot(booted);
    return Sysroot.open(root(), RunState.read(run(), root()));
  }

  /** What {@code /run} says. */
  public RunState runState() throws IOException {
    return RunState.read(run(), root());
  }

  /** Lets {@code run/ostree-booted} say what the initramfs would. */
  void boot(Deployment booted) throws IOException {
    Path deployment = root().resolve(booted.directory());
    long device = ((Number) Files.getAttribute(deployment, "unix:dev")).longValue();
    long inode = ((Number) Files.getAttribute(deployment, "unix:ino")).longValue();
    GVariant state =
        GVariant.dictionary(
            Map.of(
                "backing-root-device-inode",
                GVariant.tuple(GVariant.u64(device), GVariant.u64(inode))));
    Files.write(run().resolve("ostree-booted"), state.toBytes());
    if (!Files.exists(root().resolve("var"), LinkOption.NOFOLLOW_LINKS)) {
      Files.createSymbolicLink(
          root().resolve("var"), Path.of("ostree/deploy", booted.stateroot(), "var"));
    }
  }

  /** The files of an image; a map of path to text, to be changed by a test. */
  public static Map<String, String> files(String version, String kernel) {
    Map<String, String> files = new TreeMap<>();
    files.put("usr/lib/os-release", "ID=test\nPRETTY_NAME=\"Test OS " + version + "\"\n");
    files.put("usr/lib/modules/6.1.0-test/vmlinuz", "kernel " + kernel + "\n");
    files.put("usr/lib/modules/6.1.0-test/initramfs.img", "initramfs " + kernel + "\n");
    files.put("usr/lib/tmpfiles.d/base.conf", "# none\n");
    files.put("usr/bin/hello", "#!/bin/sh\necho " + version + "\n");
    files.put("usr/etc/hosts", "127.0.0.1 localhost\n");
    files.put("usr/etc/app/a.conf", "a of " + version + "\n");
    files.put("usr/etc/app/b.conf", "b\n");
    files.put("usr/etc/app/c.conf", "c\n");
    files.put("usr/etc/motd", "welcome to " + version + "\n");
    return files;
  }

  /** Commits an image with real ostree. */
  public Checksum commit(Map<String, String> files) throws IOException {
    return commit(files, tree -> {});
  }

  /** As {@link #commit(Map)}, with a hand at the directory before. */
  public Checksum commit(Map<String, String> files, Consumer<Path> change) throws IOException {
    Path tree = directory.resolve("image" + images++);
    for (Map.Entry<String, String> file : files.entrySet()) {
      Path path = tree.resolve(file.getKey());
      Files.createDirectories(path.getParent());
      Files.writeString(path, file.getValue());
    }
    for (String name : List.of("boot", "dev", "proc", "run", "sys", "sysroot", "tmp", "var")) {
      Files.createDirectories(tree.resolve(name));
    }
    Files.createSymbolicLink(tree.resolve("ostree"), Path.of("sysroot/ostree"));
    for (String name : List.of("bin", "sbin", "lib", "lib64")) {
      Files.createSymbolicLink(tree.resolve(name), Path.of("usr/" + name));
    }
    change.accept(tree);
    String version = files.get("usr/lib/os-release").replaceFirst("(?s).*Test OS (\\S+)\".*", "$1");
    return new Checksum(
        Command.of(
                "ostree",
                "--repo=" + root().resolve("ostree/repo"),
                "commit",
                "--branch=test",
                "--timestamp=2024-01-01T00:00:00Z",
                "--tree=dir=" + tree,
                "--add-metadata-string=version=" + version)
            .output());
  }

  /** Runs {@code ostree admin} over this sysroot. */
  public String admin(String... arguments) {
    return admin("ostree", List.of(arguments));
  }

  /** Runs {@code admin} of this ostree. */
  String admin(String ostree, List<String> arguments) {
    return Command.of(ostree, "admin")
        .with(arguments.toArray(String[]::new))
        .with("--sysroot=" + root())
        .output();
  }

  /** ostree itself finds everything in order. */
  public void judge() {
    judge("ostree");
  }

  void judge(String ostree) {
    admin(ostree, List.of("status"));
    Command.of(ostree, "fsck", "--quiet", "--repo=" + root().resolve("ostree/repo")).run();
  }

  /** All files below a directory of the sysroot with type, mode and content, for comparison. */
  public Map<String, String> listing(String below) throws IOException {
    Map<String, String> found = new LinkedHashMap<>();
    Path base = root().resolve(below);
    try (var walk = Files.walk(base)) {
      for (Path path : (Iterable<Path>) walk.sorted()::iterator) {
        String mode = Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS).toString();
        String text =
            Files.isSymbolicLink(path)
                ? "-> " + Files.readSymbolicLink(path)
                : Files.isDirectory(path)
                    ? "/"
                    : Files.readString(path, StandardCharsets.ISO_8859_1);
        found.put(
            base.relativize(path).toString(),
            Integer.toOctalString(Integer.parseInt(mode)) + " " + text);
      }
    }
    return found;
  }

  @Override
  public void close() throws IOException {
    Command.of("chattr", "-R", "-f", "-i", directory.toString()).tryRun();
    Posix.removeTree(OsPath.of(directory));
  }
}
