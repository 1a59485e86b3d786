package slipway.cli.machine;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
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
import slipway.cli.output.TerminalProgress;
import slipway.disk.FilesystemInstall.Replace;
import slipway.disk.config.BlockSetup;
import slipway.disk.config.BootLoader;
import slipway.disk.config.RootFileSystem;
import slipway.host.install.Installer;
import slipway.host.system.HostEnvironment;
import slipway.host.update.FactoryReset;
import tools.jackson.databind.node.JsonNodeFactory;

/** {@code bootc install}. */
@Command(
    name = "install",
    mixinStandardHelpOptions = true,
    description = "Put an image onto a disk of this machine.",
    subcommands = {
      InstallCommand.ToDisk.class,
      InstallCommand.ToFilesystem.class,
      InstallCommand.ToExistingRoot.class,
      InstallCommand.PrintConfiguration.class,
      InstallCommand.Finalize.class,
      InstallCommand.EnsureCompletion.class,
      InstallCommand.Reset.class,
      InstallCommand.RemoveState.class
    })
public final class InstallCommand implements Callable<Integer> {
  @Override
  public Integer call() {
    throw Problem.usage(
        "install needs to know what to install to: to-disk, to-filesystem or to-existing-root; or"
            + " reset");
  }

  /** Which image, and how it starts. */
  static final class ImageOptions {
    @Option(
        names = {"--source-imgref", "--imgref"},
        paramLabel = "IMAGE",
        description =
            "where the image is read from, such as docker://HOST/NAME:TAG or oci:DIR"
                + " (default: the image of the container that this runs in)")
    @Nullable String source;

    @Mixin Followed followed = new Followed();

    @Option(
        names = "--stateroot",
        paramLabel = "NAME",
        description =
            "name of the stateroot (default: what the image's /usr/lib/bootc/install says, else"
                + " default)")
    @Nullable String stateroot;

    @Option(
        names = "--bootloader",
        paramLabel = "grub|systemd|none",
        description =
            "what starts it; none leaves that to you (default: what the image says, else grub)")
    @Nullable String bootLoader;

    @Option(
        names = "--karg",
        paramLabel = "ARG",
        description = "a kernel argument; may be repeated")
    List<String> arguments = List.of();

    @Option(
        names = "--karg-delete",
        paramLabel = "ARG",
        description = "a kernel argument of the image, or its name, to leave out; may be repeated")
    List<String> deleted = List.of();

    @Option(
        names = "--root-ssh-authorized-keys",
        paramLabel = "FILE",
        description = "SSH keys that may log in as root")
    @Nullable Path rootKeys;

    @Option(
        names = "--enforce-container-sigpolicy",
        description =
            "only when it is signed as /etc/containers/policy.json demands; updates must be, too")
    boolean signed;

    @Option(
        names = "--bound-images",
        paramLabel = "stored|skip|pull",
        description =
            "where images bound to it come from: podman's store, or their registries; skip leaves"
                + " them to the machine (default: stored)")
    Installer.Bound bound = Installer.Bound.STORED;

    @Option(
        names = "--generic-image",
        description = "for any machine; it is so in any case, firmware is not changed")
    boolean generic;

    @Option(
        names = "--skip-fetch-check",
        hidden = true,
        description = "as the reference asks for; it is so in any case")
    boolean fetchUnchecked;

    @Option(
        names = "--target-no-signature-verification",
        hidden = true,
        description = "as the reference asks for; it is so in any case")
    boolean targetUnverified;

    @Option(
        names = {"-q", "--quiet"},
        description = "no progress")
    boolean quiet;

    @Spec(Spec.Target.MIXEE)
    @Nullable CommandSpec spec;

    private Installer.Options options() {
      return new Installer.Options(
          source,
          followed.name().orElse(null),
          stateroot,
          bootLoader == null ? null : BootLoader.parse(bootLoader),
          arguments,
          deleted,
          rootKeys,
          signed,
          bound,
          null);
    }

    /** Runs an installation, showing its progress. */
    int install(Installing installing) throws IOException {
      Installer.Options options = options();
      Progress progress = TerminalProgress.forStderr(System.err, quiet);
      try {
        installing.run(new Installer(host(Objects.requireNonNull(spec), progress)), options);
      } finally {
        TerminalProgress.finish(progress);
      }
      return 0;
    }
  }

  /** An installation to some place. */
  @FunctionalInterface
  interface Installing {
    void run(Installer installer, Installer.Options options) throws IOException;
  }

  private static HostEnvironment host(CommandSpec spec, Progress progress) {
    var out = spec.commandLine().getOut();
    return HostEnvironment.thisMachine(
        System.getenv(),
        text -> {
          out.println(Printable.lines(text));
          out.flush();
        },
        progress);
  }

  /** {@code bootc install to-disk}. */
  @Command(
      name = "to-disk",
      mixinStandardHelpOptions = true,
      description = "Erase a disk and install to it.",
      footer = {
        "bootc install to-disk --source-imgref docker://registry.example/web /dev/vdb",
        "bootc install to-disk --wipe --via-loopback disk.raw"
      })
  public static final class ToDisk implements Callable<Integer> {
    private static final long MIB = 1L << 20;

    @Mixin ImageOptions image = new ImageOptions();

    @Option(names = "--wipe", description = "erase what the disk holds")
    boolean wipe;

    @Option(
        names = "--filesystem",
        paramLabel = "ext4|xfs|btrfs",
        description =
            "of the root (default: what the image's /usr/lib/bootc/install says, else ext4)")
    @Nullable String filesystem;

    @Option(
        names = "--root-size",
        paramLabel = "SIZE",
        description = "of the root, in MiB or such as 20G (default: all that is left)")
    @Nullable String rootSize;

    @Option(
        names = "--block-setup",
        paramLabel = "direct|tpm2-luks",
        description =
            "how the root lies on the disk; tpm2-luks encrypts it for this machine's TPM alone"
                + " (default: what the image says, else direct)")
    @Nullable String blockSetup;

    @Option(names = "--via-loopback", description = "DEVICE is a file that becomes a disk")
    boolean viaLoopback;

    @Parameters(paramLabel = "DEVICE", description = "a whole disk, such as /dev/vdb")
    Path device = Path.of("");

    @Override
    public Integer call() throws IOException {
      Installer.Disk disk =
          new Installer.Disk(
              device,
              viaLoopback,
              wipe,
              filesystem == null ? null : RootFileSystem.parse(filesystem),
              bytes(rootSize),
              blockSetup == null ? null : BlockSetup.parse(blockSetup));
      return image.install((installer, options) -> installer.toDisk(options, disk));
    }

    private static long bytes(@Nullable String size) {
      if (size == null) {
        return 0;
      }
      if (size.matches("[0-9]{1,12}")) {
        return Long.parseLong(size) * MIB;
      }
      OptionalLong bytes = ByteSize.parse(size.strip());
      if (bytes.isEmpty() || bytes.getAsLong() > Long.MAX_VALUE >> 2) {
        throw Problem.usage(
            "--root-size \"" + size + "\" is not a size; expected one such as 20G or 20480");
      }
      return bytes.getAsLong();
    }
  }

  private static Replace replace(@Nullable String mode, Replace usual) {
    if (mode == null) {
      return usual;
    }
    return switch (mode.toLowerCase(Locale.ROOT)) {
      case "wipe" -> Replace.WIPE;
      case "alongside" -> Replace.ALONGSIDE;
      default ->
          throw Problem.usage("--replace \"" + mode + "\" is not known; give wipe or alongside");
    };
  }

  /** {@code bootc install to-filesystem}. */
  @Command(
      name = "to-filesystem",
      mixinStandardHelpOptions = true,
      description = "Install to file systems that you made and mounted.",
      footer = {
        "bootc install to-filesystem --source-imgref docker://a.example/web /mnt",
        "bootc install to-filesystem --replace wipe --root-mount-spec LABEL=root /mnt"
      })
  public static final class ToFilesystem implements Callable<Integer> {
    @Mixin ImageOptions image = new ImageOptions();

    @Option(
        names = "--root-mount-spec",
        paramLabel = "SPEC",
        description =
            "what the kernel finds the root by, such as LABEL=root; empty for nothing"
                + " (default: its UUID)")
    @Nullable String rootSpec;

    @Option(
        names = "--boot-mount-spec",
        paramLabel = "SPEC",
        description =
            "what /boot is mounted by; empty for nothing (default: its UUID, if it is a file"
                + " system of its own)")
    @Nullable String bootSpec;

    @Option(
        names = "--replace",
        paramLabel = "wipe|alongside",
        description =
            "wipe removes all that is there, alongside /boot alone (default: nothing may be there)")
    @Nullable String replace;

    @Option(
        names = "--acknowledge-destructive",
        description = "do not wait before the running system is replaced")
    boolean acknowledged;

    @Option(
        names = "--skip-finalize",
        description = "do not trim the file systems and make them read-only at the end")
    boolean skipFinalize;

    @Parameters(paramLabel = "ROOT", description = "where the root file system is mounted")
    Path root = Path.of("");

    @Override
    public Integer call() throws IOException {
      Replace mode = replace(replace, Replace.NOTHING);
      Installer.Filesystem target =
          new Installer.Filesystem(
              root,
              mode,
              rootSpec,
              bootSpec,
              !skipFinalize && mode != Replace.ALONGSIDE,
              acknowledged);
      return image.install((installer, options) -> installer.toFilesystem(options, target));
    }
  }

  /** {@code bootc install to-existing-root}. */
  @Command(
      name = "to-existing-root",
      mixinStandardHelpOptions = true,
      description =
          "Replace the system of this machine; its files stay below /sysroot, but for /boot.",
      footer = {
        "bootc install to-existing-root --acknowledge-destructive",
        "bootc install to-existing-root --source-imgref docker://a.example/web /"
      })
  public static final class ToExistingRoot implements Callable<Integer> {
    @Mixin ImageOptions image = new ImageOptions();

    @Option(
        names = "--replace",
        paramLabel = "wipe|alongside",
        defaultValue = "alongside",
        description =
            "wipe removes all that is there, alongside /boot alone (default: ${DEFAULT-VALUE})")
    String replace = "alongside";

    @Option(names = "--acknowledge-destructive", description = "do not wait before it begins")
    boolean acknowledged;

    @Option(
        names = "--cleanup",
        description = "at the first boot remove the files of the system that was there before")
    boolean cleanup;

    @Parameters(
        paramLabel = "ROOT",
        arity = "0..1",
        defaultValue = "/target",
        description = "where the machine's root is mounted (default: ${DEFAULT-VALUE})")
    Path root = Path.of("/target");

    @Override
    public Integer call() throws IOException {
      Installer.Filesystem target =
          new Installer.Filesystem(
              root, replace(replace, Replace.ALONGSIDE), null, null, false, acknowledged);
      return image.install(
          (installer, options) -> installer.toExistingRoot(options, target, cleanup));
    }
  }

  /** {@code bootc install print-configuration}. */
  @Command(
      name = "print-configuration",
      mixinStandardHelpOptions = true,
      description = "Show as JSON what bootc/install of this system says of an installation.",
      footer = "bootc install print-configuration --all")
  public static final class PrintConfiguration implements Callable<Integer> {
    @Option(names = "--all", description = "kernel arguments, too")
    boolean all;

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws IOException {
      Installer installer = new Installer(host(spec, Progress.NONE));
      spec.commandLine().getOut().println(InstallJson.of(installer.configuration(), all));
      spec.commandLine().getOut().flush();
      return 0;
    }
  }

  /** {@code bootc install finalize}. */
  @Command(
      name = "finalize",
      mixinStandardHelpOptions = true,
      description = "Look whether what another installer put into ROOT can start.",
      footer = "bootc install finalize /mnt")
  public static final class Finalize implements Callable<Integer> {
    @Parameters(paramLabel = "ROOT", description = "where the root file system is mounted")
    Path root = Path.of("");

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws IOException {
      new Installer(host(spec, Progress.NONE)).finish(root);
      return 0;
    }
  }

  /** {@code bootc install ensure-completion}. */
  @Command(
      name = "ensure-completion",
      mixinStandardHelpOptions = true,
      description =
          "Give what Anaconda installed the image's kernel arguments; inside of Anaconda.",
      footer = "bootc install ensure-completion")
  public static final class EnsureCompletion implements Callable<Integer> {
    @Spec CommandSpec spec;

    @Override
    public Integer call() throws IOException {
      new Installer(host(spec, Progress.NONE)).ensureCompletion();
      return 0;
    }
  }

  /** {@code bootc install reset}. */
  @Command(
      name = "reset",
      mixinStandardHelpOptions = true,
      description = "Begin anew at the next boot, with the image's /etc and /var.",
      footer = {
        "bootc install reset --apply",
        "bootc install reset --target-imgref registry.example/web --stateroot fresh"
      })
  public static final class Reset implements Callable<Integer> {
    @Mixin Followed followed = new Followed();

    @Option(
        names = "--stateroot",
        paramLabel = "NAME",
        description = "name of the new stateroot (default: state-YEAR-N)")
    @Nullable String stateroot;

    @Option(
        names = "--karg",
        paramLabel = "ARG",
        description = "a kernel argument; may be repeated")
    List<String> arguments = List.of();

    @Option(
        names = "--no-root-kargs",
        description = "do not take over the arguments that find the root")
    boolean withoutRoot;

    @Option(names = "--apply", description = "reboot when it is queued")
    boolean apply;

    @Option(names = "--quiet", description = "no progress")
    boolean quiet;

    @Option(names = "--json", description = "tell as JSON what was done")
    boolean json;

    @Option(names = "--experimental", description = "as the reference asks for; nothing more")
    boolean experimental;

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws Exception {
      FactoryReset.Options options =
          new FactoryReset.Options(
              stateroot, followed.name().orElse(null), arguments, withoutRoot, apply);
      return Bootc.work(
          spec,
          quiet,
          json,
          host -> {
            FactoryReset.Begun begun = new FactoryReset(host).run(options);
            return JsonNodeFactory.instance
                .objectNode()
                .put("stateroot", begun.stateroot())
                .put("before", begun.before())
                .put("checksum", begun.checksum());
          });
    }
  }

  /** {@code bootc install remove-state}. */
  @Command(
      name = "remove-state",
      mixinStandardHelpOptions = true,
      description = "Remove what a reset left; a stateroot, its deployments and its /var.",
      footer = {"bootc install remove-state", "bootc install remove-state default --json"})
  public static final class RemoveState implements Callable<Integer> {
    @Option(names = "--json", description = "tell as JSON what was done")
    boolean json;

    @Parameters(
        paramLabel = "STATEROOT",
        arity = "0..1",
        description = "which (default: the only one that does not run)")
    @Nullable String stateroot;

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws Exception {
      return Bootc.work(
          spec,
          json,
          host ->
              JsonNodeFactory.instance
                  .objectNode()
                  .put("removed", new FactoryReset(host).forget(stateroot)));
    }
  }
}
