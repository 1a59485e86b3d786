package slipway.cli.image;

import java.io.PrintWriter;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.cli.command.State;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.oci.store.LocalStore;

/** {@code slipway rmi NAME…}: removes names, and then what no name reaches any more. */
@Command(
    name = "rmi",
    mixinStandardHelpOptions = true,
    description = "Remove images by name or id, and what nothing names then.",
    footer = "slipway rmi localhost/web:1")
public final class RmiCommand implements Callable<Integer> {
  @Mixin State state = new State();

  @Option(
      names = {"-a", "--all"},
      description = "remove every image")
  boolean all;

  @Option(
      names = {"-f", "--force"},
      description = "do not fail for a name that does not exist")
  boolean force;

  @Parameters(arity = "0..*", paramLabel = "IMAGE", description = "name or id")
  List<String> names = List.of();

  @Spec CommandSpec spec;

  @Override
  public Integer call() {
    if (names.isEmpty() != all) {
      throw Problem.usage("name the images to remove, or give --all alone");
    }
    var out = spec.commandLine().getOut();
    try (LocalStore store = store()) {
      if (store == null) {
        return 0;
      }
      List<LocalStore.Name> list = store.names();
      if (all) {
        list.forEach(name -> remove(store, name, out));
      }
      for (String name : names) {
        List<LocalStore.Name> found = matching(store, list, name);
        if (found.isEmpty() && !removeUnnamed(store, name, out) && !force) {
          throw State.missing(name);
        }
        found.forEach(image -> remove(store, image, out));
      }
      // As with podman, images without a name stay unless they are meant.
      ImagesCommand.warn((all ? store.prune() : store.sweep()).damaged(), spec);
    }
    return 0;
  }

  /** Null when there is nothing to remove from, and nobody minds. */
  private @Nullable LocalStore store() {
    return all || force ? state.storeIfAny(spec).orElse(null) : state.storeWith(names.getFirst());
  }

  /** A name means itself; an id means all names of that image. */
  private static List<LocalStore.Name> matching(
      LocalStore store, List<LocalStore.Name> list, String name) {
    List<LocalStore.Name> exact =
        list.stream()
            .filter(n -> n.text().equals(name) || n.text().equals(complete(name)))
            .toList();
    if (!exact.isEmpty()) {
      return exact;
    }
    return store
        .find(name)
        .map(manifest -> list.stream().filter(n -> means(store, n.manifest(), manifest)).toList())
        .orElse(List.of());
  }

  /** By its id, an image that has no name. */
  private static boolean removeUnnamed(LocalStore store, String id, PrintWriter out) {
    Optional<Manifest> found = store.find(id);
    boolean removed = found.isPresent() && store.untag(found.get().digest());
    if (removed) {
      out.println("Deleted: " + found.get().digest());
    }
    return removed;
  }

  /** Also of an index that is here for one platform: {@code images} shows the id of its image. */
  private static boolean means(LocalStore store, @Nullable Digest named, Manifest image) {
    if (named == null || named.equals(image.digest())) {
      return named != null;
    }
    try {
      return store.complete(store.manifest(named)).equals(image);
    } catch (Problem e) {
      return false; // Damaged: it is removed by its name.
    }
  }

  private static String complete(String name) {
    try {
      return LocalStore.stored(LocalStore.localName(name)).toString();
    } catch (Problem e) {
      return name; // An id.
    }
  }

  private static void remove(LocalStore store, LocalStore.Name name, PrintWriter out) {
    if (store.untag(name.text())) {
      out.println("Untagged: " + Printable.text(name.text()));
    }
  }
}
