package slipway.media.kickstart;

/** What makes one line wrong; caught where the line is known. */
final class KickstartFault extends Exception {
  private static final long serialVersionUID = 1L;

  private final int index;
  private final String fix;

  /**
   * @param index of the character in the line that it is about, or -1 for the line's first word
   * @param fix what to write instead, or empty
   */
  KickstartFault(String message, int index, String fix) {
    super(message, null, false, false);
    this.index = index;
    this.fix = fix;
  }

  KickstartFault(String message) {
    this(message, -1, "");
  }

  /** The same at a place, when it has none of its own. */
  KickstartFault at(int place) {
    return index >= 0 ? this : new KickstartFault(message(), place, fix);
  }

  String message() {
    return String.valueOf(getMessage());
  }

  int index() {
    return index;
  }

  String fix() {
    return fix;
  }
}
