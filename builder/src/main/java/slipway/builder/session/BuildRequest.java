package slipway.builder.session;

import io.soabase.recordbuilder.core.RecordBuilder;
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
@RecordBuilder
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
  public static BuildRequestBuilder of(Path context) {
    Path usual = context.resolve("Containerfile");
    // One that is a link to nowhere is told, not passed over.
    boolean there = Files.exists(usual, LinkOption.NOFOLLOW_LINKS);
    return BuildRequestBuilder.builder()
        .context(context)
        .file(there ? usual : context.resolve("Dockerfile"))
        .tags(List.of())
        .arguments(Map.of())
        .platform(Platform.host())
        .cache(true)
        .pull(Pull.MISSING)
        .compression(Compression.ZSTD)
        .network(RunNetwork.PRIVATE)
        .limits(RunLimits.USUAL)
        .secrets(Map.of())
        .agents(Map.of())
        .contexts(Map.of())
        .labels(Map.of())
        .annotations(Map.of())
        .jobs(Runtime.getRuntime().availableProcessors());
  }
}
