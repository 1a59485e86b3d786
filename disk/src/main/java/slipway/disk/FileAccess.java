package slipway.disk;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;

/**
 * Who may read a finished disk. It holds the hashes of passwords and all secrets of its image, so
 * it is its owner's alone unless somebody wants it otherwise.
 *
 * @param mode permission bits, whatever the umask
 * @param uid owner of the files and their folders; -1 to leave it
 * @param gid group of both; -1 to leave it
 */
public record FileAccess(int mode, int uid, int gid) {
  /** For the owner alone. */
  public static final FileAccess PRIVATE = new FileAccess(0600, -1, -1);

  private static final Pattern MODE = Pattern.compile("0?[0-7]{3}");
  private static final Pattern OWNER = Pattern.compile("([0-9]{1,10})(?::([0-9]{1,10}))?");
  private static final long LAST_ID = 0xfffffffeL;

  /**
   * Reads the options.
   *
   * @param mode octal, or null for 0600
   * @param owner {@code UID[:GID]} as bootc-image-builder takes it, or null
   * @param ownGroup the group that stands for a missing GID
   * @throws Problem of kind USAGE
   */
  public static FileAccess parse(@Nullable String mode, @Nullable String owner, int ownGroup) {
    int bits = PRIVATE.mode;
    if (mode != null) {
      if (!MODE.matcher(mode).matches()) {
        throw Problem.usage("--mode takes permission bits such as 0640, not \"" + mode + "\"");
      }
      bits = Integer.parseInt(mode, 8);
    }
    if (owner == null) {
      return new FileAccess(bits, -1, -1);
    }
    Matcher m = OWNER.matcher(owner);
    if (!m.matches() || tooLarge(m.group(1)) || (m.group(2) != null && tooLarge(m.group(2)))) {
      throw Problem.usage("--chown takes UID[:GID] in numbers, not \"" + owner + "\"");
    }
    int gid = m.group(2) == null ? ownGroup : Integer.parseUnsignedInt(m.group(2));
    return new FileAccess(bits, Integer.parseUnsignedInt(m.group(1)), gid);
  }

  private static boolean tooLarge(String number) {
    return Long.parseLong(number) > LAST_ID;
  }

  /** Whether files and folders get another owner. */
  public boolean isOwned() {
    return uid != -1 || gid != -1;
  }
}
