package slipway.cli.command;

import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import slipway.base.CommandValue;
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
   * @throws slipway.base.Problem of kind USAGE
   */
  public Optional<Reference> name() {
    return Optional.ofNullable(target)
        .map(name -> CommandValue.of("--target-imgref", () -> Reference.parse(name).orLatest()));
  }
}
