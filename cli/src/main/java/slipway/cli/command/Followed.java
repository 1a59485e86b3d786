package slipway.cli.command;

import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import slipway.base.Problem;
import slipway.oci.model.Reference;

/** What a machine follows for its updates, as a mix-in of commands that make one. */
public final class Followed {
  @Option(
      names = "--target-imgref",
      paramLabel = "NAME",
      description = "what the machine follows (default: the image's own name)")
  @Nullable String target;

  /**
   * The name, if one was given.
   *
   * @throws Problem of kind USAGE
   */
  public Optional<Reference> name() {
    if (target == null) {
      return Optional.empty();
    }
    try {
      return Optional.of(Reference.parse(target).orLatest());
    } catch (Problem e) {
      throw new Problem(Problem.Kind.USAGE, "--target-imgref: " + e.sentence(), e);
    }
  }
}
