package slipway.ostree;

import java.io.IOException;
import java.io.InputStream;
import slipway.tree.Content;

/** The content of a regular file in a repository. */
public final class ObjectContent implements Content {
  private ObjectContent() {}

  /** The object's name; waits until it has been written. */
  public Checksum checksum() {
    throw new AssertionError();
  }

  @Override
  public long size() {
    throw new AssertionError();
  }

  @Override
  public InputStream open() throws IOException {
    throw new AssertionError();
  }
}
