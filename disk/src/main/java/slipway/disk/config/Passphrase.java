package slipway.disk.config;

/**
 * What opens an encrypted partition. It is printed nowhere.
 *
 * @param text as it is typed where the machine asks for it
 */
public record Passphrase(String text) {
  @Override
  public String toString() {
    return "Passphrase";
  }
}
