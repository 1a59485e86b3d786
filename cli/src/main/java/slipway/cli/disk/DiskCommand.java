package slipway.cli.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import slipway.base.ByteSize;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.cli.command.Followed;
import slipway.cli.command.State;
import slipway.cli.output.TerminalProgress;
import slipway.disk.DiskBuilder;
import slipway.disk.DiskRequest;
import slipway.disk.DiskType;
import slipway.disk.FileAccess;
import slipway.disk.config.BootLoader;
import slipway.disk.config.DiskConfig;
import slipway.disk.config.RootFileSystem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.oci.model.Manifest;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;
import slipway.oci.store.LocalStore;

/** {@code slipway disk}: disk images. */
@Command(
    name = "disk",
    mixinStandardHelpOptions = true,
    description = "Make disk images.",
    subcommands = DiskCommand.Build.class)
public final class DiskCommand implements Callable<Integer> {
  @Override
  public Integer call() {
    throw Problem.usage("which disk command? there is: slipway disk build");
  }

  /** {@code slipway disk build IMAGE}: bootc-image-builder's options. */
  @Command(
      name = "build",
      mixinStandardHelpOptions = true,
      description = "Make a disk of a bootable image in the local store; needs root.",
      footer = "slipway disk build --type qcow2 --output out localhost/web:1")
  public static final class Build implements Callable<Integer> {

    @Mixin State state = new State();

    @Option(
        names = "--type",
        paramLabel = "raw|qcow2|ami|vmdk|vhd|gce|ova",
        defaultValue = "qcow2",
        description = "may be repeated (default: ${DEFAULT-VALUE})")
    List<String> types = List.of();

    @Option(
        names = "--rootfs",
        paramLabel = "ext4|xfs|btrfs",
        description =
            "root file system (default: what the image's /usr/lib/bootc/install says, else ext4)")
    @Nullable String rootfs;

    @Option(
        names = "--bootloader",
        paramLabel = "grub|systemd|none",
        description =
            "what starts it; none leaves that to you (default: what the image says, else grub)")
    @Nullable String bootLoader;

    @Option(
        names = "--config",
        paramLabel = "FILE",
        description = "config.toml or config.json of bootc-image-builder")
    @Nullable Path config;

    @Option(
        names = "--output",
        paramLabel = "DIR",
        defaultValue = ".",
        description =
            "where image/disk.raw, qcow2/disk.qcow2 and so on go (default: ${DEFAULT-VALUE})")
    Path output = Path.of(".");

    @Option(
        names = "--size",
        paramLabel = "SIZE",
        description = "of the disk, such as 20G (default: 10G, sparse)")
    @Nullable String size;

    @Mixin Followed followed = new Followed();

    @Option(
        names = "--chown",
        paramLabel = "UID[:GID]",
        description = "owner of the files and their folders")
    @Nullable String chown;

    @Option(
        names = "--mode",
        paramLabel = "MODE",
        description =
            "permissions of the files, which hold password hashes and the image's secrets"
                + " (default: 0600)")
    @Nullable String mode;

    @Option(names = "--json", description = "print a JSON object")
    boolean json;

    @Option(
        names = {"-q", "--quiet"},
        description = "print only the files' names, and no progress")
    boolean quiet;

    @Parameters(paramLabel = "IMAGE", description = "name or id")
    String image = "";

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws IOException {
      long start = System.nanoTime();
      List<DiskType> wanted = DiskType.parse(types);
      RootFileSystem fs = rootfs == null ? null : RootFileSystem.parse(rootfs);
      BootLoader loader = bootLoader == null ? null : BootLoader.parse(bootLoader);
      long bytes = size == null ? 0 : bytes(size, "--size");
      FileAccess access = FileAccess.parse(mode, chown, ownGroup());
      DiskConfig customizations =
          config == null
              ? DiskConfig.EMPTY
              : DiskConfig.parse(
                  config, warning -> spec.commandLine().getErr().println("warning: " + warning));
      Reference follows = followed.name().orElseGet(() -> LocalStore.localName(image).orLatest());
      if (Files.exists(output) && !Files.isDirectory(output)) {
        throw Problem.usage("--output " + output + " is not a folder; name another");
      }
      Progress progress = TerminalProgress.forStderr(System.err, quiet);
      List<Path> files;
      try (LocalStore store = state.storeWith(image)) {
        Manifest.Image manifest = store.image(image, Platform.host());
        files =
            DiskBuilder.build(
                new DiskRequest(
                    store.source(),
                    manifest,
                    store.config(manifest),
                    follows,
                    wanted,
                    fs,
                    loader,
                    customizations,
                    bytes,
                    access,
                    output),
                progress);
      } finally {
        TerminalProgress.finish(progress);
      }
      print(wanted, files, (System.nanoTime() - start) / 1e9);
      return 0;
    }

    private void print(List<DiskType> kinds, List<Path> files, double seconds) {
      var out = spec.commandLine().getOut();
      if (json) {
        out.println(DiskJson.files(kinds, files, seconds));
        return;
      }
      files.stream().distinct().forEach(f -> out.println(Printable.text(f.toString())));
      if (!quiet) {
        out.printf(Locale.ROOT, "%.1f s%n", seconds);
      }
      out.flush();
    }

    /** The group of this process. */
    private static int ownGroup() throws IOException {
      return Posix.stat(OsPath.of("/proc/self")).gid();
    }

    /**
     * @param option that the size was given to, for sentences
     */
    public static long bytes(String text, String option) {
      OptionalLong size = ByteSize.parse(text.strip());
      if (size.isEmpty()) {
        throw Problem.usage(
            option + " \"" + text + "\" is not a size; expected one such as 20G or 20480M");
      }
      if (size.getAsLong() > Long.MAX_VALUE >> 2) {
        throw Problem.usage(option + " " + text + " is larger than any disk");
      }
      return size.getAsLong();
    }
  }
}
