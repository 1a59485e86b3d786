package slipway.builder.engine;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import slipway.base.Limit;
import slipway.base.Problem;
import slipway.builder.run.RunStep;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.ImageConfigBuilder;
import slipway.oci.model.OtherFields;
import slipway.oci.model.Platform;
import tools.jackson.databind.JsonNode;

/** The configuration of an image while its instructions are carried out. */
public final class ImageDraft {
  private static final List<String> DEFAULT_SHELL = List.of("/bin/sh", "-c");

  /** Bytes of a line of history in JSON without its text. */
  private static final int HISTORY_FRAME = 80;

  private Platform platform;
  private @Nullable String author;
  private final Map<String, String> env = new LinkedHashMap<>();
  @Nullable List<String> entrypoint;
  @Nullable public List<String> cmd;
  public @Nullable String user;
  public @Nullable String workingDir;
  public final Map<String, String> labels = new TreeMap<>();
  final Set<String> exposedPorts = new TreeSet<>();
  final Set<String> volumes = new TreeSet<>();
  @Nullable String stopSignal;
  @Nullable JsonNode healthcheck;
  private @Nullable List<String> shell;
  public final List<String> onBuild = new ArrayList<>();
  private final List<ImageConfig.History> history = new ArrayList<>();
  private long historyBytes;

  /** Where fields come from that we do not know; they stay as they are. */
  private @Nullable ImageConfig base;

  private ImageDraft(Platform platform) {
    this.platform = platform;
  }

  /** The draft of an image from nothing. */
  public static ImageDraft scratch(Platform platform) {
    ImageDraft draft = new ImageDraft(platform);
    draft.setEnv("PATH", RunStep.DEFAULT_PATH);
    return draft;
  }

  /**
   * The draft of an image that begins as another.
   *
   * @throws Problem (CORRUPT) for what no command could be started with, and for too much
   */
  static ImageDraft of(ImageConfig config) {
    withoutNul("Env", config.env());
    withoutNul("WorkingDir", config.workingDir() == null ? null : List.of(config.workingDir()));
    withoutNul("User", config.user() == null ? null : List.of(config.user()));
    withoutNul("Shell", config.shell());
    ImageDraft draft = new ImageDraft(config.platform());
    draft.author = config.author();
    Limit.INSTRUCTIONS.check(config.onBuild().size(), "ONBUILD of the base image");
    config.env().forEach(draft::setEnv);
    draft.entrypoint = config.entrypoint();
    draft.cmd = config.cmd();
    draft.user = config.user();
    draft.workingDir = config.workingDir();
    draft.labels.putAll(config.labels());
    draft.exposedPorts.addAll(config.exposedPorts());
    draft.volumes.addAll(config.volumes());
    draft.stopSignal = config.stopSignal();
    draft.healthcheck = config.healthcheck();
    draft.shell = config.shell();
    draft.onBuild.addAll(config.onBuild());
    draft.history.addAll(config.history());
    draft.base = config;
    return draft;
  }

  /** No argument of a system call can hold one. */
  private static void withoutNul(String field, @Nullable List<String> values) {
    if (values != null && values.stream().anyMatch(v -> v.indexOf('\0') >= 0)) {
      throw Problem.corrupt("the base image's " + field + " holds a NUL character; use another");
    }
  }

  private void setEnv(String assignment) {
    int equals = assignment.indexOf('=');
    if (equals > 0) {
      setEnv(assignment.substring(0, equals), assignment.substring(equals + 1));
    }
  }

  /**
   * Sets a variable; one that is set already keeps its place.
   *
   * @throws Problem (CORRUPT) for more than an image may have
   */
  public void setEnv(String name, String value) {
    env.put(name, value);
    Limit.INSTRUCTIONS.check(env.size(), "the image's variables");
  }

  @Nullable String env(String name) {
    return env.get(name);
  }

  Map<String, String> env() {
    return java.util.Collections.unmodifiableMap(env);
  }

  void author(String name) {
    author = name;
  }

  public List<String> shell() {
    return shell == null ? DEFAULT_SHELL : shell;
  }

  public void shell(List<String> words) {
    shell = words;
  }

  /**
   * @throws Problem (CORRUPT) when the configuration would be larger than anybody reads
   */
  public void addHistory(ImageConfig.History line) {
    history.add(line);
    String by = line.createdBy();
    historyBytes += HISTORY_FRAME + (by == null ? 0 : by.length());
    Limit.CONFIG_BYTES.check(historyBytes, "the image's history");
  }

  /** The working directory, an absolute path. */
  String directory() {
    return workingDir == null || workingDir.isEmpty() ? "/" : workingDir;
  }

  /** The finished configuration. */
  public ImageConfig toConfig(@Nullable String created, List<Digest> diffIds) {
    List<String> variables = new ArrayList<>();
    env.forEach((name, value) -> variables.add(name + "=" + value));
    return ImageConfigBuilder.builder()
        .platform(platform)
        .created(created)
        .author(author)
        .env(variables)
        .entrypoint(entrypoint)
        .cmd(cmd)
        .user(user)
        .workingDir(workingDir)
        .labels(new LinkedHashMap<>(labels))
        .exposedPorts(new LinkedHashSet<>(exposedPorts))
        .volumes(new LinkedHashSet<>(volumes))
        .stopSignal(stopSignal)
        .healthcheck(healthcheck)
        .shell(shell)
        .onBuild(List.copyOf(onBuild))
        .diffIds(diffIds)
        .history(List.copyOf(history))
        .others(base == null ? OtherFields.NONE : base.others())
        .configOthers(base == null ? OtherFields.NONE : base.configOthers())
        .build();
  }
}
