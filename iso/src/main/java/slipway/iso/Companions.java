package slipway.iso;

import java.io.IOException;
import java.util.List;
import slipway.oci.copy.ImageSource;
import slipway.oci.model.Manifest;
import slipway.tree.FileTree;

/** Images that go along beside the one that is installed. */
public interface Companions {
  /**
   * Their names, each once, in the order in which they are copied.
   *
   * @param image files of the image that is installed, which may say more than the user
   */
  List<String> names(FileTree image) throws IOException;

  /**
   * Opens one.
   *
   * @throws slipway.base.Problem of kind NOT_FOUND when there is none of that name
   */
  Companion open(String name) throws IOException;

  /** An image that is open to be copied. */
  interface Companion extends AutoCloseable {
    ImageSource source();

    /** What its name leads to: the image, or an index that has it. */
    Manifest named();

    @Override
    void close() throws IOException;
  }
}
