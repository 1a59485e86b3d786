package slipway.media.kickstart;

/**
 * What is to be said of a place.
 *
 * @param message of an error: the words of pykickstart, where it has some
 * @param fix what to write instead; empty when that is not known
 */
public record KickstartFinding(Severity severity, KickstartPlace at, String message, String fix) {
  /** How bad it is. */
  public enum Severity {
    /** An installer refuses the file. */
    ERROR,
    /** An installer takes the file, and may not do what was meant. */
    WARNING
  }

  /** Whether an installer refuses the file for it. */
  public boolean isError() {
    return severity == Severity.ERROR;
  }
}
