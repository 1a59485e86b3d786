package slipway.cli.disk;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.host.status.BoundImages;
import slipway.iso.Companions;
import slipway.oci.model.Digest;
import slipway.oci.model.Reference;
import slipway.oci.store.LocalStore;
import slipway.tree.FileTree;

/**
 * Images that go along on an installer: those that are asked for, and those of applications that
 * are bound to the image, as far as they are here.
 */
final class AlongImages implements Companions {
  /** Finds an image. */
  @FunctionalInterface
  interface Opener {
    /**
     * @throws Problem of kind NOT_FOUND when there is none of that name
     */
    BuilderImage open(String name) throws IOException;
  }

  private final Map<String, String> asked = new LinkedHashMap<>();
  private final boolean takesBound;
  private final Opener opener;
  private final Progress progress;

  /**
   * @param asked names, as the user gave them; on the medium they have their registry, for a
   *     machine may follow them
   * @param takesBound whether bound images go along
   */
  AlongImages(List<String> asked, boolean takesBound, Opener opener, Progress progress) {
    for (String name : asked) {
      this.asked.put(LocalStore.localName(name).orLatest().toString(), name);
    }
    this.takesBound = takesBound;
    this.opener = opener;
    this.progress = progress;
  }

  @Override
  public List<String> names(FileTree image) throws IOException {
    Map<String, String> names = new LinkedHashMap<>(asked);
    for (String name : asked.values()) {
      // Now, and not when all the rest is made.
      opener.open(name).close();
    }
    for (String bound : takesBound ? BoundImages.of(image) : List.<String>of()) {
      if (!names.containsKey(bound) && isHere(bound)) {
        names.put(bound, bound);
      }
    }
    return List.copyOf(names.keySet());
  }

  private boolean isHere(String bound) throws IOException {
    String lack;
    try (BuilderImage here = opener.open(bound)) {
      Digest wanted = Reference.parse(bound).digest();
      if (wanted == null
          || wanted.equals(here.named().digest())
          || wanted.equals(here.manifest().digest())) {
        return true;
      }
      lack = "is here under another digest";
    } catch (Problem e) {
      // An image for other machines is INPUT.
      if (e.kind() != Problem.Kind.NOT_FOUND && e.kind() != Problem.Kind.INPUT) {
        throw e;
      }
      lack = e.kind() == Problem.Kind.INPUT ? "is here for other machines" : "is not here";
    }
    progress.note(
        "the bound image %s %s, and so not on board: what is installed fetches it with its next upgrade"
            .formatted(Printable.text(bound), lack));
    return false;
  }

  @Override
  public Companion open(String name) throws IOException {
    return opener.open(asked.getOrDefault(name, name));
  }
}
