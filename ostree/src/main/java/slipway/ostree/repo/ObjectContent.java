package slipway.ostree.repo;

import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import slipway.archive.tar.Metadata;
import slipway.base.Problem;
import slipway.composefs.FsVerity;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.Objects;
import slipway.tree.Content;
import slipway.tree.Node;

/**
 * The content of a regular file that is an object of a repository, or becomes one in a transaction
 * that still runs. Safe for use by many threads.
 */
public final class ObjectContent implements Content {
  private final Repository repository;
  private final Metadata metadata;
  private final long size;

  /** The transaction that writes it, to be told to hurry up; null when there is none. */
  private final @Nullable Transaction transaction;

  /** Where the fs-verity digest may be found; null when nowhere. */
  private final @Nullable VerityIndex index;

  private @Nullable Checksum checksum;
  private byte @Nullable [] verity;
  private @Nullable Throwable failure;

  private ObjectContent(
      Repository repository,
      Metadata metadata,
      long size,
      @Nullable Transaction transaction,
      @Nullable Checksum checksum,
      @Nullable VerityIndex index) {
    this.repository = repository;
    this.metadata = metadata;
    this.size = size;
    this.transaction = transaction;
    this.checksum = checksum;
    this.index = index;
  }

  /**
   * An object that is there.
   *
   * @param metadata normalized
   */
  static ObjectContent existing(
      Repository repository,
      Checksum checksum,
      Metadata metadata,
      long size,
      @Nullable VerityIndex index) {
    return new ObjectContent(repository, metadata, size, null, checksum, index);
  }

  /**
   * An object that is being written.
   *
   * @param metadata normalized
   * @param verity its fs-verity digest where that is known, else null
   */
  static ObjectContent pending(
      Transaction transaction, Metadata metadata, long size, byte @Nullable [] verity) {
    ObjectContent content =
        new ObjectContent(transaction.repository(), metadata, size, transaction, null, null);
    content.verity = verity;
    return content;
  }

  /** Its fs-verity digest where nobody need compute it, else null. */
  synchronized byte @Nullable [] knownVerity() {
    return verity;
  }

  /** With owner, mode and attributes as the object's name covers them. */
  Metadata metadata() {
    return metadata;
  }

  synchronized void complete(Checksum name, byte @Nullable [] digest) {
    if (transaction != null) {
      transaction.remember(name, new ContentFormat.Stored(metadata, null, size));
    }
    checksum = name;
    verity = digest == null ? verity : digest;
    notifyAll();
  }

  synchronized void fail(Throwable cause) {
    failure = cause;
    notifyAll();
  }

  /**
   * The object that a checkout links a name of a commit's tree to: a link of its own, or a file's
   * content; nothing for a directory and for an empty file, which ostree does not link.
   */
  public static Optional<Checksum> linked(Node node) {
    return switch (node) {
      case Node.File f when f.content() instanceof ObjectContent o && o.size() > 0 ->
          Optional.of(o.checksum());
      case Node.Symlink s ->
          Optional.of(Objects.symlinkChecksum(Objects.normalized(s.metadata()), s.target()));
      default -> Optional.empty();
    };
  }

  /**
   * The object's name. Waits until it is known.
   *
   * @throws Problem when it could not be written
   * @throws IllegalStateException when the transaction was given up
   */
  public Checksum checksum() {
    synchronized (this) {
      if (checksum != null) {
        return checksum;
      }
    }
    if (transaction != null) {
      transaction.flush();
    }
    return await();
  }

  private synchronized Checksum await() {
    boolean interrupted = false;
    while (checksum == null && failure == null) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (checksum == null) {
      throw failure instanceof Problem p
          ? new Problem(p.kind(), String.valueOf(p.getMessage()), p)
          : new IllegalStateException("the object was not written", failure);
    }
    return checksum;
  }

  /**
   * The fs-verity sha256 digest of the content. The content is read through when no import recorded
   * it.
   *
   * @return 32 bytes
   * @throws Problem of kind CORRUPT when it was read and is not what it is called
   */
  public byte[] verityDigest() throws IOException {
    Checksum name = checksum();
    synchronized (this) {
      if (verity != null) {
        return verity.clone();
      }
    }
    byte[] digest = index == null ? null : index.find(name).orElse(null);
    if (digest == null) {
      try (InputStream in = openChecked()) {
        digest = FsVerity.sha256(in);
      }
    }
    synchronized (this) {
      verity = digest;
    }
    return digest.clone();
  }

  /** Whether this is an object of {@code other} with these owner, mode and attributes. */
  boolean isObjectOf(Repository other, Metadata wanted) {
    return repository.path().equals(other.path()) && metadata.equals(Objects.normalized(wanted));
  }

  @Override
  public long size() {
    return size;
  }

  /** Opens the object, in a transaction that still runs too. */
  @Override
  public InputStream open() throws IOException {
    OsPath staged = staged();
    return staged == null ? repository.openContent(checksum()) : repository.format().open(staged);
  }

  /**
   * A content for who makes something lasting of it: under another name nobody would see any more
   * that an object is damaged. What the transaction that runs has written was hashed on its way.
   *
   * @throws Problem of kind CORRUPT, here or with the last byte, when an object of the repository
   *     is not what it is called
   */
  public static InputStream openChecked(Content content) throws IOException {
    return content instanceof ObjectContent object ? object.openChecked() : content.open();
  }

  private InputStream openChecked() throws IOException {
    OsPath staged = staged();
    if (staged != null) {
      return repository.format().open(staged);
    }
    InputStream in = repository.openContent(checksum());
    try {
      return new CheckedObject(in, repository, checksum(), metadata, size);
    } catch (Problem e) {
      in.close();
      throw e;
    }
  }

  /** Its file in the transaction, which may be to take the place of a damaged one; or null. */
  private @Nullable OsPath staged() {
    if (transaction == null) {
      return null;
    }
    OsPath staged = transaction.stagedFile(checksum());
    return Posix.exists(staged) ? staged : null;
  }
}
