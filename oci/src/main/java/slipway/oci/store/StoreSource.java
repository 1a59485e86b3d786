package slipway.oci.store;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.oci.copy.ImageSource;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Manifest;

/** Reads a {@link LocalStore}; a selector is anything that {@link LocalStore#find} takes. */
final class StoreSource implements ImageSource {
  private final LocalStore store;

  StoreSource(LocalStore store) {
    this.store = store;
  }

  @Override
  public String describe() {
    return "store " + store.root();
  }

  @Override
  public Manifest manifest(@Nullable String selector) {
    if (selector != null) {
      return store
          .find(selector)
          .orElseThrow(
              () -> Problem.notFound("there is no image " + selector + " in " + store.root()));
    }
    List<LocalStore.Named> all = store.list();
    if (all.size() != 1) {
      throw Problem.input(
          "the store " + store.root() + " holds " + all.size() + " names; say which image");
    }
    return all.getFirst().manifest();
  }

  @Override
  public InputStream blob(Descriptor descriptor, long offset) throws IOException {
    return store.blobs().open(descriptor.digest(), offset);
  }
}
