package slipway.base;

import java.util.Locale;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Amounts of bytes as podman and people write them: {@code 4096}, {@code 512m}, {@code 20G}, {@code
 * 10 GiB}. Each letter counts 1024 of the one before, with or without {@code iB} or {@code B}.
 */
public final class ByteSize {
  private static final Pattern FORM = Pattern.compile("([0-9]+)(?: *(?:([kmgt])i?b?|b))?");

  private ByteSize() {}

  /**
   * Reads an amount.
   *
   * @return bytes, {@link Long#MAX_VALUE} for all that is more; nothing when it is no amount
   */
  public static OptionalLong parse(String text) {
    Matcher m = FORM.matcher(text.toLowerCase(Locale.ROOT));
    if (!m.matches()) {
      return OptionalLong.empty();
    }
    int shift = m.group(2) == null ? 0 : 10 * ("kmgt".indexOf(m.group(2)) + 1);
    long number;
    try {
      number = Long.parseLong(m.group(1));
    } catch (NumberFormatException e) {
      return OptionalLong.of(Long.MAX_VALUE);
    }
    return OptionalLong.of(number > Long.MAX_VALUE >> shift ? Long.MAX_VALUE : number << shift);
  }
}
