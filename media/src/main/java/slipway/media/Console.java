package slipway.media;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import slipway.base.Problem;

/**
 * The first serial port of a machine: what the firmware, the boot loader and the system print
 * there. Keeps the last 1 MiB. Bytes are taken as Latin-1, so nothing is lost at a boundary;
 * patterns for other text match its UTF-8 bytes. Safe for use by many threads.
 */
final class Console {
  private static final int KEPT = 1024 * 1024;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final StringBuilder text = new StringBuilder();
  private final OutputStream keyboard;
  private int read;
  private long received;
  private boolean ended;

  Console(OutputStream keyboard) {
    this.keyboard = keyboard;
  }

  /** Reads until the stream ends; {@code log} gets every byte at once. */
  void pump(InputStream in, OutputStream log) throws IOException {
    try {
      byte[] buffer = new byte[8192];
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        log.write(buffer, 0, n);
        log.flush();
        append(new String(buffer, 0, n, StandardCharsets.ISO_8859_1));
      }
    } finally {
      end();
    }
  }

  private void append(String more) {
    lock.lock();
    try {
      text.append(more);
      received += more.length();
      int surplus = text.length() - KEPT;
      if (surplus > 0) {
        text.delete(0, surplus);
        read = Math.max(0, read - surplus);
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Bytes that the machine has said in all. */
  long received() {
    lock.lock();
    try {
      return received;
    } finally {
      lock.unlock();
    }
  }

  private void end() {
    lock.lock();
    try {
      ended = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until the pattern is found in what came after the last match; the next call looks behind
   * this one's match.
   *
   * @throws Problem of kind UNAVAILABLE with the last lines when it does not come in time or the
   *     machine ended
   */
  public MatchResult waitFor(Pattern pattern, Duration limit) throws InterruptedException {
    long deadline = System.nanoTime() + limit.toNanos();
    lock.lock();
    try {
      while (true) {
        Matcher matcher = pattern.matcher(text);
        if (matcher.find(read)) {
          read = matcher.end();
          return matcher.toMatchResult();
        }
        long left = deadline - System.nanoTime();
        if (ended || left <= 0) {
          String shown =
              "the machine's console did not show \""
                  + pattern
                  + (ended
                      ? "\" before the machine ended"
                      : "\" within " + limit.toSeconds() + " s")
                  + "; it ends with";
          throw Problem.unavailable(shown, null).withDetails(tail(20));
        }
        changed.awaitNanos(left);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Types text into the serial port. */
  public void send(String keys) throws IOException {
    keyboard.write(keys.getBytes(StandardCharsets.ISO_8859_1));
    keyboard.flush();
  }

  /** The last lines, without what moves a cursor or sets colours. */
  public String tail(int lines) {
    lock.lock();
    try {
      return tail(text.toString(), lines);
    } finally {
      lock.unlock();
    }
  }

  /** The same of what a console has said. */
  static String tail(String text, int lines) {
    String plain = text.replaceAll("\u001b\\[[0-9;?]*[A-Za-z]|\r", "");
    String[] all = plain.split("\n", -1);
    StringBuilder out = new StringBuilder();
    for (int i = Math.max(0, all.length - lines); i < all.length; i++) {
      out.append(all[i]).append('\n');
    }
    return out.toString().strip();
  }
}
