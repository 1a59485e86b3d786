package slipway.builder.engine;

import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import slipway.archive.compress.Compression;
import slipway.base.Problem;
import slipway.container.RunLimits;
import slipway.container.RunNetwork;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;

/**
 * What to build; {@link #of} begins one.
 *
 * @param context the directory that COPY and ADD take from
 * @param file the Containerfile
 * @param tags names of the image; none is fine
 * @param arguments values for ARG
 * @param target the stage to build, by name or number, or null for the last
 * @param platform of the image
 * @param cache whether earlier results are used
 * @param pull when base images are fetched
 * @param compression of new layers
 * @param sourceDateEpoch seconds since the epoch: the time of the image and the latest of its
 *     files, so that the same inputs give the same digest; null for now
 * @param network of RUN commands that do not say
 * @param limits of each RUN
 * @param secrets what RUN --mount=type=secret can ask for, by id
 * @param agents sockets of ssh agents for RUN --mount=type=ssh, by id
 * @param contexts more trees for COPY --from and FROM, by name: directories
 * @param labels added to the image
 * @param annotations added to the manifest
 * @param jobs how many steps may run at the same time
 * @param allowInsecure whether {@code RUN --security=insecure} is obeyed
 * @param allowOnBuild whether the ONBUILD and the variables of base images may do what a
 *     Containerfile may
 */
public record BuildRequest(
    Path context,
    Path file,
    List<Reference> tags,
    Map<String, String> arguments,
    @Nullable String target,
    Platform platform,
    boolean cache,
    Pull pull,
    Compression compression,
    @Nullable Long sourceDateEpoch,
    RunNetwork network,
    RunLimits limits,
    Map<String, Secret> secrets,
    Map<String, Path> agents,
    Map<String, Path> contexts,
    Map<String, String> labels,
    Map<String, String> annotations,
    int jobs,
    boolean allowInsecure,
    boolean allowOnBuild) {
  /** When base images are fetched. */
  public enum Pull {
    /** When they are not in the store. */
    MISSING,
    /** Always, to get what their names stand for now. */
    ALWAYS,
    /** Not at all. */
    NEVER
  }

  /** A secret: read when a RUN asks for it, never written to a disk or into a layer. */
  @FunctionalInterface
  public interface Secret {
    byte[] read() throws java.io.IOException;
  }

  public BuildRequest {
    tags = List.copyOf(tags);
    arguments = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(arguments));
    secrets = Map.copyOf(secrets);
    agents = Map.copyOf(agents);
    contexts = Map.copyOf(contexts);
    labels = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(labels));
    annotations = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(annotations));
    if (jobs < 1) {
      throw Problem.usage("--jobs is at least 1");
    }
  }

  /**
   * Begins the build of a context with its {@code Containerfile}, or {@code Dockerfile} when there
   * is no such; for this machine, zstd layers, all else as little as possible.
   */
  public static Draft of(Path context) {
    return new Draft(context);
  }

  /** A request under way; what its methods mean stands at {@link BuildRequest}. */
  public static final class Draft {
    private final Path context;
    private Path file;
    private List<Reference> tags = List.of();
    private Map<String, String> arguments = Map.of();
    private @Nullable String target;
    private Platform platform = Platform.host();
    private boolean cache = true;
    private Pull pull = Pull.MISSING;
    private Compression compression = Compression.ZSTD;
    private @Nullable Long sourceDateEpoch;
    private RunNetwork network = RunNetwork.PRIVATE;
    private RunLimits limits = RunLimits.USUAL;
    private Map<String, Secret> secrets = Map.of();
    private Map<String, Path> agents = Map.of();
    private Map<String, Path> contexts = Map.of();
    private Map<String, String> labels = Map.of();
    private Map<String, String> annotations = Map.of();
    private int jobs = Runtime.getRuntime().availableProcessors();
    private boolean allowInsecure;
    private boolean allowOnBuild;

    private Draft(Path context) {
      this.context = context;
      Path usual = context.resolve("Containerfile");
      // One that is a link to nowhere is told, not passed over.
      this.file =
          Files.exists(usual, LinkOption.NOFOLLOW_LINKS) ? usual : context.resolve("Dockerfile");
    }

    public Draft file(Path value) {
      file = value;
      return this;
    }

    public Draft tags(List<Reference> value) {
      tags = value;
      return this;
    }

    public Draft arguments(Map<String, String> value) {
      arguments = value;
      return this;
    }

    public Draft target(@Nullable String value) {
      target = value;
      return this;
    }

    public Draft platform(Platform value) {
      platform = value;
      return this;
    }

    public Draft cache(boolean value) {
      cache = value;
      return this;
    }

    public Draft pull(Pull value) {
      pull = value;
      return this;
    }

    public Draft compression(Compression value) {
      compression = value;
      return this;
    }

    public Draft sourceDateEpoch(@Nullable Long value) {
      sourceDateEpoch = value;
      return this;
    }

    public Draft network(RunNetwork value) {
      network = value;
      return this;
    }

    public Draft limits(RunLimits value) {
      limits = value;
      return this;
    }

    public Draft secrets(Map<String, Secret> value) {
      secrets = value;
      return this;
    }

    public Draft agents(Map<String, Path> value) {
      agents = value;
      return this;
    }

    public Draft contexts(Map<String, Path> value) {
      contexts = value;
      return this;
    }

    public Draft labels(Map<String, String> value) {
      labels = value;
      return this;
    }

    public Draft annotations(Map<String, String> value) {
      annotations = value;
      return this;
    }

    public Draft jobs(int value) {
      jobs = value;
      return this;
    }

    public Draft allowInsecure(boolean value) {
      allowInsecure = value;
      return this;
    }

    public Draft allowOnBuild(boolean value) {
      allowOnBuild = value;
      return this;
    }

    public BuildRequest request() {
      return new BuildRequest(
          context,
          file,
          tags,
          arguments,
          target,
          platform,
          cache,
          pull,
          compression,
          sourceDateEpoch,
          network,
          limits,
          secrets,
          agents,
          contexts,
          labels,
          annotations,
          jobs,
          allowInsecure,
          allowOnBuild);
    }
  }
}
