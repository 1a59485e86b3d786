package slipway.linux.posix;

import java.io.IOException;

/** A system call failed. The message reads {@code lsetxattr /a/b: Operation not supported}. */
public final class UnixException extends IOException {
  private static final long serialVersionUID = 1L;
  public static final int EPERM = 1;
  public static final int ENOENT = 2;
  public static final int EINTR = 4;
  public static final int ENXIO = 6;
  public static final int E2BIG = 7;
  public static final int EAGAIN = 11;
  public static final int EACCES = 13;
  public static final int EBUSY = 16;
  public static final int EEXIST = 17;
  public static final int EXDEV = 18;
  public static final int ENOTDIR = 20;
  public static final int EISDIR = 21;
  public static final int EINVAL = 22;
  public static final int ENOTTY = 25;
  public static final int ENOSPC = 28;
  public static final int EROFS = 30;
  public static final int EMLINK = 31;
  public static final int ERANGE = 34;
  public static final int ENAMETOOLONG = 36;
  public static final int ENOLCK = 37;
  public static final int ENOSYS = 38;
  public static final int ENOTEMPTY = 39;
  public static final int ELOOP = 40;
  public static final int ENODATA = 61;
  public static final int EOPNOTSUPP = 95;
  public static final int EDQUOT = 122;

  private final int errno;
  private final String text;

  public UnixException(String call, Object what, int errno, String text) {
    super(call + " " + what + ": " + text);
    this.errno = errno;
    this.text = text;
  }

  public int errno() {
    return errno;
  }

  /** What went wrong, in the C library's words. */
  public String text() {
    return text;
  }
}
