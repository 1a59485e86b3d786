package slipway.ostree;

import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;
import slipway.linux.OsPath;
import slipway.tree.ContentStore;
import slipway.tree.FileTree;
import slipway.tree.Metadata;

/** Writes to a repository that become visible together. */
public final class Transaction implements ContentStore, AutoCloseable {
  private Transaction() {}

  @Override
  public ObjectContent store(OsPath path, Metadata metadata, long size, InputStream in)
      throws IOException {
    throw new AssertionError();
  }

  public TreeRoot writeTree(FileTree tree) throws IOException {
    throw new AssertionError();
  }

  public Checksum writeCommit(CommitSpec spec) throws IOException {
    throw new AssertionError();
  }

  /** Sets a ref when the transaction is committed, or removes it when {@code commit} is null. */
  public void setRef(String ref, @Nullable Checksum commit) {
    throw new AssertionError();
  }

  public void commit() throws IOException {
    throw new AssertionError();
  }

  @Override
  public void close() throws IOException {
    throw new AssertionError();
  }
}
