package slipway.cli.image;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import slipway.base.CommandValue;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.cli.command.State;
import slipway.cli.output.OutputFile;
import slipway.cli.output.TerminalProgress;
import slipway.config.registries.Registries;
import slipway.oci.copy.DeltaSink;
import slipway.oci.copy.ImageSink;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.Transfer;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.oci.model.Platform;
import slipway.oci.registry.RegistryOptions;
import slipway.oci.store.LocalStore;
import slipway.oci.transport.TransportRef;

/**
 * {@code slipway export IMAGE PLACE}: an image for machines without a network, or of it what those
 * lack that run another one.
 */
@Command(
    name = "export",
    mixinStandardHelpOptions = true,
    description = "Write an image, or what a machine lacks of it, to a stick.",
    footer = {
      "slipway export localhost/os:2 oci:/media/stick/os",
      "slipway export --delta-from sha256:… localhost/os:2 oci:/media/stick/os"
    })
public final class ExportCommand implements Callable<Integer> {
  @Mixin State state = new State();
  @Mixin RegistryAccess access = new RegistryAccess();

  @Option(
      names = "--delta-from",
      paramLabel = "DIGEST",
      description =
          "leave out the layers of this image, which the machine runs (bootc status tells it)")
  @Nullable String base;

  @Option(
      names = "--platform",
      paramLabel = "OS/ARCH",
      description = "another platform than this machine's")
  @Nullable String platform;

  @Option(
      names = {"-q", "--quiet"},
      description = "no progress")
  boolean quiet;

  @Parameters(
      index = "0",
      paramLabel = "IMAGE",
      description = "name or id in the local store, or docker://HOST/NAME:TAG")
  String image = "";

  @Parameters(
      index = "1",
      paramLabel = "PLACE",
      description = "oci:DIR[:NAME] or oci-archive:FILE[:NAME]")
  String place = "";

  @Spec CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    TransportRef target = target();
    Digest from = base == null ? null : CommandValue.of("--delta-from", () -> Digest.parse(base));
    Platform wanted = platform == null ? Platform.host() : Platform.parse(platform);
    Progress progress = TerminalProgress.forStderr(System.err, quiet);
    Manifest written;
    try {
      written =
          image.startsWith("docker://")
              ? fromRegistry(target, from, wanted, progress)
              : fromStore(target, from, wanted, progress);
    } finally {
      TerminalProgress.finish(progress);
    }
    spec.commandLine().getOut().println(written.digest());
    return 0;
  }

  private TransportRef target() throws IOException {
    TransportRef target = TransportRef.parse(place);
    switch (target) {
      case TransportRef.Layout l -> OutputFile.checkFolder(l.path(), "PLACE");
      case TransportRef.Archive a -> OutputFile.check(a.path(), "PLACE");
      default ->
          throw Problem.usage(
              "an image is exported to oci:DIR or oci-archive:FILE, not to " + place);
    }
    return target;
  }

  private Manifest fromStore(
      TransportRef target, @Nullable Digest from, Platform wanted, Progress progress)
      throws IOException {
    try (LocalStore store = state.storeWith(image)) {
      Manifest manifest = State.require(store, image);
      return export(store.source(), manifest.digest().toString(), target, from, wanted, progress);
    }
  }

  private Manifest fromRegistry(
      TransportRef target, @Nullable Digest from, Platform wanted, Progress progress)
      throws IOException {
    Registries registries = access.registries();
    try (ImageSource registry =
        registries.source(registries.resolve(PullCommand.withoutTransport(image)).orLatest())) {
      return export(registry, null, target, from, wanted, progress);
    }
  }

  private Manifest export(
      ImageSource source,
      @Nullable String selector,
      TransportRef target,
      @Nullable Digest from,
      Platform wanted,
      Progress progress)
      throws IOException {
    List<Descriptor> leftOut = from == null ? List.of() : shared(source, selector, from, wanted);
    boolean good = false;
    try (ImageSink sink =
        DeltaSink.of(target.sink(RegistryOptions.anonymous(System.getenv())), leftOut)) {
      try {
        Manifest copied =
            Transfer.copy(source, selector, sink, null, Transfer.Options.of(wanted), progress);
        good = true;
        return copied;
      } finally {
        if (!good) {
          sink.abandon();
        }
      }
    }
  }

  /** The layers that whoever has the other image has. */
  private List<Descriptor> shared(
      ImageSource source, @Nullable String selector, Digest from, Platform wanted)
      throws IOException {
    Manifest.Image target = Transfer.resolve(source, selector, wanted);
    Manifest.Image other;
    try {
      other = Transfer.resolve(source, from.toString(), wanted);
    } catch (Problem e) {
      if (e.kind() != Problem.Kind.NOT_FOUND) {
        throw e;
      }
      throw new Problem(
          e.kind(),
          "--delta-from "
              + from
              + ": "
              + source.describe()
              + " has no such image beside "
              + Printable.text(image)
              + "; it must be where that comes from, so that its layers are known",
          e);
    }
    if (other.digest().equals(target.digest())) {
      throw Problem.input(
          Printable.text(image) + " is " + from + " itself: a machine that has it lacks nothing");
    }
    List<Descriptor> shared =
        DeltaSink.shared(
            target, Transfer.config(source, target), other, Transfer.config(source, other));
    tell(
        shared.isEmpty()
            ? "nothing is left out: " + from + " has none of the layers"
            : "left out, because %s has them: %d of %d layers, %s of %s MB"
                .formatted(
                    from,
                    shared.size(),
                    target.layers().size(),
                    megabytes(shared),
                    megabytes(target.layers())));
    return shared;
  }

  private void tell(String line) {
    if (!quiet) {
      spec.commandLine().getErr().println(line);
    }
  }

  private static String megabytes(List<Descriptor> layers) {
    long bytes = layers.stream().mapToLong(Descriptor::size).sum();
    return String.format(Locale.ROOT, "%.1f", bytes / 1e6);
  }
}
