package slipway.oci.transport;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.oci.copy.ImageSink;
import slipway.oci.copy.ImageSource;
import slipway.oci.layout.OciLayout;
import slipway.oci.model.Reference;
import slipway.oci.podman.PodmanSource;
import slipway.oci.registry.RegistryClient;
import slipway.oci.registry.RegistryOptions;

/**
 * Where an image lies, in the notation of containers-transports(5): {@code docker://HOST/NAME:TAG}
 * (or {@code registry:HOST/NAME:TAG}), {@code oci:DIR[:NAME]}, {@code oci-archive:FILE[:NAME]},
 * {@code docker-archive:FILE[:NAME]}, {@code dir:DIR}, and for reading {@code
 * containers-storage:NAME}.
 */
public sealed interface TransportRef {
  /** In a registry. */
  record Registry(Reference reference) implements TransportRef {
    @Override
    public String toString() {
      return "docker://" + reference;
    }
  }

  /** In a directory with an OCI image layout. */
  record Layout(Path path, @Nullable String name) implements TransportRef {
    @Override
    public String toString() {
      return "oci:" + path + suffix(name);
    }
  }

  /** In a tar of such a directory. */
  record Archive(Path path, @Nullable String name) implements TransportRef {
    @Override
    public String toString() {
      return "oci-archive:" + path + suffix(name);
    }
  }

  /** In a tar of docker save. */
  record Docker(Path path, @Nullable String name) implements TransportRef {
    @Override
    public String toString() {
      return "docker-archive:" + path + suffix(name);
    }
  }

  /** In a directory of skopeo's own kind. */
  record Directory(Path path) implements TransportRef {
    @Override
    public String toString() {
      return "dir:" + path;
    }
  }

  /** In podman's store, for reading. */
  record Podman(String name) implements TransportRef {
    @Override
    public String toString() {
      return "containers-storage:" + name;
    }
  }

  /** The same place, found from any folder. */
  default TransportRef absolute() {
    return switch (this) {
      case Layout l -> new Layout(absolute(l.path()), l.name());
      case Archive a -> new Archive(absolute(a.path()), a.name());
      case Docker d -> new Docker(absolute(d.path()), d.name());
      case Directory d -> new Directory(absolute(d.path()));
      case Registry r -> r;
      case Podman p -> p;
    };
  }

  /** Beyond a link {@code ..} is another folder than the text says, so that it stays. */
  private static Path absolute(Path path) {
    Path absolute = path.toAbsolutePath();
    for (Path name : absolute) {
      if (name.toString().equals("..")) {
        return absolute;
      }
    }
    return absolute.normalize();
  }

  private static String suffix(@Nullable String name) {
    return name == null ? "" : ":" + name;
  }

  /** The files or folders of this machine that the image lies in; none for a registry's. */
  default List<Path> places() throws IOException {
    return switch (this) {
      case Layout l -> List.of(l.path());
      case Archive a -> List.of(a.path());
      case Docker d -> List.of(d.path());
      case Directory d -> List.of(d.path());
      case Registry r -> List.of();
      case Podman p -> PodmanSource.stores(p.name());
    };
  }

  /** Whether a text begins with a transport that {@link #parse} knows. */
  static boolean hasTransport(String text) {
    return text.matches(
        "(docker://|(registry|oci|oci-archive|docker-archive|dir|containers-storage):).*");
  }

  /**
   * @throws Problem of kind USAGE for another transport or a place that is missing
   */
  static TransportRef parse(String text) {
    int colon = text.indexOf(':');
    String transport = colon < 0 ? "" : text.substring(0, colon);
    String rest = text.substring(colon + 1);
    return switch (transport) {
      case "docker" -> {
        if (!rest.startsWith("//")) {
          throw unknown(text);
        }
        yield new Registry(Reference.parse(rest.substring(2)).orLatest());
      }
      case "registry" -> new Registry(Reference.parse(rest).orLatest());
      case "oci" -> new Layout(path(rest, text), name(rest));
      case "oci-archive" -> new Archive(path(rest, text), name(rest));
      case "docker-archive" -> new Docker(path(rest, text), name(rest));
      case "dir" -> new Directory(whole(rest, text));
      case "containers-storage" -> {
        if (rest.isEmpty()) {
          throw Problem.usage("\"" + text + "\" names no image");
        }
        yield new Podman(rest);
      }
      default -> throw unknown(text);
    };
  }

  private static Problem unknown(String text) {
    return Problem.usage(
        "\""
            + text
            + "\" does not begin with docker://, registry:, oci:, oci-archive:, docker-archive:, dir: or"
            + " containers-storage:");
  }

  private static Path path(String rest, String text) {
    int colon = rest.indexOf(':');
    return whole(colon < 0 ? rest : rest.substring(0, colon), text);
  }

  private static Path whole(String path, String text) {
    if (path.isEmpty() || path.indexOf('\0') >= 0) {
      throw Problem.usage("\"" + text + "\" names no file or directory");
    }
    return Path.of(path);
  }

  private static @Nullable String name(String rest) {
    int colon = rest.indexOf(':');
    return colon < 0 || colon == rest.length() - 1 ? null : rest.substring(colon + 1);
  }

  /** Opens it for reading; null then selects the image that is meant. */
  default ImageSource source(RegistryOptions options) throws IOException {
    return switch (this) {
      case Registry r -> new RegistryClient(r.reference(), options);
      case Layout l -> OciLayout.open(l.path(), l.name());
      case Archive a -> OciArchive.source(a.path(), a.name());
      case Docker d -> DockerArchive.source(d.path(), d.name());
      case Directory d -> DirLayout.open(d.path());
      case Podman p -> PodmanSource.open(p.name());
    };
  }

  /** Opens it for writing; the copied image gets the name in here. */
  default ImageSink sink(RegistryOptions options) throws IOException {
    return switch (this) {
      case Registry r -> new RegistryClient(r.reference(), options);
      case Layout l -> OciLayout.create(l.path(), l.name());
      case Archive a -> OciArchive.sink(a.path(), a.name());
      case Docker d ->
          DockerArchive.sink(d.path(), d.name() == null ? null : Reference.parse(d.name()));
      case Directory d -> DirLayout.create(d.path());
      case Podman p ->
          throw Problem.usage(
              p + " is for reading only; write docker-archive:FILE and run podman load -i FILE");
    };
  }
}
