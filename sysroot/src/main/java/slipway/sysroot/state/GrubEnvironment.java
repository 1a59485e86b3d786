package slipway.sysroot.state;

import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import slipway.base.RawText;

/**
 * GRUB's environment block (GRUB manual, "The GRUB environment block"; grub-editenv(1)): variables
 * that the boot loader reads and, in place, writes. A value.
 *
 * <pre>
 *  # GRUB Environment Block
 *  NAME=VALUE            in a value a backslash stands before a backslash and before a line end
 *  ##########…           up to the size of the block
 * </pre>
 *
 * @param size of the block in bytes; GRUB never changes it
 * @param variables in the order of the block
 */
record GrubEnvironment(int size, Map<String, String> variables) {
  /** What grub-editenv makes. */
  static final int SIZE = 1024;

  /** No block is larger (GRUB, {@code GRUB_ENVBLK_MAXLEN}). */
  static final int LARGEST = 32 * 1024;

  private static final String SIGNATURE = "# GRUB Environment Block\n";

  GrubEnvironment {
    variables = Collections.unmodifiableMap(new LinkedHashMap<>(variables));
  }

  /** A new one without variables. */
  static GrubEnvironment empty() {
    return new GrubEnvironment(SIZE, Map.of());
  }

  /** Reads a block; nothing for what GRUB would not take for one. */
  static Optional<GrubEnvironment> parse(byte[] block) {
    String text = RawText.decode(block);
    if (block.length > LARGEST || !text.startsWith(SIGNATURE)) {
      return Optional.empty();
    }
    Map<String, String> found = new LinkedHashMap<>();
    int at = SIGNATURE.length();
    while (at < text.length()) {
      int end = endOfLine(text, at);
      String line = text.substring(at, end);
      int equals = line.indexOf('=');
      if (!line.startsWith("#") && equals > 0) {
        found.put(line.substring(0, equals), unescaped(line.substring(equals + 1)));
      }
      at = end + 1;
    }
    return Optional.of(new GrubEnvironment(block.length, found));
  }

  /** Where the line from {@code at} on ends; a line end behind a backslash belongs to it. */
  private static int endOfLine(String text, int at) {
    int end = at;
    while (end < text.length() && text.charAt(end) != '\n') {
      end += text.charAt(end) == '\\' ? 2 : 1;
    }
    return Math.min(end, text.length());
  }

  private static String unescaped(String value) {
    StringBuilder plain = new StringBuilder();
    for (int i = 0; i < value.length(); i++) {
      if (value.charAt(i) == '\\' && i + 1 < value.length()) {
        i++;
      }
      plain.append(value.charAt(i));
    }
    return plain.toString();
  }

  Optional<String> get(String name) {
    return Optional.ofNullable(variables.get(name));
  }

  GrubEnvironment with(String name, String value) {
    Map<String, String> changed = new LinkedHashMap<>(variables);
    changed.put(name, value);
    return new GrubEnvironment(size, changed);
  }

  GrubEnvironment without(String name) {
    Map<String, String> changed = new LinkedHashMap<>(variables);
    changed.remove(name);
    return new GrubEnvironment(size, changed);
  }

  /**
   * The block.
   *
   * @throws IllegalArgumentException when the variables do not fit
   */
  byte[] toBytes() {
    StringBuilder text = new StringBuilder(SIGNATURE);
    variables.forEach(
        (name, value) ->
            text.append(name)
                .append('=')
                .append(value.replace("\\", "\\\\").replace("\n", "\\\n"))
                .append('\n'));
    byte[] bytes = RawText.encode(text.toString());
    if (bytes.length > size) {
      throw new IllegalArgumentException("variables of " + bytes.length + " bytes in " + size);
    }
    byte[] block = Arrays.copyOf(bytes, size);
    Arrays.fill(block, bytes.length, size, (byte) '#');
    return block;
  }
}
