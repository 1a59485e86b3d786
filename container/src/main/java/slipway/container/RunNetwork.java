package slipway.container;

import slipway.base.Problem;

/**
 * The network of RUN commands, in the words of podman build's {@code --network}.
 *
 * @param mode whose network it is
 * @param program what connects a private one: {@code slirp4netns}, {@code pasta}, or empty for
 *     whichever this machine has
 * @param hostLoopback whether a private one reaches what listens on the machine's 127.0.0.1, at the
 *     address of the gateway
 */
public record RunNetwork(Mode mode, String program, boolean hostLoopback) {
  /** Whose network. */
  public enum Mode {
    /** One of the command's own, from which the outside can be reached. */
    PRIVATE,
    /** The machine's. */
    HOST,
    /** One of the command's own that leads nowhere. */
    NONE
  }

  /** The usual one. */
  public static final RunNetwork PRIVATE = new RunNetwork(Mode.PRIVATE, "", false);

  public static final RunNetwork HOST = new RunNetwork(Mode.HOST, "", false);
  public static final RunNetwork NONE = new RunNetwork(Mode.NONE, "", false);

  /**
   * Reads what {@code --network} says.
   *
   * @throws Problem (USAGE) for anything else than the words in its message
   */
  public static RunNetwork parse(String text) {
    return switch (text) {
      case "private", "default" -> PRIVATE;
      case "host" -> HOST;
      case "none" -> NONE;
      case "slirp4netns", "slirp4netns:allow_host_loopback=false" ->
          new RunNetwork(Mode.PRIVATE, "slirp4netns", false);
      case "slirp4netns:allow_host_loopback=true" ->
          new RunNetwork(Mode.PRIVATE, "slirp4netns", true);
      case "pasta" -> new RunNetwork(Mode.PRIVATE, "pasta", false);
      case "pasta:--map-gw" -> new RunNetwork(Mode.PRIVATE, "pasta", true);
      default ->
          throw Problem.usage(
              "--network is private, host, none, slirp4netns, slirp4netns:allow_host_loopback=true,"
                  + " pasta or pasta:--map-gw, not \""
                  + text
                  + "\"");
    };
  }
}
