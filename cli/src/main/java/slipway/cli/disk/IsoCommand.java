package slipway.cli.disk;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.cli.output.Terminal;
import slipway.cli.output.TerminalProgress;
import slipway.iso.IsoDrive;
import slipway.media.kickstart.KickstartFile;
import slipway.media.kickstart.KickstartFinding;
import slipway.media.kickstart.KickstartParser;
import slipway.media.kickstart.KickstartVersion;

/** {@code slipway iso}: installers on CDs and USB disks. */
@Command(
    name = "iso",
    mixinStandardHelpOptions = true,
    description = "Put kickstart files into installer ISOs, and ISOs onto drives.",
    subcommands = {IsoCommand.AddKickstart.class, IsoCommand.Write.class})
public final class IsoCommand implements Callable<Integer> {
  @Override
  public Integer call() {
    throw Problem.usage(
        "which iso command? there are: slipway iso add-kickstart, slipway iso write");
  }

  /** {@code slipway iso add-kickstart BOOT.iso KS OUT.iso}. */
  @Command(
      name = "add-kickstart",
      description = "Make an installer ISO anew that finds its answers in a kickstart file.",
      footer = {
        "slipway iso add-kickstart boot.iso machine.ks machine.iso",
        "slipway iso add-kickstart -c console=ttyS0 -V Ours boot.iso a.ks ours.iso"
      })
  public static final class AddKickstart implements Callable<Integer> {
    @Mixin IsoOptions options = new IsoOptions();

    @Option(
        names = "--ks-version",
        paramLabel = "F45|RHEL9|RHEL10",
        defaultValue = "F45",
        description = "of the syntax that the installer takes (default: ${DEFAULT-VALUE})")
    String version = "F45";

    @Option(
        names = "--no-check",
        description = "take a kickstart file that an installer would refuse")
    boolean unread;

    @Parameters(index = "0", paramLabel = "BOOT.iso", description = "of any vendor")
    Path in = Path.of("");

    @Parameters(index = "1", paramLabel = "KS", description = "the kickstart file")
    Path kickstart = Path.of("");

    @Parameters(index = "2", paramLabel = "OUT.iso", description = "which is not there yet")
    Path out = Path.of("");

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws IOException {
      if (!unread) {
        KickstartFile read = KickstartParser.parse(kickstart, KickstartVersion.parse(version));
        PrintWriter err = spec.commandLine().getErr();
        for (KickstartFinding each : read.findings()) {
          KickstartTool.print(err, each);
        }
        err.flush();
        if (!read.isValid()) {
          throw Problem.input(
              "the installer would refuse "
                  + Printable.text(read.name())
                  + "; mend that, or say --no-check");
        }
      }
      options.run(in, out, kickstart);
      return 0;
    }
  }

  /** {@code slipway iso write FILE DEVICE}. */
  @Command(
      name = "write",
      mixinStandardHelpOptions = true,
      description = "Write an ISO to a USB disk or a card, and read it back; needs root.",
      footer = "slipway iso write machine.iso /dev/sdb")
  public static final class Write implements Callable<Integer> {
    @Option(
        names = {"-y", "--yes"},
        description = "do not ask before all that is on the drive is lost")
    boolean yes;

    @Option(
        names = "--fixed-drive",
        description = "take a disk of this machine, which cannot be taken out")
    boolean fixed;

    @Option(
        names = {"-q", "--quiet"},
        description = "print no progress")
    boolean quiet;

    @Parameters(index = "0", paramLabel = "FILE", description = "the ISO")
    Path iso = Path.of("");

    @Parameters(index = "1", paramLabel = "DEVICE", description = "a whole disk, such as /dev/sdb")
    Path device = Path.of("");

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws IOException {
      IsoDrive drive = IsoDrive.of(iso, device, fixed);
      PrintWriter out = spec.commandLine().getOut();
      if (!yes && !isWanted(drive, out)) {
        return 1;
      }
      Progress progress = TerminalProgress.forStderr(System.err, quiet);
      long bytes;
      try {
        bytes = drive.write(progress);
      } finally {
        TerminalProgress.finish(progress);
      }
      out.println(Printable.text(device + ": " + bytes + " bytes written, and the same read back"));
      out.flush();
      return 0;
    }

    private static boolean isWanted(IsoDrive drive, PrintWriter out) throws IOException {
      if (!Terminal.stdinIsTerminal()) {
        throw Problem.usage(
            "iso write asks before it overwrites a drive, and standard input is not a terminal;"
                + " give --yes");
      }
      out.println(Printable.text("WARNING! All data on " + drive.description() + " will be lost."));
      return Terminal.confirms(out);
    }
  }

  /** {@code mkksiso}: the name and the words of lorax' tool. */
  @Command(
      name = "mkksiso",
      description = "Add a kickstart and files to an ISO, as lorax' tool of that name.",
      footer = {
        "slipway mkksiso --ks machine.ks boot.iso machine.iso",
        "slipway mkksiso machine.ks boot.iso machine.iso"
      })
  public static final class Mkksiso implements Callable<Integer> {
    @Mixin IsoOptions options = new IsoOptions();

    @Option(names = "--ks", paramLabel = "KICKSTART", description = "the kickstart file")
    @Nullable Path kickstart;

    @Option(
        names = "--skip-mkefiboot",
        description = "accepted: the menu of UEFI is edited without it")
    boolean skipped;

    @Option(names = "--debug", description = "accepted")
    boolean debug;

    @Option(names = "--tmp", paramLabel = "DIR", description = "accepted: nothing large is kept")
    @Nullable Path temporary;

    @Parameters(
        arity = "2..3",
        paramLabel = "FILE",
        description = "[KICKSTART] IN.iso OUT.iso, of which OUT.iso is not there yet")
    List<Path> files = List.of();

    @Override
    public Integer call() throws IOException {
      Path first = files.size() == 3 ? files.getFirst() : null;
      if (first != null && kickstart != null) {
        throw Problem.usage("give the kickstart file by --ks, or in front of the ISOs, not both");
      }
      options.run(
          files.get(files.size() - 2), files.getLast(), kickstart == null ? first : kickstart);
      return 0;
    }
  }
}
