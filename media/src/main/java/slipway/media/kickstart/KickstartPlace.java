package slipway.media.kickstart;

/**
 * A place in a kickstart file.
 *
 * @param file as the user or the including file named it
 * @param line counted from 1
 * @param column in characters, counted from 1
 */
public record KickstartPlace(String file, int line, int column) {
  @Override
  public String toString() {
    return file + ":" + line + ":" + column;
  }
}
