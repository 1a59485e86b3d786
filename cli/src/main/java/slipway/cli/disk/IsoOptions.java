package slipway.cli.disk;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.cli.build.Epoch;
import slipway.cli.output.JsonText;
import slipway.cli.output.TerminalProgress;
import slipway.iso.IsoChanges;
import slipway.iso.IsoRewrite;
import slipway.system.kargs.KernelArguments;

/** What of an ISO changes: the options of lorax' {@code mkksiso}. */
final class IsoOptions {
  // The standard options would bring a -V that tells Slipway's version.
  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help message and exit.")
  boolean help;

  @Option(
      names = {"-a", "--add"},
      paramLabel = "PATH",
      description = "file or folder that comes into the ISO's root; may be repeated")
  List<Path> added = List.of();

  @Option(
      names = {"-c", "--cmdline"},
      paramLabel = "ARGUMENTS",
      description = "for the kernel of each entry of the boot menus")
  String arguments = "";

  @Option(
      names = {"-r", "--rm-args"},
      paramLabel = "KEYS",
      description = "arguments of the kernel that go, by their names, with blanks between them")
  String removed = "";

  @Option(
      names = {"-R", "--replace"},
      arity = "2",
      paramLabel = "TEXT",
      description = "FROM TO: in the boot menus, TO comes in the place of FROM; may be repeated")
  List<String> replaced = List.of();

  @Option(
      names = {"-u", "--updates"},
      paramLabel = "IMAGE",
      description = "updates of the installer, which it finds by inst.updates")
  @Nullable Path updates;

  @Option(
      names = {"-V", "--volid"},
      paramLabel = "NAME",
      description = "of the volume (default: as it is)")
  @Nullable String volume;

  @Option(names = "--no-md5sum", description = "leave out the sums that the media check compares")
  boolean unchecked;

  @Option(
      names = {"-q", "--quiet"},
      description = "print no progress")
  boolean quiet;

  @Option(names = "--json", description = "print a JSON object")
  boolean json;

  @Spec(Spec.Target.MIXEE)
  CommandSpec spec = CommandSpec.create();

  /** Makes the ISO and prints its name. */
  void run(Path in, Path out, @Nullable Path kickstart) throws IOException {
    IsoChanges changes = changes(kickstart);
    if (changes.equals(IsoChanges.NONE)) {
      throw Problem.usage(
          "nothing would change; give a kickstart file, or one of --add, --cmdline, --rm-args,"
              + " --replace, --updates and --volid");
    }
    Instant epoch = Epoch.ofEnvironment();
    OptionalLong time =
        epoch == null ? OptionalLong.empty() : OptionalLong.of(epoch.getEpochSecond());
    Progress progress = TerminalProgress.forStderr(System.err, quiet || json);
    try {
      IsoRewrite.run(in, out, changes, !unchecked, time, progress);
    } finally {
      TerminalProgress.finish(progress);
    }
    var printed = spec.commandLine().getOut();
    if (json) {
      printed.println(JsonText.pretty(Map.of("iso", out.toString())));
    } else {
      printed.println(Printable.text(out.toString()));
    }
    printed.flush();
  }

  private IsoChanges changes(@Nullable Path kickstart) {
    if (removed.contains("=")) {
      throw Problem.usage("--rm-args takes names of arguments, without their values");
    }
    List<IsoChanges.Replaced> texts = new ArrayList<>();
    for (int i = 0; i + 1 < replaced.size(); i += 2) {
      if (replaced.get(i).isEmpty()) {
        throw Problem.usage("--replace takes a text that is not empty, and another");
      }
      texts.add(new IsoChanges.Replaced(replaced.get(i), replaced.get(i + 1)));
    }
    return new IsoChanges(
        Optional.ofNullable(kickstart),
        Optional.ofNullable(updates),
        added,
        KernelArguments.parse(arguments, "--cmdline"),
        removed.isBlank() ? List.of() : List.of(removed.strip().split("\\s+")),
        texts,
        Optional.ofNullable(volume));
  }
}
