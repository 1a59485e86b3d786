package slipway.cli.disk;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.cli.build.Epoch;
import slipway.cli.command.Followed;
import slipway.disk.DiskRequest;
import slipway.disk.DiskType;
import slipway.disk.FileAccess;
import slipway.disk.config.BootLoader;
import slipway.disk.config.DiskConfig;
import slipway.disk.config.PartitionTable;
import slipway.disk.config.RootFileSystem;
import slipway.iso.IsoBuilder;
import slipway.iso.IsoRequest;
import slipway.iso.NetbootBuilder;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.media.kickstart.KickstartFile;
import slipway.media.kickstart.KickstartFinding;
import slipway.media.kickstart.KickstartParser;
import slipway.media.kickstart.KickstartVersion;
import slipway.oci.copy.ImageSource;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.Reference;
import slipway.oci.store.LocalStore;

/** What disk is made and where it goes, by bootc-image-builder's names: a mix-in of commands. */
final class DiskOptions {
  private static final String STDIN = "-";

  @Option(
      names = "--type",
      paramLabel = "raw|qcow2|ami|vmdk|vhd|gce|ova|iso|pxe",
      defaultValue = "qcow2",
      description =
          "may be repeated; anaconda-iso, bootc-installer and bootc-generic-iso are other names"
              + " of iso, and pxe-tar-xz is pxe in an archive (default: ${DEFAULT-VALUE})")
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
      names = "--partition-table",
      paramLabel = "gpt|mbr",
      description =
          "mbr for machines whose BIOS starts no other (default: what the config says, else gpt)")
  @Nullable String table;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "config.toml or config.json of bootc-image-builder, or - for standard input")
  @Nullable Path config;

  @Option(
      names = "--ignore-warnings",
      description = "warn of keys of the config that do nothing here, instead of refusing them")
  boolean ignoreWarnings;

  @Option(
      names = "--size",
      paramLabel = "SIZE",
      description = "of the disk, such as 20G (default: 10G, sparse)")
  @Nullable String size;

  @Option(
      names = "--installer-mode",
      paramLabel = "interactive|confirm|unattended",
      defaultValue = "confirm",
      description =
          "what the installer of --type iso or pxe asks: for the disk and whether to erase it, whether to erase the only"
              + " disk, or nothing (default: ${DEFAULT-VALUE})")
  String installerMode = "confirm";

  @Option(
      names = "--with-image",
      paramLabel = "NAME",
      description =
          "another image that goes along on the installer, for its kickstart file; may be repeated."
              + " Those that are bound to the image go along in any case, where they are here")
  List<String> along = List.of();

  @Option(
      names = "--no-bound-images",
      description = "images that are bound to the image do not go along on the installer")
  boolean noBound;

  @Mixin Followed followed = new Followed();

  @Spec(Spec.Target.MIXEE)
  CommandSpec spec = CommandSpec.create();

  /** Where the files go, and whose they are: a mix-in of commands that write some. */
  static final class Output {
    @Option(
        names = "--output",
        paramLabel = "DIR",
        defaultValue = ".",
        description =
            "where image/disk.raw, qcow2/disk.qcow2 and so on go (default: ${DEFAULT-VALUE})")
    Path folder = Path.of(".");

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

    /**
     * @throws Problem of kind USAGE
     */
    FileAccess access() throws IOException {
      FileAccess access = FileAccess.parse(mode, chown, ownGroup());
      if (Files.exists(folder) && !Files.isDirectory(folder)) {
        throw Problem.usage("--output " + folder + " is not a folder; name another");
      }
      return access;
    }

    /** The group of this process. */
    private static int ownGroup() throws IOException {
      return Posix.stat(OsPath.of("/proc/self")).gid();
    }
  }

  /**
   * The options' values.
   *
   * @param size bytes; 0 for the default
   * @param target what the machine follows; null for the image's own name
   */
  record Wanted(
      List<DiskType> types,
      @Nullable RootFileSystem rootfs,
      @Nullable BootLoader loader,
      DiskConfig customizations,
      long size,
      @Nullable Reference target) {
    /**
     * The disk of an image.
     *
     * @param image as the user named it
     */
    DiskRequest disk(
        ImageSource source,
        Manifest.Image manifest,
        ImageConfig config,
        String image,
        FileAccess access,
        Path output) {
      return new DiskRequest(
              source,
              manifest,
              config,
              target == null ? LocalStore.localName(image).orLatest() : target,
              types,
              rootfs,
              loader,
              customizations,
              size,
              access,
              output)
          .withTime(Epoch.ofEnvironment());
    }
  }

  /**
   * Reads the values, and the config.
   *
   * @param usual the config that is taken when none is named, or null
   * @throws Problem of kind USAGE or INPUT
   */
  Wanted read(@Nullable Path usual) throws IOException {
    if (!along.isEmpty() || noBound) {
      throw Problem.usage(
          (noBound ? "--no-bound-images" : "--with-image")
              + " is for installers, and --type "
              + types.getFirst()
              + " makes none");
    }
    List<DiskType> wanted = DiskType.parse(types);
    RootFileSystem fs = rootfs == null ? null : RootFileSystem.parse(rootfs);
    BootLoader loader = bootLoader == null ? null : BootLoader.parse(bootLoader);
    long bytes = size == null ? 0 : DiskCommand.Build.bytes(size, "--size");
    PartitionTable divided = table == null ? null : PartitionTable.parse(table);
    Path file = config == null ? usual : config;
    DiskConfig customizations = file == null ? DiskConfig.EMPTY : customizations(file, false);
    return new Wanted(
        wanted,
        fs,
        loader,
        divided == null ? customizations : customizations.withTable(divided),
        bytes,
        followed.name().orElse(null));
  }

  /** Takes a config that is meant from the root of a container as that. */
  void mounted(BuilderContainer container) {
    if (config != null && !config.toString().equals(STDIN)) {
      config = container.named(config);
    }
  }

  /** Whether what starts the image live is wanted, and no disk. */
  boolean isLive() {
    return DiskType.isInstaller(types) || DiskType.isNetboot(types);
  }

  /** Builds an installer, or what machines start from the network; the files by their types. */
  Map<String, Path> live(IsoRequest request, Progress progress) throws IOException {
    return DiskType.isNetboot(types)
        ? NetbootBuilder.build(request, Set.copyOf(types), progress)
        : Map.of("iso", IsoBuilder.build(request, progress));
  }

  /**
   * The installer of an image.
   *
   * @param name of the image, as the user gave it
   * @param usual as of {@link #read}
   * @param opener finds what goes along
   * @throws Problem of kind USAGE or INPUT
   */
  IsoRequest installer(
      ImageSource source,
      Manifest.Image manifest,
      ImageConfig config,
      String name,
      @Nullable Path usual,
      AlongImages.Opener opener,
      Progress progress,
      FileAccess access,
      Path output)
      throws IOException {
    Path file = this.config == null ? usual : this.config;
    if (file != null && file.toString().equals(STDIN)) {
      throw Problem.usage("--config -: the config goes to the installer as it is; name a file");
    }
    if (size != null) {
      throw Problem.usage(
          "--size does not go with --type "
              + types.getFirst()
              + ", which fills the disk it installs to");
    }
    if (table != null) {
      throw Problem.usage(
          "--partition-table does not go with --type "
              + types.getFirst()
              + ", whose installer divides disks as usual");
    }
    Instant epoch = Epoch.ofEnvironment();
    String kickstart = file == null ? null : DiskConfig.kickstart(file).orElse(null);
    if (kickstart != null) {
      check(kickstart);
    }
    DiskConfig wanted = file == null ? DiskConfig.EMPTY : customizations(file, kickstart != null);
    wanted.requireInstallable();
    return new IsoRequest(
        types.getFirst(),
        source,
        manifest,
        config,
        followed.name().orElse(LocalStore.localName(name).orLatest()),
        rootfs == null ? null : RootFileSystem.parse(rootfs),
        bootLoader == null ? null : BootLoader.parse(bootLoader),
        wanted,
        file,
        kickstart,
        new AlongImages(along, !noBound, opener, progress),
        IsoRequest.Mode.parse(installerMode),
        access,
        output,
        epoch == null ? OptionalLong.empty() : OptionalLong.of(epoch.getEpochSecond()));
  }

  /** Told now, and not by the machine that is installed to. */
  private void check(String kickstart) throws IOException {
    KickstartFile file =
        KickstartParser.parse(
            "installer.kickstart.contents",
            new ByteArrayInputStream(kickstart.getBytes(StandardCharsets.UTF_8)),
            KickstartVersion.F45);
    for (KickstartFinding finding : file.findings()) {
      String line = finding.at() + ": " + finding.message().replaceAll("\\s+", " ");
      if (finding.isError()) {
        throw Problem.input(line);
      }
      spec.commandLine().getErr().println(Printable.text("warning: " + line));
    }
  }

  private DiskConfig customizations(Path file, boolean hasKickstart) throws IOException {
    return file.toString().equals(STDIN)
        ? DiskConfig.parse(System.in, "stdin", unsupported(hasKickstart))
        : DiskConfig.parse(file, unsupported(hasKickstart));
  }

  private DiskConfig.Unsupported unsupported(boolean hasKickstart) {
    return new DiskConfig.Unsupported(
        ignoreWarnings,
        warning -> {
          if (isLive() && warning.contains(" is of installers")) {
            if (hasKickstart && warning.contains("customizations.installer ")) {
              return;
            }
            throw Problem.input(
                warning.substring(0, warning.indexOf(" is of installers"))
                    + " is not here: give installer.kickstart.contents alone, --installer-mode, and"
                    + " what the machine gets by other keys");
          }
          spec.commandLine().getErr().println(Printable.text("warning: " + warning));
        });
  }
}
