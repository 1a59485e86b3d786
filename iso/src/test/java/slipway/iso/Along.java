package slipway.iso;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import slipway.oci.copy.ImageSource;
import slipway.oci.model.Manifest;
import slipway.tree.FileTree;

/** Images that go along whatever the image says. */
record Along(Map<String, Opened> images) implements Companions {
  /** One that stays open. */
  record Opened(ImageSource source, Manifest named) implements Companion {
    @Override
    public void close() {}
  }

  @Override
  public List<String> names(FileTree image) {
    return List.copyOf(images.keySet());
  }

  @Override
  public Companion open(String name) {
    return Objects.requireNonNull(images.get(name));
  }
}
