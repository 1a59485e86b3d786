package slipway.disk.ext4;

import java.util.Set;
import java.util.UUID;
import slipway.linux.posix.OsPath;

/**
 * What a file system has beside its tree. The same options, tree and size give the same bytes.
 *
 * @param id its UUID
 * @param label its name, at most 16 bytes
 * @param hashSeed what hashes of names begin with
 * @param seconds when it was made, since the epoch
 * @param settled whether what is younger than that counts as made then, as SOURCE_DATE_EPOCH wants
 *     it
 * @param verity whether files may be sealed with fs-verity
 * @param immutable paths in the tree of what has that flag of chattr(1)
 * @param blank whether what is not written reads as zeros for ever; it does not where it is
 *     decrypted ({@link slipway.disk.luks}), and then the kernel is asked to clear the inode tables
 */
public record Ext4Options(
    UUID id,
    String label,
    UUID hashSeed,
    long seconds,
    boolean settled,
    boolean verity,
    Set<OsPath> immutable,
    boolean blank) {
  public Ext4Options {
    immutable = Set.copyOf(immutable);
  }

  /** With times as they are, nothing immutable, and zeros where nothing is written. */
  public Ext4Options(UUID id, String label, UUID hashSeed, long seconds, boolean verity) {
    this(id, label, hashSeed, seconds, false, verity, Set.of(), true);
  }
}
