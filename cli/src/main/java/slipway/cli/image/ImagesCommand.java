package slipway.cli.image;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import slipway.base.Printable;
import slipway.cli.command.State;
import slipway.cli.output.Table;
import slipway.cli.output.TerminalProgress;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Manifest;
import slipway.oci.model.Reference;
import slipway.oci.store.LocalStore;

/** {@code slipway images}: what the local store holds, newest first. */
@Command(
    name = "images",
    mixinStandardHelpOptions = true,
    description = "List images.",
    footer = "slipway images --json")
public final class ImagesCommand implements Callable<Integer> {
  /** podman's word for a name or tag that is not there. */
  private static final String NONE = "<none>";

  @Mixin State state = new State();

  /**
   * A line.
   *
   * @param name null for an image without one
   */
  public record Row(@Nullable Reference name, Manifest manifest, @Nullable Instant created) {}

  @Option(
      names = {"-a", "--all"},
      description = "as without it: steps of builds are no images here")
  boolean all;

  @Option(names = "--json", description = "print a JSON array")
  boolean json;

  @Option(
      names = {"-q", "--quiet"},
      description = "print ids only")
  boolean quiet;

  @Spec CommandSpec spec;

  @Override
  public Integer call() {
    LocalStore.Listing listing = new LocalStore.Listing(List.of(), List.of());
    List<Row> images = new ArrayList<>();
    try (LocalStore store = state.storeIfAny(spec).orElse(null)) {
      if (store != null) {
        listing = store.listing();
        images = rows(store, listing);
      }
    }
    images.sort((a, b) -> created(b).compareTo(created(a)));
    var out = spec.commandLine().getOut();
    if (json) {
      out.println(ImageJson.images(images, listing.damaged()));
    } else if (quiet) {
      images.stream().map(i -> id(i.manifest())).distinct().forEach(out::println);
    } else {
      Table table = new Table("REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE");
      for (Row image : images) {
        Reference name = image.name();
        table.row(
            name == null ? NONE : name.name(),
            name == null || name.tag() == null ? NONE : name.tag(),
            id(image.manifest()),
            image.created() == null ? "" : ago(image.created(), Instant.now()),
            TerminalProgress.bytes(size(image.manifest())));
      }
      out.print(table);
      out.flush();
    }
    warn(listing.damaged(), spec);
    return 0;
  }

  private static List<Row> rows(LocalStore store, LocalStore.Listing listing) {
    List<Row> rows = new ArrayList<>();
    for (LocalStore.Named i : shown(listing.images())) {
      rows.add(new Row(i.name(), store.complete(i.manifest()), i.created()));
    }
    for (Manifest unnamed : store.unnamed()) {
      rows.add(new Row(null, store.complete(unnamed), store.created(unnamed)));
    }
    return rows;
  }

  /** A name by digest says nothing new beside a tag of the same repository for the same image. */
  private static List<LocalStore.Named> shown(List<LocalStore.Named> all) {
    Set<String> tagged =
        all.stream()
            .filter(i -> i.name().tag() != null)
            .map(i -> i.name().name() + "@" + i.manifest().digest())
            .collect(Collectors.toSet());
    return all.stream()
        .filter(i -> i.name().tag() != null || !tagged.contains(i.name().toString()))
        .toList();
  }

  /** Tells each damaged image, with what to do. */
  public static void warn(List<LocalStore.Damaged> damaged, CommandSpec spec) {
    for (LocalStore.Damaged d : damaged) {
      spec.commandLine()
          .getErr()
          .println(
              Printable.text(
                  "warning: image %s is damaged: %s; pull it again, or remove it: slipway rmi %s"
                      .formatted(d.name(), d.why(), d.name())));
    }
  }

  private static Instant created(Row image) {
    Instant created = image.created();
    return created == null ? Instant.EPOCH : created;
  }

  /** What podman shows as the image's id: the digest of the config, abbreviated. */
  public static String id(Manifest manifest) {
    return switch (manifest) {
      case Manifest.Image image -> image.config().digest().brief();
      case Manifest.Index index -> index.digest().brief();
    };
  }

  /** Bytes of all blobs as they are stored. */
  public static long size(Manifest manifest) {
    return switch (manifest) {
      case Manifest.Image image ->
          image.config().size() + image.layers().stream().mapToLong(Descriptor::size).sum();
      case Manifest.Index index -> index.manifests().stream().mapToLong(Descriptor::size).sum();
    };
  }

  public static String ago(Instant then, Instant now) {
    long seconds = Math.max(0, Duration.between(then, now).toSeconds());
    if (seconds < 120) {
      return seconds + " seconds ago";
    }
    if (seconds < 2 * 3600) {
      return seconds / 60 + " minutes ago";
    }
    return seconds < 48 * 3600 ? seconds / 3600 + " hours ago" : seconds / 86400 + " days ago";
  }
}
