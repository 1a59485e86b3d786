package slipway.cli.system;

import java.io.IOException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.builder.cache.BuildStorage;
import slipway.cli.command.State;
import slipway.cli.image.ImagesCommand;
import slipway.cli.output.Table;
import slipway.cli.output.Terminal;
import slipway.cli.output.TerminalProgress;
import slipway.distro.BaseStorage;
import slipway.linux.process.DiskUse;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.oci.store.LocalStore;
import slipway.ostree.container.LayerCache;

/** {@code slipway system}: what is kept on the disk. */
@Command(
    name = "system",
    mixinStandardHelpOptions = true,
    description = "Show and free the space that images and builds take.",
    subcommands = {SystemCommand.Df.class, SystemCommand.Prune.class})
public final class SystemCommand implements Callable<Integer> {
  @Override
  public Integer call() {
    throw Problem.usage("which system command? there are: slipway system df, slipway system prune");
  }

  private static BuildStorage storage(State state) {
    return new BuildStorage(state.buildDirectory(), new SecureRandom());
  }

  /**
   * A line of {@code df}.
   *
   * @param active how many are in use: images by their names, the others by a build under way
   */
  public record Row(String type, int total, int active, long bytes, long reclaimable) {
    public String share() {
      long percent = bytes == 0 ? 0 : Math.round(100.0 * reclaimable / bytes);
      return TerminalProgress.bytes(reclaimable) + " (" + percent + "%)";
    }
  }

  /** {@code slipway system df}. */
  @Command(
      name = "df",
      mixinStandardHelpOptions = true,
      description = "Show the space that images and builds take.",
      footer = "slipway system df")
  static final class Df implements Callable<Integer> {
    @Mixin State state = new State();

    @Option(names = "--json", description = "print a JSON array")
    boolean json;

    @Option(names = "--format", paramLabel = "json", description = "as --json")
    @Nullable String format;

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws IOException {
      if (format != null && !format.equals("json")) {
        throw Problem.usage("--format takes json, not \"" + format + "\"");
      }
      BuildStorage.Usage usage = storage(state).usage();
      BaseStorage.Usage base = new BaseStorage(state.directory()).usage();
      LayerCache.Usage layers = new LayerCache(state.layersDirectory()).usage();
      List<Row> rows =
          List.of(
              images(),
              row("Build Cache", usage.snapshots(), usage.busy()),
              row("Cache Mounts", usage.mounts(), usage.busy()),
              row("Base Build", base.kept(), base.busy()),
              row("Disk Layers", layers.layers(), layers.busy()),
              row("Set Aside", usage.aside(), false));
      var out = spec.commandLine().getOut();
      if (json || format != null) {
        out.println(SystemJson.usage(rows));
        return 0;
      }
      Table table = new Table("TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE");
      for (Row r : rows) {
        table.row(
            r.type(),
            String.valueOf(r.total()),
            String.valueOf(r.active()),
            TerminalProgress.bytes(r.bytes()),
            r.share());
      }
      out.print(table);
      out.flush();
      return 0;
    }

    private static Row row(String type, DiskUse share, boolean busy) {
      return new Row(
          type, share.count(), busy ? share.count() : 0, share.bytes(), busy ? 0 : share.bytes());
    }

    /** Each blob counts once, however many images have it. */
    private Row images() {
      try (LocalStore store = state.storeIfAny(spec).orElse(null)) {
        if (store == null) {
          return new Row("Images", 0, 0, 0, 0);
        }
        Map<Digest, Long> named = new HashMap<>();
        Set<Digest> active = new HashSet<>();
        for (LocalStore.Named image : store.list()) {
          active.add(image.manifest().digest());
          add(store, image.manifest(), named, 0);
        }
        Map<Digest, Long> all = new HashMap<>(named);
        Set<Digest> total = new HashSet<>(active);
        for (Manifest image : store.unnamed()) {
          total.add(image.digest());
          add(store, image, all, 0);
        }
        long bytes = sum(all);
        return new Row("Images", total.size(), active.size(), bytes, bytes - sum(named));
      }
    }

    private static void add(
        LocalStore store, Manifest manifest, Map<Digest, Long> blobs, int depth) {
      Descriptor self = manifest.descriptor();
      if (depth > 4 || blobs.put(self.digest(), self.size()) != null) {
        return;
      }
      switch (manifest) {
        case Manifest.Image image -> {
          blobs.put(image.config().digest(), image.config().size());
          image.layers().forEach(l -> blobs.put(l.digest(), l.size()));
        }
        case Manifest.Index index -> {
          for (Descriptor child : index.manifests()) {
            if (store.has(child.digest())) {
              addChild(store, child.digest(), blobs, depth + 1);
            }
          }
        }
      }
    }

    private static void addChild(
        LocalStore store, Digest digest, Map<Digest, Long> blobs, int depth) {
      try {
        add(store, store.manifest(digest), blobs, depth);
      } catch (Problem e) {
        // Damaged, which images and rmi tell; its size is not known then.
        blobs.put(digest, 0L);
      }
    }

    private static long sum(Map<Digest, Long> blobs) {
      return blobs.values().stream().mapToLong(Long::longValue).sum();
    }
  }

  /** {@code slipway system prune}. */
  @Command(
      name = "prune",
      mixinStandardHelpOptions = true,
      description = "Remove images without a name and what builds keep to be faster.",
      footer = {"slipway system prune", "slipway system prune --all --force --filter until=24h"})
  static final class Prune implements Callable<Integer> {
    private static final Pattern DURATION = Pattern.compile("([0-9]{1,9}[hms])+");

    @Mixin State state = new State();

    @Option(
        names = {"-a", "--all"},
        description = "the directories of RUN --mount=type=cache as well")
    boolean all;

    @Option(
        names = {"-f", "--force"},
        description = "do not ask")
    boolean force;

    @Option(
        names = "--filter",
        paramLabel = "until=TIME",
        description =
            "only what builds did not use since TIME: a duration such as 24h, or 2026-01-31T12:00:00Z;"
                + " images stay")
    List<String> filters = List.of();

    @Option(names = "--json", description = "print what was removed as JSON; does not ask")
    boolean json;

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws IOException {
      Instant until = until();
      var out = spec.commandLine().getOut();
      if (!force && !json && !confirmed(until)) {
        return 0;
      }
      Progress progress = TerminalProgress.forStderr(System.err, json);
      DiskUse.Removed builds;
      DiskUse.Removed bases;
      DiskUse.Removed layers;
      LocalStore.Pruned images = null;
      try (LocalStore store = state.storeIfAny(spec).orElse(null)) {
        builds = storage(state).prune(until, all, progress);
        bases = new BaseStorage(state.directory()).prune(until, progress);
        layers = new LayerCache(state.layersDirectory()).prune(until, progress);
        if (store != null && until == null) {
          images = store.prune();
          ImagesCommand.warn(images.damaged(), spec);
        }
      } finally {
        TerminalProgress.finish(progress);
      }
      if (builds.busy() || bases.busy() || layers.busy() || images != null && images.busy()) {
        throw Problem.environment(
            "a build or another command uses the store, so not all was removed; try again when it"
                + " is done");
      }
      int blobs = images == null ? 0 : images.blobs();
      int parts = builds.count() + bases.count() + layers.count();
      long bytes =
          builds.bytes() + bases.bytes() + layers.bytes() + (images == null ? 0 : images.bytes());
      if (json) {
        out.println(SystemJson.pruned(blobs, parts, bytes));
      } else {
        out.println("Deleted: " + blobs + " blobs of images, " + parts + " parts of builds");
        out.println("Total reclaimed space: " + TerminalProgress.bytes(bytes));
      }
      return 0;
    }

    private boolean confirmed(@Nullable Instant until) throws IOException {
      if (!Terminal.stdinIsTerminal()) {
        throw Problem.usage(
            "system prune asks before it removes, and standard input is not a terminal;"
                + " give --force");
      }
      var out = spec.commandLine().getOut();
      out.println("WARNING! This command removes:");
      if (until == null) {
        out.println("        - all images without a name");
      }
      String since = until == null ? "" : " that no build used since " + until;
      out.println("        - the build cache" + since);
      out.println(
          "        - packages and agents that builds of base images keep"
              + (until == null ? "" : " that are older than " + until));
      out.println(
          "        - layers of images that builds of disks keep"
              + (until == null ? "" : " that none used since " + until));
      if (all) {
        out.println("        - directories of RUN --mount=type=cache" + since);
      }
      out.println();
      return Terminal.confirms(out);
    }

    private @Nullable Instant until() {
      Instant until = null;
      for (String filter : filters) {
        if (!filter.startsWith("until=")) {
          throw Problem.usage("--filter takes until=TIME, not \"" + filter + "\"");
        }
        until = time(filter.substring("until=".length()));
      }
      return until;
    }

    private static Instant time(String text) {
      try {
        return DURATION.matcher(text).matches()
            ? Instant.now().minus(Duration.parse("PT" + text.toUpperCase(Locale.ROOT)))
            : Instant.parse(text);
      } catch (DateTimeParseException | ArithmeticException e) {
        throw new Problem(
            Problem.Kind.USAGE,
            "--filter until is a duration such as 24h or 1h30m, or a time such as"
                + " 2026-01-31T12:00:00Z, not \""
                + text
                + "\"",
            e);
      }
    }
  }
}
