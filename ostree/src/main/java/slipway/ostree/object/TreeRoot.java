package slipway.ostree.object;

/**
 * A directory in a repository.
 *
 * @param dirtree its entries
 * @param dirmeta its owner, mode and extended attributes
 */
public record TreeRoot(Checksum dirtree, Checksum dirmeta) {}
