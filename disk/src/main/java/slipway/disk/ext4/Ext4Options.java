package slipway.disk.ext4;

import java.util.UUID;

/**
 * What a file system has beside its tree. The same options, tree and size give the same bytes.
 *
 * @param id its UUID
 * @param label its name, at most 16 bytes
 * @param hashSeed what hashes of names begin with
 * @param seconds when it was made, since the epoch
 * @param verity whether files may be sealed with fs-verity
 */
public record Ext4Options(UUID id, String label, UUID hashSeed, long seconds, boolean verity) {}
