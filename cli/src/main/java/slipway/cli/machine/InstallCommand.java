package slipway.cli.machine;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
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
import slipway.cli.output.TerminalProgress;
import slipway.disk.config.RootFileSystem;
import slipway.host.install.Installer;
import slipway.host.system.HostEnvironment;

/** {@code bootc install}. */
@Command(
    name = "install",
    mixinStandardHelpOptions = true,
    description = "Put an image onto a disk of this machine.",
    subcommands = InstallCommand.ToDisk.class)
public final class InstallCommand implements Callable<Integer> {
  @Spec CommandSpec spec;

  @Override
  public Integer call() {
    throw Problem.usage("install needs to know what to install to: to-disk");
  }

  /** Which image, and how it starts. */
  static final class ImageOptions {
    @Option(
        names = "--source-imgref",
        paramLabel = "IMAGE",
        description =
            "where the image is read from, such as docker://HOST/NAME:TAG or oci:DIR"
                + " (default: the image of the container that this runs in)")
    @Nullable String source;

    @Option(
        names = "--target-imgref",
        paramLabel = "NAME",
        description = "what the machine follows (default: the image's own name)")
    @Nullable String target;

    @Option(
        names = "--stateroot",
        paramLabel = "NAME",
        defaultValue = "default",
        description = "name of the stateroot (default: ${DEFAULT-VALUE})")
    String stateroot = "default";

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

    Installer.Options options(@Nullable String filesystem) {
      RootFileSystem rootfs = filesystem == null ? null : RootFileSystem.parse(filesystem);
      return new Installer.Options(source, target, rootfs, stateroot, arguments, deleted, rootKeys);
    }
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
        paramLabel = "direct",
        defaultValue = "direct",
        description = "how the root lies on the disk (default: ${DEFAULT-VALUE})")
    String blockSetup = "direct";

    @Option(names = "--via-loopback", description = "DEVICE is a file that becomes a disk")
    boolean viaLoopback;

    @Option(
        names = "--generic-image",
        description = "for any machine; disks are made so in any case, firmware is not changed")
    boolean generic;

    @Option(
        names = {"-q", "--quiet"},
        description = "no progress")
    boolean quiet;

    @Parameters(paramLabel = "DEVICE", description = "a whole disk, such as /dev/vdb")
    Path device = Path.of("");

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws IOException {
      if (!blockSetup.equals("direct")) {
        throw Problem.usage(
            "--block-setup " + blockSetup + " is not there yet; disks are set up direct");
      }
      Installer.Options options = image.options(filesystem);
      Installer.Disk disk = new Installer.Disk(device, viaLoopback, wipe, bytes(rootSize));
      Progress progress = TerminalProgress.forStderr(System.err, quiet);
      var out = spec.commandLine().getOut();
      try {
        HostEnvironment host =
            HostEnvironment.thisMachine(
                System.getenv(), text -> out.println(Printable.lines(text)), progress);
        new Installer(host).toDisk(options, disk);
      } finally {
        TerminalProgress.finish(progress);
      }
      return 0;
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
}
