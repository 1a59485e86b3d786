package slipway.builder.engine;

import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.builder.copy.CopyStep;
import slipway.builder.language.Containerfile.Stage;
import slipway.builder.language.Expander;
import slipway.builder.language.Instruction;
import slipway.builder.language.RunMount;
import slipway.builder.session.BuildRequest;
import slipway.builder.session.StageGraph;
import slipway.container.RunNetwork;

/**
 * What the ONBUILD of an image from elsewhere may do. Its author is a stranger, who does not get
 * what only the one who builds may give: other images and archives of this machine, or of a
 * registry with this user's credentials, secrets, ssh agents, more rights, and this machine's
 * network, from which ADD fetches. Stages and contexts of the build can be named as usual.
 */
final class Triggers {
  private final BuildRequest request;
  private final StageGraph graph;
  private final Stage stage;

  Triggers(BuildRequest request, StageGraph graph, Stage stage) {
    this.request = request;
    this.graph = graph;
    this.stage = stage;
  }

  /**
   * Refuses a trigger, unless the one who builds trusts the image.
   *
   * @param expander with the variables as they are when the trigger is carried out
   * @throws Problem that names what the trigger asks for, and the option that allows it
   */
  void check(Instruction trigger, Expander expander) {
    if (request.allowOnBuild()) {
      return;
    }
    switch (trigger) {
      case Instruction.Copy copy -> {
        from(copy.from() == null ? null : expander.word(copy.from(), copy.at()), copy);
        if (copy.add()) {
          copy.sources().forEach(s -> source(expander.word(s, copy.at()), copy));
        }
      }
      case Instruction.Run run -> run(run, expander);
      default -> {}
    }
  }

  private void run(Instruction.Run run, Expander expander) {
    if (run.network().equals("host") && request.network().mode() != RunNetwork.Mode.HOST) {
      throw refused(
          run, "RUN --network=host, this machine's network", "--network=host or --allow onbuild");
    }
    if (run.security().equals("insecure") && request.allowInsecure()) {
      throw refused(run, "RUN --security=insecure", "--allow onbuild");
    }
    for (String text : run.mounts()) {
      RunMount mount = RunMount.parse(text, run.at(), expander.at(run.at()));
      switch (mount.type()) {
        case SECRET -> {
          if (request.secrets().containsKey(mount.id())) {
            throw refused(run, "the secret " + mount.id(), "--allow onbuild");
          }
        }
        case SSH -> {
          if (request.agents().containsKey(mount.id())) {
            throw refused(run, "the ssh agent " + mount.id(), "--allow onbuild");
          }
        }
        case BIND, CACHE, TMPFS -> from(mount.from(), run);
      }
    }
  }

  private void from(@Nullable String from, Instruction trigger) {
    if (from != null
        && !request.contexts().containsKey(from)
        && graph.find(from, stage.index()).isEmpty()) {
      throw refused(trigger, "files of another image, " + from, "--allow onbuild");
    }
  }

  private void source(String source, Instruction trigger) {
    if (CopyStep.isDownload(source)) {
      throw refused(trigger, "a download by this machine, " + source, "--allow onbuild");
    }
  }

  private static Problem refused(Instruction trigger, String what, String option) {
    return trigger
        .at()
        .problem(
            "the base image's ONBUILD asks for "
                + what
                + "; if you trust the image, build with "
                + option);
  }
}
