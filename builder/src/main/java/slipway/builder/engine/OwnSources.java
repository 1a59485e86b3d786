package slipway.builder.engine;

import java.util.List;
import slipway.base.Position;
import slipway.base.Problem;
import slipway.builder.copy.CopyStep;
import slipway.builder.language.Containerfile.Stage;
import slipway.builder.language.Instruction;
import slipway.builder.language.RunMount;
import slipway.builder.session.BuildSession;

/**
 * Refuses COPY, ADD and RUN what a variable of a base image chose for them, unless the one who
 * builds trusts the image: see {@link ForeignVariables}.
 */
final class OwnSources {
  private final BuildSession session;
  private final Stage stage;
  private final StageVariables variables;

  OwnSources(BuildSession session, Stage stage, StageVariables variables) {
    this.session = session;
    this.stage = stage;
    this.variables = variables;
  }

  /**
   * Checks where a COPY or ADD takes files from.
   *
   * @throws Problem that names what the base image chose, and the option that allows it
   */
  void require(Instruction.Copy c) {
    if (session.request().allowOnBuild()) {
      return;
    }
    if (c.from() != null) {
      String from = variables.expander().word(c.from(), c.at());
      requireImage(from, variables.otherwise().word(c.from(), c.at()), c.at());
    }
    for (String source : c.add() ? c.sources() : List.<String>of()) {
      String address = variables.expander().word(source, c.at());
      if (CopyStep.isDownload(address)) {
        ForeignVariables.checkDownload(address, variables.otherwise().word(source, c.at()), c.at());
      }
    }
  }

  /**
   * Checks what a RUN mounts.
   *
   * @throws Problem as for a COPY
   */
  void require(Instruction.Run r) {
    if (!session.request().allowOnBuild()) {
      r.mounts().forEach(mount -> requireMount(mount, r.at()));
    }
  }

  /** Stages and contexts are given by the build, so whoever names one may have it. */
  private void requireImage(String from, String other, Position where) {
    if (!from.equals(other)
        && !session.request().contexts().containsKey(from)
        && session.graph().find(from, stage.index()).isEmpty()) {
      ForeignVariables.checkImage(from, other, where);
    }
  }

  private void requireMount(String text, Position where) {
    RunMount mount = RunMount.parse(text, where, variables.expander().at(where));
    RunMount other =
        RunMount.parse(
            text,
            where,
            (key, value) ->
                (RunMount.isName(key) ? variables.otherwise() : variables.expander())
                    .word(value, where));
    if (mount.from() != null) {
      requireImage(mount.from(), String.valueOf(other.from()), where);
    }
    boolean given =
        switch (mount.type()) {
          case SECRET -> session.request().secrets().containsKey(mount.id());
          case SSH -> session.request().agents().containsKey(mount.id());
          case BIND, CACHE, TMPFS -> false;
        };
    if (given && !mount.id().equals(other.id())) {
      throw ForeignVariables.refused(
          mount.id(), "a secret or an agent that the build was given", where);
    }
  }
}
