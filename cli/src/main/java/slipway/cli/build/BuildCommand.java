package slipway.cli.build;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import slipway.archive.compress.Compression;
import slipway.base.AtomicFile;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.builder.engine.Builder;
import slipway.builder.session.BuildRequest;
import slipway.builder.session.BuildRequestBuilder;
import slipway.builder.session.ImagePuller;
import slipway.cli.command.State;
import slipway.cli.image.RegistryAccess;
import slipway.cli.output.OutputFile;
import slipway.cli.output.TerminalProgress;
import slipway.config.registries.Registries;
import slipway.linux.posix.Posix;
import slipway.oci.copy.ImageSink;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.Transfer;
import slipway.oci.model.Manifest;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;
import slipway.oci.store.LocalStore;

/** {@code slipway build}: podman build's options. */
@Command(
    name = "build",
    mixinStandardHelpOptions = true,
    description = "Build an image from a Containerfile; needs root.",
    footer = {
      "slipway build -t localhost/web:1 .",
      "slipway build -f web.containerfile --build-arg VERSION=2 -t web:2 src"
    })
public final class BuildCommand implements Callable<Integer> {
  private static final Set<String> ALLOWED = Set.of("security.insecure", "onbuild");

  @Mixin State state = new State();
  @Mixin RegistryAccess access = new RegistryAccess();
  @Mixin RunOptions run = new RunOptions();

  @Option(
      names = {"-f", "--file"},
      paramLabel = "FILE",
      description =
          "Containerfile, also relative to the context, - for standard input"
              + " (default: CONTEXT/Containerfile, CONTEXT/Dockerfile)")
  @Nullable Path file;

  @Option(
      names = {"-t", "--tag"},
      paramLabel = "NAME",
      description = "name of the image; may be repeated")
  List<String> tags = List.of();

  @Option(
      names = "--build-arg",
      paramLabel = "NAME[=VALUE]",
      description = "value of an ARG; without VALUE that of the environment")
  List<String> arguments = List.of();

  @Option(names = "--no-cache", description = "do every step anew")
  boolean noCache;

  @Option(
      names = "--target",
      paramLabel = "STAGE",
      description = "the stage to build (default: the last)")
  @Nullable String target;

  @Option(
      names = "--platform",
      paramLabel = "OS/ARCH",
      description = "platform of the image (default: this machine's)")
  @Nullable String platform;

  @Option(
      names = "--pull",
      paramLabel = "missing|always|never",
      arity = "0..1",
      fallbackValue = "always",
      defaultValue = "missing",
      description = "when base images are fetched (default: ${DEFAULT-VALUE})")
  BuildRequest.Pull pullWhen = BuildRequest.Pull.MISSING;

  @Option(
      names = "--compression",
      paramLabel = "zstd|gzip|none",
      defaultValue = "zstd",
      description = "of new layers (default: ${DEFAULT-VALUE})")
  Compression compression = Compression.ZSTD;

  @Option(
      names = "--allow",
      paramLabel = "security.insecure|onbuild",
      description =
          "security.insecure: obey RUN --security=insecure, the command may do what root may;"
              + " onbuild: the ONBUILD of base images may ask for other images, downloads, secrets and"
              + " agents, and their variables may choose registries, servers, files of this machine,"
              + " secrets and agents, as a Containerfile may")
  List<String> allowed = List.of();

  @Option(
      names = "--secret",
      paramLabel = "id=ID[,src=FILE][,env=NAME]",
      description = "for RUN --mount=type=secret")
  List<String> secrets = List.of();

  @Option(
      names = "--ssh",
      paramLabel = "ID[=SOCKET]",
      description =
          "an ssh agent for RUN --mount=type=ssh (without SOCKET that of SSH_AUTH_SOCK);"
              + " may be repeated")
  List<String> agents = List.of();

  @Option(
      names = "--build-context",
      paramLabel = "NAME=DIR",
      description = "another tree for COPY --from")
  Map<String, Path> contexts = Map.of();

  @Option(names = "--label", paramLabel = "NAME=VALUE", description = "a label of the image")
  Map<String, String> labels = Map.of();

  @Option(
      names = "--annotation",
      paramLabel = "NAME=VALUE",
      description = "an annotation of the manifest")
  Map<String, String> annotations = Map.of();

  @Option(
      names = "--timestamp",
      paramLabel = "SECONDS",
      description = "time of the image and latest of its files (default: SOURCE_DATE_EPOCH)")
  @Nullable Long timestamp;

  @Option(
      names = "--jobs",
      paramLabel = "N",
      description = "steps at the same time (default: the number of processors)")
  int jobs = Runtime.getRuntime().availableProcessors();

  @Option(names = "--iidfile", paramLabel = "FILE", description = "write the image's id to a file")
  @Nullable Path idFile;

  @Option(
      names = {"-q", "--quiet"},
      description = "print the image's id only")
  boolean quiet;

  @Parameters(
      arity = "0..1",
      paramLabel = "CONTEXT",
      defaultValue = ".",
      description = "folder that COPY takes from (default: ${DEFAULT-VALUE})")
  Path context = Path.of(".");

  @Spec CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    var out = spec.commandLine().getOut();
    BuildRequest request = request();
    Path ids = idFile == null ? null : OutputFile.check(idFile, "--iidfile");
    if (Posix.geteuid() != 0) {
      throw Problem.denied("building images needs root: run it with sudo");
    }
    Progress progress = TerminalProgress.forStderr(System.err, quiet);
    Manifest.Image image;
    try (LocalStore store = state.store()) {
      Builder builder =
          new Builder(
              store,
              state.buildDirectory(),
              new Puller(),
              Clock.systemUTC(),
              System.getenv(),
              new SecureRandom(),
              access::web);
      image = builder.build(request, progress, quiet ? line -> {} : progress::output);
    } finally {
      TerminalProgress.finish(progress);
    }
    if (ids != null) {
      AtomicFile.write(ids, image.config().digest().toString());
    }
    out.println(quiet ? image.config().digest() : "Built " + name() + "  " + image.digest());
    return 0;
  }

  /** Fetches base images as {@code pull} does. */
  private final class Puller implements ImagePuller {
    private @Nullable Registries registries;

    private synchronized Registries registries() throws IOException {
      if (registries == null) {
        registries = access.registries();
      }
      return registries;
    }

    @Override
    public Reference resolve(String name) throws IOException {
      return registries().resolve(name);
    }

    @Override
    public Manifest pull(Reference reference, Platform wanted, ImageSink sink, Progress progress)
        throws IOException {
      if (reference.registry().equals(LocalStore.HOST)) {
        throw Problem.notFound(
            "no image " + reference + " in the local store; slipway images lists what is there");
      }
      try (ImageSource registry = registries().source(reference)) {
        return Transfer.copy(
            registry, reference.selector(), sink, null, Transfer.Options.of(wanted), progress);
      }
    }
  }

  private String name() {
    return tags.isEmpty() ? "an image without a name" : reference(tags.getFirst()).toString();
  }

  private static Reference reference(String tag) {
    return LocalStore.newName(tag);
  }

  private BuildRequest request() {
    BuildRequestBuilder draft =
        BuildRequest.of(context)
            .tags(tags.stream().map(BuildCommand::reference).toList())
            .arguments(values())
            .target(target)
            .platform(platform == null ? Platform.host() : Platform.parse(platform))
            .cache(!noCache)
            .pull(pullWhen)
            .compression(compression)
            .sourceDateEpoch(epoch())
            .network(run.network())
            .limits(run.limits())
            .secrets(SecretOption.parse(secrets))
            .agents(agentsById())
            .allowInsecure(allows("security.insecure"))
            .allowOnBuild(allows("onbuild"))
            .contexts(named("--build-context", contexts))
            .labels(named("--label", labels))
            .annotations(named("--annotation", annotations))
            .jobs(jobs);
    return (file == null ? draft : draft.file(containerfile(file))).build();
  }

  /** As podman finds it: standard input, a path, or one in the context. */
  private Path containerfile(Path named) {
    if (named.toString().equals("-")) {
      return Path.of("/dev/stdin");
    }
    Path inContext = context.resolve(named);
    return !Files.exists(named) && Files.exists(inContext, LinkOption.NOFOLLOW_LINKS)
        ? inContext
        : named;
  }

  private boolean allows(String what) {
    for (String given : allowed) {
      if (!ALLOWED.contains(given)) {
        throw Problem.usage("--allow takes security.insecure or onbuild, not \"" + given + "\"");
      }
    }
    return allowed.contains(what);
  }

  private Map<String, Path> agentsById() {
    Map<String, Path> all = new LinkedHashMap<>();
    for (String text : agents) {
      int equals = text.indexOf('=');
      String id = equals < 0 ? text : text.substring(0, equals);
      String socket = equals < 0 ? System.getenv("SSH_AUTH_SOCK") : text.substring(equals + 1);
      if (id.isEmpty() || socket == null || socket.isEmpty()) {
        throw Problem.usage(
            "--ssh \""
                + text
                + "\" names no agent; expected ID=SOCKET, or ID with SSH_AUTH_SOCK set");
      }
      all.put(id, Path.of(socket).toAbsolutePath());
    }
    return all;
  }

  private @Nullable Long epoch() {
    Instant variable = timestamp == null ? Epoch.ofEnvironment() : null;
    return variable == null ? timestamp : Long.valueOf(variable.getEpochSecond());
  }

  private Map<String, String> values() {
    Map<String, String> values = new LinkedHashMap<>();
    for (String argument : arguments) {
      int equals = argument.indexOf('=');
      String name = equals < 0 ? argument : argument.substring(0, equals);
      String value = equals < 0 ? System.getenv(name) : argument.substring(equals + 1);
      if (name.isEmpty()) {
        throw Problem.usage("--build-arg \"" + argument + "\" has no name");
      }
      if (value != null) {
        values.put(name, value);
      }
    }
    return values;
  }

  /** An empty name, such as an unset variable of a shell leaves, is nobody's wish. */
  private static <V> Map<String, V> named(String option, Map<String, V> given) {
    if (given.containsKey("")) {
      throw Problem.usage(option + " \"=" + given.get("") + "\" has no name before the =");
    }
    return given;
  }
}
