package slipway.cli.disk;

import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.host.status.BoundImages;
import slipway.iso.Companions;
import slipway.tree.FileTree;

/**
 * Images that go along on an installer: those that are asked for, and those of applications that
 * are bound to the image, as far as they are here.
 *
 * @param asked names, as the user gave them
 * @param opener finds one by its name
 */
record AlongImages(List<String> asked, Opener opener, Progress progress) implements Companions {
  /** Finds an image. */
  @FunctionalInterface
  interface Opener {
    /**
     * @throws Problem of kind NOT_FOUND when there is none of that name
     */
    BuilderImage open(String name) throws IOException;
  }

  @Override
  public List<String> names(FileTree image) throws IOException {
    Set<String> names = new LinkedHashSet<>(asked);
    for (String bound : BoundImages.of(image)) {
      if (names.contains(bound)) {
        continue;
      }
      try (BuilderImage here = opener.open(bound)) {
        names.add(here.name());
      } catch (Problem e) {
        if (e.kind() != Problem.Kind.NOT_FOUND) {
          throw e;
        }
        progress.note(
            "the bound image %s is not here, and so not on board: what is installed fetches it with its next upgrade"
                .formatted(Printable.text(bound)));
      }
    }
    return List.copyOf(names);
  }

  @Override
  public Companion open(String name) throws IOException {
    return opener.open(name);
  }
}
