package slipway.base;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Text of files that are UTF-8 by custom only, such as fstab and boot entries: bytes that are none
 * are kept. Each becomes a lone low surrogate, U+DC80 to U+DCFF (as in PEP 383), which no honest
 * text has, which {@link Printable} shows escaped, and which {@link #encode} turns back.
 */
public final class RawText {
  private RawText() {}

  /** The bytes as text; {@link #encode} gives the same bytes. */
  public static String decode(byte[] bytes) {
    CharsetDecoder decoder =
        StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
    ByteBuffer in = ByteBuffer.wrap(bytes);
    CharBuffer out = CharBuffer.allocate(bytes.length);
    while (true) {
      CoderResult result = decoder.decode(in, out, true);
      if (!result.isError()) {
        return out.flip().toString();
      }
      for (int i = 0; i < result.length(); i++) {
        out.put((char) (0xdc00 | (in.get() & 0xff)));
      }
      decoder.reset();
    }
  }

  /**
   * The lines of a text, which end with a line feed and nothing else. Those who read such files on
   * the machine take a lone carriage return for a part of the line; if we did not, writing the file
   * again would make two lines of one.
   */
  public static List<String> lines(String text) {
    List<String> lines = new ArrayList<>(Arrays.asList(text.split("\n", -1)));
    if (lines.getLast().isEmpty()) {
      lines.removeLast();
    }
    return lines;
  }

  /** The bytes of a text; a lone surrogate that stands for no byte becomes a question mark. */
  public static byte[] encode(String text) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(text.length());
    int begin = 0;
    for (int i = 0; i < text.length(); ) {
      int c = text.codePointAt(i);
      int next = i + Character.charCount(c);
      if (c >= 0xdc80 && c <= 0xdcff) {
        out.writeBytes(text.substring(begin, i).getBytes(StandardCharsets.UTF_8));
        out.write(c & 0xff);
        begin = next;
      }
      i = next;
    }
    out.writeBytes(text.substring(begin).getBytes(StandardCharsets.UTF_8));
    return out.toByteArray();
  }
}
