package slipway.tree;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;

/** The bytes of a regular file, held elsewhere and streamed when asked for. */
public interface Content {
  /** Bytes. */
  long size();

  /** Opens the bytes from the beginning; the caller closes. */
  InputStream open() throws IOException;

  /** No bytes at all. */
  Content EMPTY = of(new byte[0]);

  /** Small content in memory. */
  static Content of(byte[] bytes) {
    return new Content() {
      @Override
      public long size() {
        return bytes.length;
      }

      @Override
      public InputStream open() {
        return new ByteArrayInputStream(bytes);
      }
    };
  }
}
