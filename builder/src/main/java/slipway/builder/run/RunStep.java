package slipway.builder.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import slipway.base.FullDisk;
import slipway.base.Problem;
import slipway.builder.cache.CacheKey;
import slipway.builder.files.IgnoreRules;
import slipway.builder.language.Containerfile.Stage;
import slipway.builder.language.Expander;
import slipway.builder.language.Heredoc;
import slipway.builder.language.Instruction;
import slipway.builder.language.LineReader;
import slipway.builder.language.RunMount;
import slipway.builder.session.BuildSession;
import slipway.builder.session.SourceTree;
import slipway.builder.session.StepExecutor;
import slipway.container.ContainerMount;
import slipway.container.ContainerSpec;
import slipway.container.OverlayMount;
import slipway.container.RunNetwork;
import slipway.container.StubLayer;
import slipway.linux.mount.Mounts;
import slipway.linux.posix.OsPath;
import slipway.system.accounts.ImageAccounts;

/** A RUN: a command in a container over the layers so far. */
public final class RunStep {
  /** The variable PATH of commands when the image sets none. */
  public static final String DEFAULT_PATH =
      "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

  private static final Set<String> PROXIES =
      Set.of("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY");
  private static final int TEXT_IN_MESSAGES = 200;

  private final BuildSession session;
  private final Stage stage;
  private final Instruction.Run run;
  private final Surroundings image;
  private final StageNetwork stageNetwork;
  private final List<RunMount> mounts = new ArrayList<>();
  private final String text;
  private final String inputs;

  /**
   * What the image so far and the stage say of commands.
   *
   * @param directory the working directory, an absolute path
   * @param shell what a command that is no list is given to
   * @param user as USER has it, or null for root
   * @param env the image's variables
   * @param arguments the ARGs that the command sees
   */
  public record Surroundings(
      String directory,
      List<String> shell,
      @Nullable String user,
      Map<String, String> env,
      Map<String, String> arguments) {}

  /**
   * @param stageNetwork used when the command may have the network that its stage has
   */
  public RunStep(
      BuildSession session,
      Stage stage,
      Instruction.Run run,
      Expander expander,
      Surroundings image,
      StageNetwork stageNetwork)
      throws IOException, InterruptedException {
    this.session = session;
    this.stage = stage;
    this.run = run;
    this.image = image;
    this.stageNetwork = stageNetwork;
    for (String mount : run.mounts()) {
      mounts.add(RunMount.parse(mount, run.at(), expander.at(run.at())));
    }
    this.text = describe();
    this.inputs = digest();
  }

  private String describe() {
    StringBuilder all = new StringBuilder("RUN");
    Map<String, String> counted = new LinkedHashMap<>(image.arguments());
    counted.keySet().removeIf(RunStep::isProxy);
    if (!counted.isEmpty()) {
      all.append(" |").append(counted.size());
      counted.forEach((name, value) -> all.append(' ').append(name).append('=').append(value));
    }
    run.mounts().forEach(m -> all.append(" --mount=").append(m));
    if (!run.network().equals("default")) {
      all.append(" --network=").append(run.network());
    }
    if (run.security().equals("insecure")) {
      all.append(" --security=insecure");
    }
    for (String word : run.command().argv(image.shell())) {
      all.append(' ').append(word);
    }
    for (Heredoc h : run.line().heredocs()) {
      all.append('\n').append(h.text()).append(h.name());
    }
    return all.toString();
  }

  /**
   * What decides the outcome, each list with its bounds: words that {@link #describe} joins are two
   * or one here. What mounts bring in counts like what COPY brings in; caches and secrets do not.
   */
  private String digest() throws IOException, InterruptedException {
    List<String> counted = new ArrayList<>();
    image
        .arguments()
        .forEach(
            (name, value) -> {
              if (!isProxy(name)) {
                counted.addAll(List.of(name, value));
              }
            });
    List<String> documents = new ArrayList<>();
    run.line().heredocs().forEach(h -> documents.addAll(List.of(h.name(), h.text())));
    List<String> parts =
        new ArrayList<>(
            List.of(
                image.directory(),
                CacheKey.of(counted),
                CacheKey.of(run.mounts()),
                CacheKey.of(run.command().argv(image.shell())),
                CacheKey.of(documents)));
    for (RunMount m : mounts) {
      if (m.type() == RunMount.Type.BIND) {
        try (SourceTree tree = SourceTree.of(session, stage, m.from(), run.at())) {
          parts.add(
              tree.digest(
                  List.of(m.source()), IgnoreRules.NONE, List.of(), "RUN --mount", run.at()));
        }
      } else if (m.from() != null) {
        // Waited for before the step takes one of the places for steps, which that stage needs too.
        SourceTree.of(session, stage, m.from(), run.at()).close();
      }
    }
    return CacheKey.of(parts);
  }

  /** For the history and the key. */
  public String text() {
    return text;
  }

  /** The digest of what decides the outcome beside the image and the text. */
  public String inputs() {
    return inputs;
  }

  /** Carries it out, as {@link StepExecutor.Action} says. */
  public void apply(List<Path> lowers, Path upper, Path scratch) throws Exception {
    if (run.security().equals("insecure") && !session.request().allowInsecure()) {
      throw run.at()
          .problem("RUN --security=insecure is refused; allow it with --allow security.insecure");
    }
    try (RunMounts prepared = new RunMounts(session, stage, run.at(), image.directory(), scratch)) {
      prepared.prepare(mounts);
      List<String> argv = command(prepared);
      ContainerSpec.Network network =
          prepared.network(network(), stageNetwork, run.security().equals("insecure"));
      Path stub = Files.createDirectory(scratch.resolve("stub"));
      ImageAccounts.Identity user;
      Path view = Files.createDirectory(scratch.resolve("view"));
      try (OverlayMount tree = OverlayMount.readOnly(lowers, view)) {
        user = ImageAccounts.of(tree.root()).identity(image.user(), run.at());
        StubLayer points = new StubLayer(tree.root(), stub);
        for (ContainerMount m : prepared.all()) {
          if (!m.target().startsWith("/dev/")) {
            points.add(m.target(), m.directory());
          }
        }
      }
      List<Path> all = new ArrayList<>(lowers);
      all.add(stub);
      try (OverlayMount tree = OverlayMount.writable(all, upper, scratch)) {
        start(tree.root(), argv, user, network, prepared);
      }
    }
  }

  private RunNetwork network() {
    return switch (run.network()) {
      case "none" -> RunNetwork.NONE;
      case "host" -> RunNetwork.HOST;
      default -> session.request().network();
    };
  }

  private void start(
      OsPath root,
      List<String> argv,
      ImageAccounts.Identity user,
      ContainerSpec.Network network,
      RunMounts prepared)
      throws IOException {
    String id = session.workspace().id() + "-" + session.newName().substring(0, 8);
    ContainerSpec spec =
        new ContainerSpec(
            root,
            argv,
            environment(user, prepared),
            image.directory(),
            user,
            network,
            run.security().equals("insecure"),
            prepared.own(),
            "/slipway-" + id,
            session.request().limits());
    int status;
    try {
      status =
          session
              .runtime()
              .run(
                  spec,
                  prepared.bundle(),
                  session.workspace().runtimeState(),
                  id,
                  session.output());
    } catch (Problem e) {
      if (Thread.currentThread().isInterrupted()) {
        throw e;
      }
      throw new Problem(e.kind(), run.at() + ": " + brief() + ": " + e.getMessage(), e);
    }
    if (status != 0) {
      String killed =
          status > 128 && status < 160 ? " (killed by signal " + (status - 128) + ")" : "";
      throw run.at().problem(brief() + " failed with status " + status + killed + why(root));
    }
  }

  /** A command that could not write seldom says that it was this machine's disk that is full. */
  private String why(OsPath root) throws IOException {
    return Mounts.isFull(root) ? ": " + FullDisk.ofState(session.root()) : "";
  }

  private String brief() {
    String line = run.line().text();
    return line.length() <= TEXT_IN_MESSAGES ? line : line.substring(0, TEXT_IN_MESSAGES) + "…";
  }

  /** The arguments, with inline documents where they belong. */
  private List<String> command(RunMounts prepared) throws IOException {
    List<Heredoc> documents = run.line().heredocs();
    if (documents.isEmpty()) {
      return run.command().argv(image.shell());
    }
    String written = run.command().words().getFirst();
    List<String> argv = new ArrayList<>(image.shell());
    if (LineReader.heredoc(written) == null) {
      StringBuilder script = new StringBuilder(written);
      documents.forEach(h -> script.append('\n').append(h.content()).append(h.name()));
      argv.add(script.toString());
      return argv;
    }
    Heredoc only = documents.getFirst();
    if (only.text().startsWith("#!")) {
      return List.of(prepared.script(only));
    }
    argv.add(only.text());
    return argv;
  }

  private List<String> environment(ImageAccounts.Identity user, RunMounts prepared) {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("PATH", DEFAULT_PATH);
    all.put("HOME", user.home());
    proxies(session.environment(), all);
    proxies(session.request().arguments(), all);
    all.putAll(image.arguments());
    all.putAll(image.env());
    all.putAll(prepared.environment());
    List<String> list = new ArrayList<>();
    all.forEach((name, value) -> list.add(name + "=" + value));
    return list;
  }

  /** Whether an argument is one of the proxies, which never count for the cache. */
  public static boolean isProxy(String name) {
    return PROXIES.contains(name.toUpperCase(Locale.ROOT));
  }

  private static void proxies(Map<String, String> from, Map<String, String> into) {
    from.forEach(
        (name, value) -> {
          if (isProxy(name)) {
            into.put(name, value);
          }
        });
  }
}
