package slipway.composefs;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import slipway.linux.posix.OsPath;

/**
 * The attributes by which overlayfs finds the content of a file in a lower layer (Linux's
 * Documentation/filesystems/overlayfs.rst, "Metadata only copy up", and struct ovl_metacopy of
 * fs/overlayfs/overlayfs.h), and those that a mount turns into overlayfs's own ("Nesting overlayfs
 * mounts").
 */
public final class OverlayXattrs {
  private static final String PREFIX = "trusted.overlay.";

  /** What overlayfs shows with {@link #PREFIX} alone. */
  private static final String ESCAPED = "trusted.overlay.overlay.";

  /** Says that content is elsewhere; its value is that of {@link #metacopy}. */
  public static final String METACOPY = PREFIX + "metacopy";

  /** Says where, as an absolute path in the lower layer. */
  public static final String REDIRECT = PREFIX + "redirect";

  /** Says that a directory hides that of lower layers. */
  public static final String OPAQUE = PREFIX + "opaque";

  /** On an empty file: the mount shows a whiteout. */
  public static final String ESCAPED_WHITEOUT = ESCAPED + "whiteout";

  /** On a directory with such files. */
  public static final String ESCAPED_WHITEOUTS = ESCAPED + "whiteouts";

  /** On such a directory too, since composefs's version 1. */
  public static final String ESCAPED_OPAQUE = ESCAPED + "opaque";

  /** As {@link #ESCAPED_WHITEOUT}, for mounts that trust attributes of users. */
  public static final String USER_WHITEOUT = "user.overlay.whiteout";

  /** As {@link #ESCAPED_WHITEOUTS}, for mounts that trust attributes of users. */
  public static final String USER_WHITEOUTS = "user.overlay.whiteouts";

  /** As {@link #ESCAPED_OPAQUE}, for mounts that trust attributes of users. */
  public static final String USER_OPAQUE = "user.overlay.opaque";

  /** Version, length of all, flags, fs-verity's number of the algorithm; the digest follows. */
  private static final int METACOPY_HEADER = 4;

  private OverlayXattrs() {}

  /** The name under which an attribute is kept, so that a mount shows the name itself. */
  public static OsPath escape(OsPath name) {
    return name.startsWith(PREFIX)
        ? OsPath.of(ESCAPED).concat(name.substring(PREFIX.length()))
        : name;
  }

  /** The name that a mount shows, or null for what overlayfs keeps for itself. */
  static @Nullable OsPath shown(OsPath name) {
    if (name.startsWith(ESCAPED)) {
      return OsPath.of(PREFIX).concat(name.substring(ESCAPED.length()));
    }
    return name.startsWith(PREFIX) ? null : name;
  }

  /**
   * The value of {@link #METACOPY}.
   *
   * @param digest the content's fs-verity digest, 32 bytes of sha256 or 64 of sha512, or null:
   *     nobody checks it then
   */
  public static byte[] metacopy(byte @Nullable [] digest) {
    if (digest == null) {
      return new byte[0];
    }
    byte[] value = new byte[METACOPY_HEADER + digest.length];
    value[1] = (byte) value.length;
    FsVerity.Algorithm algorithm =
        digest.length == FsVerity.Algorithm.SHA512.bytes()
            ? FsVerity.Algorithm.SHA512
            : FsVerity.Algorithm.SHA256;
    value[3] = (byte) algorithm.number();
    System.arraycopy(digest, 0, value, METACOPY_HEADER, digest.length);
    return value;
  }

  /** Whether a value of {@link #METACOPY} is one that Linux takes. */
  static boolean isMetacopy(byte[] value) {
    if (value.length == 0) {
      return true;
    }
    if (value.length < METACOPY_HEADER || value[0] != 0 || value[2] != 0) {
      return false;
    }
    for (FsVerity.Algorithm algorithm : FsVerity.Algorithm.values()) {
      if (value[3] == algorithm.number()) {
        return value[1] == value.length && value.length == METACOPY_HEADER + algorithm.bytes();
      }
    }
    return false;
  }

  /** The digest in a sound value of {@link #METACOPY}, or null when it has none. */
  static byte @Nullable [] digest(byte[] metacopy) {
    return metacopy.length == 0
        ? null
        : Arrays.copyOfRange(metacopy, METACOPY_HEADER, metacopy.length);
  }
}
