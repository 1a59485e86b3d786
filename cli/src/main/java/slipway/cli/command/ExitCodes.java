package slipway.cli.command;

import slipway.base.Problem;

/**
 * A command that can tell scripts more by its exit code than all others do. Beside the usual ones:
 * {@link #LATER}, {@link #NOTHING}, {@link #REFUSED}.
 */
public interface ExitCodes {
  /** Trying again later may help: a registry does not answer (EX_TEMPFAIL of sysexits.h). */
  int LATER = 75;

  /** There was nothing to do (as {@code rpm-ostree upgrade --unchanged-exit-77} has it). */
  int NOTHING = 77;

  /** Refused, and nothing was changed: the request, the image or the machine has to change. */
  int REFUSED = 78;

  /** The exit code of a problem. */
  int exitCode(Problem problem);
}
