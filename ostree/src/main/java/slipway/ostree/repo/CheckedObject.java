package slipway.ostree.repo;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import slipway.archive.tar.Metadata;
import slipway.base.BlockFilter;
import slipway.base.Problem;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.Objects;

/**
 * The content of an object, which fails with its last byte unless the object is what it is called.
 */
final class CheckedObject extends BlockFilter {
  private final Repository repository;
  private final Checksum name;
  private final MessageDigest hash = Checksum.newDigest();
  private long left;
  private boolean isWhole;

  /**
   * @param in the content; closed with this
   * @param metadata of the object, normalized
   * @param size bytes of the content
   * @throws Problem of kind CORRUPT for an empty one that is none
   */
  CheckedObject(
      InputStream in, Repository repository, Checksum name, Metadata metadata, long size) {
    super(in);
    this.repository = repository;
    this.name = name;
    this.left = size;
    hash.update(Objects.fileHeader(metadata, null));
    if (left == 0) {
      check();
    }
  }

  @Override
  public int read(byte[] buffer, int offset, int length) throws IOException {
    int n = in.read(buffer, offset, length);
    if (n > 0) {
      hash.update(buffer, offset, n);
      left -= n;
      if (left < 0) {
        throw damaged();
      }
    }
    if (n != 0 && left == 0 || n < 0) {
      check();
    }
    return n;
  }

  /** Once: the hash is begun anew by what asks for it, and a reader may come to the end again. */
  private void check() {
    if (isWhole) {
      return;
    }
    if (left != 0 || !Checksum.of(hash.digest()).equals(name)) {
      throw damaged();
    }
    isWhole = true;
  }

  private Problem damaged() {
    return Problem.corrupt(
        "the object " + name + " of " + repository.path() + " is damaged" + FsckReport.REPAIR);
  }
}
