package slipway.builder.run;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import slipway.base.Position;
import slipway.builder.cache.CacheMounts;
import slipway.builder.files.CopySource;
import slipway.builder.files.IgnoreRules;
import slipway.builder.files.TreeCopier;
import slipway.builder.language.Containerfile.Stage;
import slipway.builder.language.Heredoc;
import slipway.builder.language.RunMount;
import slipway.builder.session.BuildRequest;
import slipway.builder.session.BuildSession;
import slipway.builder.session.SourceTree;
import slipway.container.ContainerMount;
import slipway.container.ContainerSpec;
import slipway.container.NestedMounts;
import slipway.container.OverlayMount;
import slipway.container.RunNetwork;
import slipway.container.StubLayer;
import slipway.container.UserNetwork;
import slipway.linux.mount.Mount;
import slipway.linux.mount.Mounts;
import slipway.linux.posix.InRoot;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;

/**
 * What is mounted into the container of one RUN. Secrets, scripts and the runtime's configuration
 * lie in a tmpfs that only this build sees.
 */
final class RunMounts implements AutoCloseable {
  private final BuildSession session;
  private final Stage stage;
  private final Position at;
  private final String directory;
  private final Path scratch;
  private final Path memory;
  private final CacheMounts caches;
  private final Map<RunMount, ContainerMount> asked = new IdentityHashMap<>();
  private final List<ContainerMount> own = new ArrayList<>();
  private final Map<String, String> environment = new LinkedHashMap<>();
  private final Deque<AutoCloseable> open = new ArrayDeque<>();
  private int count;

  /**
   * @param directory the working directory, where relative targets begin
   * @param scratch an empty directory
   */
  RunMounts(BuildSession session, Stage stage, Position at, String directory, Path scratch)
      throws IOException {
    this.session = session;
    this.stage = stage;
    this.at = at;
    this.directory = directory;
    this.scratch = scratch;
    this.memory = Files.createDirectory(scratch.resolve("memory"));
    open.push(Mount.of("tmpfs", memory, "tmpfs", Mounts.MS_NOSUID | Mounts.MS_NODEV, "mode=0700"));
    this.caches = new CacheMounts(session.root(), session.progress());
    open.push(caches);
  }

  /** Beside the usual ones, in the order in which they are mounted. */
  List<ContainerMount> own() {
    return own;
  }

  /** All, the usual ones first. */
  List<ContainerMount> all() {
    List<ContainerMount> all = new ArrayList<>(ContainerSpec.usualMounts());
    all.addAll(own);
    return all;
  }

  /** Makes the mounts of a RUN ready. */
  void prepare(List<RunMount> mounts) throws Exception {
    // Caches are locked in one order everywhere, so that two RUNs never wait for each other.
    for (RunMount m : mounts.stream().sorted(Comparator.comparing(CacheMounts::name)).toList()) {
      prepare(m);
    }
    List<ContainerMount> written =
        mounts.stream().map(asked::get).filter(Objects::nonNull).toList();
    NestedMounts nested =
        new NestedMounts(written, Files.createDirectory(scratch.resolve("nested")));
    open.push(nested);
    own.addAll(nested.ordered());
  }

  /** Variables that mounts bring. */
  Map<String, String> environment() {
    return environment;
  }

  /** An empty directory in memory for the runtime's configuration. */
  Path bundle() throws IOException {
    return Files.createDirectory(memory.resolve("bundle"));
  }

  /**
   * Connects the command, and brings the files by which programs find names. A command without a
   * network sees the image's own ones and may replace them, as with buildah.
   *
   * @param alone whether it may change its network, and so must have one to itself
   */
  ContainerSpec.Network network(RunNetwork wanted, StageNetwork stage, boolean alone)
      throws IOException {
    return switch (wanted.mode()) {
      case HOST -> {
        names(machineHosts(), machineResolver());
        yield new ContainerSpec.Network.Host();
      }
      case NONE -> new ContainerSpec.Network.None();
      case PRIVATE -> {
        UserNetwork network = connected(wanted, stage, alone);
        names(
            machineHosts() + network.gatewayName(wanted),
            resolver(machineResolver(), network.resolver()));
        yield new ContainerSpec.Network.Joined(network.namespace());
      }
    };
  }

  private UserNetwork connected(RunNetwork wanted, StageNetwork stage, boolean alone)
      throws IOException {
    if (!alone) {
      return stage.connected(wanted);
    }
    UserNetwork own = UserNetwork.start(wanted, Files.createDirectory(scratch.resolve("network")));
    open.push(own);
    return own;
  }

  private static String machineHosts() throws IOException {
    Path file = Path.of("/etc/hosts");
    String known =
        Files.isReadable(file) ? Files.readString(file, StandardCharsets.ISO_8859_1) : "";
    return known.isEmpty() || known.endsWith("\n") ? known : known + "\n";
  }

  private static String machineResolver() throws IOException {
    Path file = Path.of("/etc/resolv.conf");
    return Files.isReadable(file) ? Files.readString(file, StandardCharsets.ISO_8859_1) : "";
  }

  /** As podman does: one name server for all of the machine's, and its search list and options. */
  private static String resolver(String machines, String server) {
    StringBuilder text = new StringBuilder();
    machines
        .lines()
        .filter(l -> l.matches("(search|domain|options|sortlist)[ \t].*"))
        .forEach(l -> text.append(l).append('\n'));
    return text.append("nameserver ").append(server).append('\n').toString();
  }

  /** The image's own files stay as they are. */
  private void names(String hosts, String resolver) throws IOException {
    file("hosts", hosts + "127.0.0.1\t" + ContainerSpec.HOSTNAME + "\n", "/etc/hosts");
    file("resolv.conf", resolver, "/etc/resolv.conf");
  }

  private void file(String name, String text, String target) throws IOException {
    Path file = memory.resolve(name);
    Files.writeString(file, text, StandardCharsets.ISO_8859_1);
    Posix.chmod(OsPath.of(file), 0644);
    addUnlessHidden(ContainerMount.bind(file.toString(), target, false, true));
  }

  /** A mount that RUN asks for goes before ours. */
  private void addUnlessHidden(ContainerMount mount) {
    boolean hidden =
        own.stream()
            .map(ContainerMount::target)
            .anyMatch(t -> t.equals(mount.target()) || NestedMounts.isBeneath(mount.target(), t));
    if (!hidden) {
      own.addFirst(mount);
    }
  }

  /** Puts an inline script where it can be started; gives its path in the container. */
  String script(Heredoc document) throws IOException {
    Path file = memory.resolve("script");
    Files.writeString(file, document.text());
    Posix.chmod(OsPath.of(file), 0755);
    String target = "/dev/pipes/" + document.name().replace('/', '_');
    own.add(ContainerMount.bind(file.toString(), target, false, true));
    return target;
  }

  /** Makes one mount ready. */
  private void prepare(RunMount mount) throws Exception {
    switch (mount.type()) {
      case TMPFS -> {
        List<String> options = new ArrayList<>(List.of("nosuid", "nodev"));
        options.add("mode=" + Integer.toOctalString(mount.mode() < 0 ? 01777 : mount.mode()));
        if (mount.size() > 0) {
          options.add("size=" + mount.size());
        }
        asked.put(mount, new ContainerMount(target(mount), "tmpfs", "tmpfs", options, true));
      }
      case SECRET -> secret(mount);
      case SSH -> agent(mount);
      case CACHE -> {
        Path cache = caches.open(mount, fresh -> fill(mount, fresh));
        asked.put(
            mount, ContainerMount.bind(cache.toString(), target(mount), true, mount.readOnly()));
      }
      case BIND -> bind(mount);
    }
  }

  private String target(RunMount mount) {
    String target = java.util.Objects.requireNonNull(mount.target());
    return "/" + InRoot.clean(target.startsWith("/") ? target : directory + "/" + target);
  }

  private void secret(RunMount mount) throws IOException {
    BuildRequest.Secret secret = session.request().secrets().get(mount.id());
    if (secret == null) {
      if (mount.required()) {
        throw at.problem("RUN needs the secret " + mount.id() + "; give --secret id=" + mount.id());
      }
      return;
    }
    byte[] value = secret.read();
    if (mount.environment() != null) {
      environment.put(mount.environment(), new String(value, StandardCharsets.UTF_8));
    }
    if (mount.target() != null) {
      OsPath file = OsPath.of(memory.resolve("secret-" + count++));
      Files.write(file.toPath(), value);
      Posix.lchown(file, mount.uid(), mount.gid());
      Posix.chmod(file, mount.mode() < 0 ? 0400 : mount.mode());
      asked.put(mount, ContainerMount.bind(file.toString(), target(mount), false, true));
    }
  }

  private void agent(RunMount mount) {
    Path socket = session.request().agents().get(mount.id());
    if (socket == null) {
      if (mount.required()) {
        throw at.problem("RUN needs the ssh agent " + mount.id() + "; give --ssh " + mount.id());
      }
      return;
    }
    asked.put(mount, ContainerMount.bind(socket.toString(), target(mount), false, false));
    environment.put("SSH_AUTH_SOCK", target(mount));
  }

  /** What a new cache begins with. */
  private void fill(RunMount mount, Path fresh) throws IOException, InterruptedException {
    if (mount.from() == null) {
      return;
    }
    try (SourceTree tree = tree(mount);
        TreeCopier copier = new TreeCopier(OsPath.of(fresh), null, null, at)) {
      for (CopySource.Item item : tree.select(List.of(mount.source()), "RUN --mount", at)) {
        copier.copy(tree.open(), item, IgnoreRules.NONE, "/", true);
      }
    }
  }

  private SourceTree tree(RunMount mount) throws IOException, InterruptedException {
    return SourceTree.of(session, stage, mount.from(), at);
  }

  private void bind(RunMount mount) throws IOException, InterruptedException {
    SourceTree tree = tree(mount);
    open.push(tree);
    OsPath root =
        tree.isImage() ? image(tree, !mount.readOnly()) : context(tree, !mount.readOnly());
    Optional<OsPath> path = InRoot.resolve(root, InRoot.clean(mount.source()));
    if (path.isEmpty()) {
      throw at.problem("RUN --mount: \"" + mount.source() + "\" is not in " + tree.name());
    }
    Stat stat = Posix.lstat(path.get());
    asked.put(
        mount,
        ContainerMount.bind(
            path.get().toString(), target(mount), stat.isDirectory(), mount.readOnly()));
  }

  /** The tree of an image; what is written to it is thrown away. */
  private OsPath image(SourceTree tree, boolean writable) throws IOException, InterruptedException {
    return writable ? throwAway(session.unpacked(tree.layers())) : tree.open().root();
  }

  private OsPath throwAway(List<Path> lowers) throws IOException, InterruptedException {
    Path directory = Files.createDirectory(scratch.resolve("bind-" + count++));
    Path upper = Files.createDirectory(directory.resolve("upper"));
    if (!lowers.isEmpty()) {
      StubLayer.copyMetadata(OsPath.of(lowers.getLast()), OsPath.of(upper));
    }
    OverlayMount mount = OverlayMount.writable(lowers, upper, directory);
    open.push(mount);
    return mount.root();
  }

  /** The context without what it leaves out; the user's own files are never written to. */
  private OsPath context(SourceTree tree, boolean writable)
      throws IOException, InterruptedException {
    CopySource source = tree.open();
    if (source.ignore().isEmpty() && !writable) {
      return source.root();
    }
    Path copy = Files.createDirectory(scratch.resolve("context-" + count++));
    OsPath root = OsPath.of(copy);
    try (TreeCopier copier = new TreeCopier(root, null, null, at)) {
      copier.copy(source, source.whole(), IgnoreRules.NONE, "/", true);
    }
    return root;
  }

  @Override
  public void close() throws Exception {
    Exception failure = null;
    while (!open.isEmpty()) {
      try {
        open.pop().close();
      } catch (Exception e) {
        failure = failure == null ? e : failure;
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
