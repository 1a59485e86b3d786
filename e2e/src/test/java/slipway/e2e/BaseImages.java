package slipway.e2e;

/**
 * The bootable base image in the shared state, built when it is missing or holds another agent than
 * this checkout's.
 */
final class BaseImages {
  /** What the examples and these tests build on. */
  static final String TRIXIE = "localhost/debian-bootc:trixie";

  private static boolean checked;

  private BaseImages() {}

  /** The state that has the image; minutes the first time, a second after that. */
  static synchronized Cli trixie() {
    Cli cli = Cli.withSharedState();
    if (!checked) {
      cli.must("base", "build", "--if-changed", "--quiet");
      checked = true;
    }
    return cli;
  }
}
