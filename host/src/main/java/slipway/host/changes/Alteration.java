package slipway.host.changes;

import java.util.Locale;

/** What became of something between two versions. */
enum Alteration {
  ADDED("+"),
  REMOVED("-"),
  CHANGED("~");

  private final String sign;

  Alteration(String sign) {
    this.sign = sign;
  }

  String sign() {
    return sign;
  }

  String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
