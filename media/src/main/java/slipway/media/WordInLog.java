package slipway.media;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Looks for a text in a file that grows, of which each byte is read once. */
final class WordInLog {
  private final Path file;
  private final String word;
  private final ByteBuffer buffer = ByteBuffer.allocate(64 * 1024);
  private long position;
  private String rest = "";
  private boolean found;

  WordInLog(Path file, String text) {
    this.file = file;
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    this.word = latin(bytes, bytes.length);
  }

  /** Bytes as characters, of which none is invalid. */
  private static String latin(byte[] bytes, int length) {
    return new String(bytes, 0, length, StandardCharsets.ISO_8859_1);
  }

  /** Whether what was written so far has it. */
  boolean isThere() throws IOException {
    if (found || Files.notExists(file)) {
      return found;
    }
    try (SeekableByteChannel in = Files.newByteChannel(file)) {
      in.position(position);
      while (!found && in.read(buffer) > 0) {
        position += buffer.position();
        String text = rest + latin(buffer.array(), buffer.position());
        found = text.contains(word);
        rest = text.substring(Math.max(0, text.length() - word.length() + 1));
        buffer.clear();
      }
    }
    return found;
  }
}
