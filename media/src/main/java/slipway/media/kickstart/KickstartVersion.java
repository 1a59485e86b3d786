package slipway.media.kickstart;

import java.util.Arrays;
import java.util.stream.Collectors;
import slipway.base.Printable;
import slipway.base.Problem;

/** A version of the syntax, by the names that pykickstart gives them. */
public enum KickstartVersion {
  F45,
  RHEL9,
  RHEL10;

  /**
   * The version of that name.
   *
   * @throws Problem of kind USAGE when there is none
   */
  public static KickstartVersion parse(String name) {
    for (KickstartVersion version : values()) {
      if (version.name().equalsIgnoreCase(name)) {
        return version;
      }
    }
    String known = Arrays.stream(values()).map(Enum::name).collect(Collectors.joining(", "));
    throw Problem.usage(
        "--version " + Printable.text(name) + " is not a version that is known; take " + known);
  }
}
