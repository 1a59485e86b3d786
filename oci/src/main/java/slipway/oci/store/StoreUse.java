package slipway.oci.store;

import java.io.IOException;
import slipway.linux.lock.Flock;
import slipway.oci.layout.BlobDirectory;
import slipway.oci.layout.BlobWriter;
import slipway.oci.model.Digest;

/**
 * Who uses a store, so that nothing vanishes under a reader or between the writing of a blob and of
 * the manifest that names it: every open store holds the file {@code lock} shared; whoever removes
 * blobs needs it alone. Safe for use by many threads.
 */
final class StoreUse {
  private final Flock lock;
  private final BlobDirectory blobs;
  private int holds;
  private boolean closed;

  /**
   * @param lock held shared
   */
  StoreUse(Flock lock, BlobDirectory blobs) {
    this.lock = lock;
    this.blobs = blobs;
  }

  /** Begins a blob with a sha256 digest; waits for the work of {@link #alone} to end. */
  synchronized BlobWriter newBlob() {
    return blobs.newBlob(Digest.Algorithm.SHA256);
  }

  /** Holds off {@link #alone} in this process until it is closed. */
  synchronized LocalStore.Hold hold() {
    holds++;
    return new LocalStore.Hold() {
      private boolean released;

      @Override
      public void close() {
        synchronized (StoreUse.this) {
          holds -= released ? 0 : 1;
          released = true;
        }
      }
    };
  }

  /** Removes blobs. */
  @FunctionalInterface
  interface Removal {
    LocalStore.Pruned run() throws IOException;
  }

  /** Removes blobs while nobody else uses the store; else does nothing and says so. */
  synchronized LocalStore.Pruned alone(Removal removal) throws IOException {
    if (holds > 0 || blobs.writing()) {
      return LocalStore.Pruned.inUse();
    }
    boolean alone = lock.tryTake(true);
    try {
      return alone ? removal.run() : LocalStore.Pruned.inUse();
    } finally {
      lock.await(false);
    }
  }

  /** Lets other processes remove blobs; those being written are given up. */
  void close() throws IOException {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
    }
    blobs.close();
    lock.close();
  }
}
