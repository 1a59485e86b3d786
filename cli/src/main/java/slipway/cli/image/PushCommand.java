package slipway.cli.image;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import slipway.base.AtomicFile;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.cli.command.State;
import slipway.cli.output.OutputFile;
import slipway.cli.output.TerminalProgress;
import slipway.oci.copy.Transfer;
import slipway.oci.model.Manifest;
import slipway.oci.model.Reference;
import slipway.oci.registry.RegistryClient;
import slipway.oci.store.LocalStore;

/** {@code slipway push IMAGE [NAME]}: from the local store to a registry; prints the digest. */
@Command(
    name = "push",
    mixinStandardHelpOptions = true,
    description = "Send an image to a registry.",
    footer = "slipway push localhost/web:1 127.0.0.1:5000/web:stable")
public final class PushCommand implements Callable<Integer> {
  @Mixin State state = new State();
  @Mixin RegistryAccess access = new RegistryAccess();

  @Option(
      names = "--digestfile",
      paramLabel = "FILE",
      description = "write the digest to a file too")
  @Nullable Path digestFile;

  @Option(
      names = {"-q", "--quiet"},
      description = "no progress")
  boolean quiet;

  @Parameters(index = "0", paramLabel = "IMAGE", description = "name or id in the local store")
  String image = "";

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "NAME",
      description = "where to (default: the image's own name)")
  @Nullable String destination;

  @Spec CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    Path digests = digestFile == null ? null : OutputFile.check(digestFile, "--digestfile");
    Progress progress = TerminalProgress.forStderr(System.err, quiet);
    Manifest sent;
    try (LocalStore store = state.storeWith(image)) {
      Manifest manifest = State.require(store, image);
      Reference target = target();
      try (RegistryClient registry = access.registries().target(target)) {
        sent =
            Transfer.copy(
                store.source(),
                manifest.digest().toString(),
                registry,
                target.tag(),
                Transfer.Options.all(),
                progress);
      }
    } finally {
      TerminalProgress.finish(progress);
    }
    if (digests != null) {
      AtomicFile.write(digests, sent.digest() + "\n");
    }
    spec.commandLine().getOut().println(sent.digest());
    return 0;
  }

  private Reference target() {
    if (destination != null) {
      return Reference.parse(PullCommand.withoutTransport(destination)).orLatest();
    }
    Reference own = LocalStore.localName(image).orLatest();
    if (own.registry().equals(LocalStore.HOST)) {
      throw Problem.usage(
          "localhost/ is no registry but what images are called that are made here; say where to:"
              + " slipway push "
              + image
              + " REGISTRY/"
              + own.repository()
              + (own.tag() == null ? "" : ":" + own.tag()));
    }
    return own;
  }
}
