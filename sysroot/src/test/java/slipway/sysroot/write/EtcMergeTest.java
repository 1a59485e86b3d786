package slipway.sysroot.write;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.linux.posix.Xattrs;
import slipway.ostree.object.Checksum;
import slipway.sysroot.DeploySpec;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.Deployment;
import slipway.sysroot.state.Machine;
import slipway.sysroot.state.Origin;
import slipway.system.kargs.KernelArguments;

/** Our merge of /etc against ostree's, change by change and at random. */
class EtcMergeTest {
  private static final KernelArguments KARGS = KernelArguments.of("root=UUID=1");

  /** Changes a machine's /etc. */
  @FunctionalInterface
  private interface Edit {
    void apply(Path etc) throws IOException;
  }

  /** What a merge made: every path with type, owner, mode, attributes and content. */
  private record Merged(Map<String, String> etc, List<String> changes) {}

  private static Merged ours(Map<String, String> before, Map<String, String> after, Edit edit)
      throws IOException {
    try (Machine machine = new Machine()) {
      Sysroot sysroot = machine.init();
      Deployment first = first(machine, sysroot, before, edit);
      List<String> changes =
          EtcMerge.diff(sysroot.path(first).resolve("usr/etc"), sysroot.path(first).resolve("etc"))
              .changes()
              .stream()
              .map(EtcMerge.Change::toString)
              .sorted()
              .toList();
      Deployment second =
          sysroot.deploy(DeploySpec.upgrade(first, machine.commit(after), Origin.NONE));
      machine.judge();
      return new Merged(listing(sysroot.path(second).resolve("etc")), changes);
    }
  }

  private static Merged theirs(Map<String, String> before, Map<String, String> after, Edit edit)
      throws IOException {
    try (Machine machine = new Machine()) {
      Sysroot sysroot = machine.init();
      first(machine, sysroot, before, edit);
      String diff = machine.admin("config-diff", "--os=default");
      Checksum commit = machine.commit(after);
      machine.admin("deploy", "--os=default", commit.hex());
      sysroot.reload();
      Path etc = sysroot.path(sysroot.deployments().getFirst()).resolve("etc");
      List<String> lines = new ArrayList<>(diff.lines().toList());
      Collections.sort(lines);
      return new Merged(listing(etc), lines);
    }
  }

  private static Deployment first(
      Machine machine, Sysroot sysroot, Map<String, String> files, Edit edit) throws IOException {
    Deployment first =
        sysroot.deploy(DeploySpec.install("default", machine.commit(files), Origin.NONE, KARGS));
    edit.apply(sysroot.path(first).resolve("etc"));
    return first;
  }

  private static Map<String, String> listing(Path directory) throws IOException {
    Map<String, String> found = new TreeMap<>();
    list(OsPath.of(directory), "", found);
    return found;
  }

  private static void list(OsPath path, String name, Map<String, String> found) throws IOException {
    Stat stat = Posix.lstat(path);
    StringBuilder text = new StringBuilder();
    text.append(Integer.toOctalString(stat.mode())).append(' ').append(stat.uid());
    text.append(':').append(stat.gid());
    for (OsPath attribute : new TreeSet<>(Xattrs.llistxattr(path))) {
      byte[] value = Xattrs.lgetxattr(path, attribute);
      text.append(' ').append(attribute).append('=');
      text.append(value == null ? "" : new String(value, StandardCharsets.ISO_8859_1));
    }
    if (stat.isSymlink()) {
      text.append(" -> ").append(Posix.readlink(path));
    } else if (stat.isRegular()) {
      text.append(' ').append(Files.readString(path.toPath()));
    }
    found.put(name, text.toString());
    if (stat.isDirectory()) {
      for (OsPath child : Posix.list(path)) {
        list(path.resolve(child), name + "/" + child, found);
      }
    }
  }

  /** Both agree on the changes and on what comes of them. */
  private static Map<String, String> agree(
      Map<String, String> before, Map<String, String> after, Edit edit) throws IOException {
    Merged theirs = theirs(before, after, edit);
    Merged ours = ours(before, after, edit);
    assertThat(ours.changes()).isEqualTo(theirs.changes());
    assertThat(ours.etc()).isEqualTo(theirs.etc());
    return ours.etc();
  }

  @Test
  void mergesAsOstree() throws IOException {
    Map<String, String> before = Machine.files("1", "one");
    before.put("usr/etc/gone-in-new", "default\n");
    before.put("usr/etc/gone-but-changed", "default\n");
    before.put("usr/etc/dropped/x", "x\n");
    before.put("usr/etc/becomes-link", "x\n");
    Map<String, String> after = Machine.files("2", "two");
    after.put("usr/etc/new-default", "new\n");
    after.put("usr/etc/both", "theirs\n");
    Map<String, String> etc =
        agree(
            before,
            after,
            live -> {
              Files.writeString(live.resolve("app/a.conf"), "mine\n");
              Files.delete(live.resolve("app/b.conf"));
              Files.writeString(live.resolve("gone-but-changed"), "mine\n");
              Files.writeString(live.resolve("dropped/y"), "y\n");
              Files.delete(live.resolve("becomes-link"));
              Files.createSymbolicLink(live.resolve("becomes-link"), Path.of("/nowhere"));
              Files.createDirectories(live.resolve("own/deep/er"));
              Files.writeString(live.resolve("own/deep/er/file"), "own\n");
              Files.createSymbolicLink(live.resolve("own/link"), Path.of("deep"));
              Files.writeString(live.resolve("both"), "mine\n");
              Posix.chmod(OsPath.of(live.resolve("app/c.conf")), 0600);
              Posix.lchown(OsPath.of(live.resolve("hosts")), 12, 34);
              Posix.chmod(OsPath.of(live.resolve("own")), 02750);
            });
    assertThat(etc.get("/app/a.conf")).endsWith("mine\n");
    assertThat(etc.get("/motd")).endsWith("welcome to 2\n");
    assertThat(etc.get("/both")).endsWith("mine\n");
    assertThat(etc)
        .containsKeys("/new-default", "/gone-but-changed", "/own/deep/er/file", "/dropped/y")
        .doesNotContainKeys("/app/b.conf", "/gone-in-new", "/dropped/x");
  }

  @Test
  void givesChangedParentsTheLiveAttributes() throws IOException {
    agree(
        Machine.files("1", "one"),
        Machine.files("2", "two"),
        live -> {
          Posix.chmod(OsPath.of(live.resolve("app")), 0700);
          Posix.lchown(OsPath.of(live.resolve("app")), 5, 6);
          Files.writeString(live.resolve("app/mine"), "x\n");
        });
  }

  @Test
  void keepsWhatOstreeLoses() throws IOException {
    Map<String, String> before = Machine.files("1", "one");
    before.put("usr/etc/secret/x", "x\n");
    Map<String, String> after = Machine.files("2", "two");
    after.put("usr/etc/secret/x", "x of 2\n");
    Edit edit =
        live -> {
          Posix.chmod(OsPath.of(live.resolve("secret")), 0700);
          Xattrs.lsetxattr(
              OsPath.of(live.resolve("app/a.conf")),
              OsPath.of("user.note"),
              "mine".getBytes(StandardCharsets.UTF_8));
          Posix.mknod(OsPath.of(live.resolve("pipe")), Stat.S_IFIFO | 0600, 0);
        };
    Map<String, String> etc = ours(before, after, edit).etc();
    assertThat(etc.get("/secret")).startsWith("40700 ");
    assertThat(etc.get("/secret/x")).endsWith("x of 2\n");
    assertThat(etc.get("/app/a.conf")).isEqualTo("100644 0:0 user.note=mine a of 2\n");
    assertThat(etc.get("/pipe")).startsWith("10600 ");
    Map<String, String> reference = theirs(before, after, edit).etc();
    assertThat(reference.get("/secret")).startsWith("40755 ");
    assertThat(reference.get("/app/a.conf")).isEqualTo("100644 0:0 a of 2\n");
    assertThat(reference).doesNotContainKey("/pipe");
  }

  /**
   * What a path is in the old image, on the machine and in the new image.
   *
   * @param live {@code same} when nobody changed it
   */
  private record Types(String before, String live, String after) {
    static List<Types> all() {
      List<Types> all = new ArrayList<>();
      for (String before : List.of("none", "file", "link", "folder")) {
        for (String live : List.of("same", "none", "file", "link", "folder", "fifo")) {
          for (String after : List.of("none", "file", "link", "folder")) {
            all.add(new Types(before, live, after));
          }
        }
      }
      return all;
    }

    String name() {
      return before + "-" + live + "-" + after;
    }

    boolean isRefused() {
      return after.equals("folder") && List.of("file", "link", "fifo").contains(live);
    }

    /** What ostree cannot do, or loses. */
    boolean isOursAlone() {
      return live.equals("fifo")
          || (live.equals("folder") && after.equals("folder") && !before.equals("folder"))
          || (live.equals("folder") && before.equals("folder") && after.matches("file|link"));
    }

    /** What comes of it, as {@link #told} says it. */
    String expected() {
      if (live.equals("same") || (live.equals("none") && before.equals("none"))) {
        return made(after, "new");
      }
      if (!live.equals("folder")) {
        return made(live, "mine");
      }
      Set<String> children = new TreeSet<>(Set.of("mine"));
      if (after.equals("folder")) {
        children.add("new");
      } else if (before.equals("folder") && !after.equals("none")) {
        children.add("old");
      }
      return children.toString();
    }

    private static String made(String type, String whose) {
      return switch (type) {
        case "file" -> whose;
        case "link" -> "-> " + whose;
        case "folder" -> "[" + whose + "]";
        default -> type;
      };
    }

    static void make(Path path, String type, String whose) throws IOException {
      Files.createDirectories(path.getParent());
      switch (type) {
        case "file" -> Files.writeString(path, whose);
        case "link" -> Files.createSymbolicLink(path, Path.of(whose));
        case "folder" -> Files.writeString(Files.createDirectories(path).resolve(whose), whose);
        case "fifo" -> Posix.mknod(OsPath.of(path), Stat.S_IFIFO | 0600, 0);
        default -> {}
      }
    }

    void change(Path path) throws IOException {
      if (live.equals("same")) {
        return;
      }
      if (Posix.exists(OsPath.of(path)) && !(before.equals("folder") && live.equals("folder"))) {
        Posix.removeTree(OsPath.of(path));
      }
      make(path, live, "mine");
    }

    static String told(Path path) throws IOException {
      OsPath os = OsPath.of(path);
      if (!Posix.exists(os)) {
        return "none";
      }
      Stat stat = Posix.lstat(os);
      if (stat.isSymlink()) {
        return "-> " + Posix.readlink(os);
      }
      return stat.isDirectory()
          ? new TreeSet<>(Posix.list(os)).toString()
          : stat.isRegular() ? Files.readString(path) : "fifo";
    }
  }

  private static void fill(Path etc, List<Types> types, boolean after) throws IOException {
    for (Types t : types) {
      for (String above : List.of("", "deep/er/")) {
        Types.make(
            etc.resolve(above + t.name()), after ? t.after() : t.before(), after ? "new" : "old");
      }
    }
  }

  private static Map<String, String> told(Path etc, List<Types> types) throws IOException {
    Map<String, String> told = new TreeMap<>();
    for (Types t : types) {
      told.put(t.name(), Types.told(etc.resolve(t.name())));
      told.put("deep/er/" + t.name(), Types.told(etc.resolve("deep/er/" + t.name())));
    }
    return told;
  }

  private static void change(Path etc, List<Types> types) throws IOException {
    for (Types t : types) {
      t.change(etc.resolve(t.name()));
      t.change(etc.resolve("deep/er/" + t.name()));
    }
  }

  /** Each type of each of the three, at the top and below. */
  @Test
  void losesNothingWhateverBecomesOfAPath(@TempDir Path dir) throws IOException {
    for (String top : List.of("old", "live")) {
      fill(dir.resolve(top), Types.all(), false);
    }
    fill(dir.resolve("new"), Types.all(), true);
    change(dir.resolve("live"), Types.all());
    assertThat(EtcMerge.diff(dir.resolve("old"), dir.resolve("live")).conflicts(dir.resolve("new")))
        .map(OsPath::toString)
        .containsExactlyInAnyOrderElementsOf(
            Types.all().stream()
                .filter(Types::isRefused)
                .flatMap(t -> Stream.of(t.name(), "deep/er/" + t.name()))
                .toList());
    List<Types> merged = Types.all().stream().filter(t -> !t.isRefused()).toList();
    for (Types t : Types.all()) {
      if (t.isRefused()) {
        for (String above : List.of("", "deep/er/")) {
          Posix.removeTree(OsPath.of(dir.resolve("live/" + above + t.name())));
          Posix.removeTree(OsPath.of(dir.resolve("new/" + above + t.name())));
        }
      }
    }
    EtcMerge.diff(dir.resolve("old"), dir.resolve("live")).apply(dir.resolve("new"));
    Map<String, String> expected = new TreeMap<>();
    for (Types t : merged) {
      expected.put(t.name(), t.expected());
      expected.put("deep/er/" + t.name(), t.expected());
    }
    assertThat(told(dir.resolve("new"), merged)).isEqualTo(expected);
    List<Types> both = merged.stream().filter(t -> !t.isOursAlone()).toList();
    expected.keySet().retainAll(told(dir.resolve("new"), both).keySet());
    assertThat(mergedByOstree(both)).isEqualTo(expected);
  }

  private static Map<String, String> mergedByOstree(List<Types> types) throws IOException {
    try (Machine machine = new Machine()) {
      Sysroot sysroot = machine.init();
      Checksum before =
          machine.commit(Machine.files("1", "one"), tree -> fillImage(tree, types, false));
      Deployment first = sysroot.deploy(DeploySpec.install("default", before, Origin.NONE, KARGS));
      change(sysroot.path(first).resolve("etc"), types);
      Checksum after =
          machine.commit(Machine.files("2", "two"), tree -> fillImage(tree, types, true));
      machine.admin("deploy", "--os=default", after.hex());
      sysroot.reload();
      return told(sysroot.path(sysroot.deployments().getFirst()).resolve("etc"), types);
    }
  }

  private static void fillImage(Path tree, List<Types> types, boolean after) {
    try {
      fill(tree.resolve("usr/etc"), types, after);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Attributes are merged one by one; what the administrator did not touch is the new image's. */
  @Test
  void mergesAttributesOneByOne(@TempDir Path dir) throws IOException {
    for (String name : List.of("file", "folder")) {
      for (String top : List.of("old", "live", "new")) {
        Path path = dir.resolve(top).resolve(name);
        Types.make(path, name, "x");
        set(path, "kept", "old");
        set(path, "changed", "old");
        set(path, "gone", "old");
        set(path, "newer", top.equals("new") ? "new" : "old");
      }
      set(dir.resolve("live/" + name), "changed", "mine");
      set(dir.resolve("live/" + name), "added", "mine");
      set(dir.resolve("new/" + name), "more", "new");
      Xattrs.lremovexattr(OsPath.of(dir.resolve("live/" + name)), OsPath.of("user.gone"));
    }
    // Changed below, and so touched on the way.
    Files.writeString(dir.resolve("live/folder/x"), "mine");
    EtcMerge.diff(dir.resolve("old"), dir.resolve("live")).apply(dir.resolve("new"));
    Map<String, String> etc = listing(dir.resolve("new"));
    for (String name : List.of("/file", "/folder")) {
      assertThat(etc.get(name))
          .contains(" user.added=mine user.changed=mine user.kept=old user.more=new user.newer=new")
          .doesNotContain("user.gone");
    }
  }

  private static void set(Path path, String name, String value) throws IOException {
    Xattrs.lsetxattr(
        OsPath.of(path), OsPath.of("user." + name), value.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void tellsOfASocketThatIsNotCarriedOver() throws IOException {
    try (Machine machine = new Machine()) {
      Sysroot sysroot = machine.init();
      Deployment first =
          first(
              machine,
              sysroot,
              Machine.files("1", "one"),
              etc -> Posix.mknod(OsPath.of(etc.resolve("app/socket")), Stat.S_IFSOCK | 0600, 0));
      List<String> told = new ArrayList<>();
      Sysroot.open(machine.root(), machine.runState(), told::add)
          .deploy(
              DeploySpec.upgrade(first, machine.commit(Machine.files("2", "two")), Origin.NONE));
      assertThat(told).singleElement().asString().contains("the socket /etc/app/socket is not");
    }
  }

  @Test
  void refusesAFileWhereTheNewImageHasADirectory() throws IOException {
    Map<String, String> before = Machine.files("1", "one");
    before.put("usr/etc/thing", "x\n");
    Map<String, String> after = Machine.files("2", "two");
    after.put("usr/etc/thing/conf", "x\n");
    try (Machine machine = new Machine()) {
      Sysroot sysroot = machine.init();
      Deployment first =
          first(machine, sysroot, before, e -> Files.writeString(e.resolve("thing"), "mine\n"));
      Checksum commit = machine.commit(after);
      assertThatThrownBy(() -> sysroot.deploy(DeploySpec.upgrade(first, commit, Origin.NONE)))
          .isInstanceOf(Problem.class)
          .hasMessageContaining(
              "Modified config file newly defaults to directory 'thing', cannot merge");
      machine.judge();
      sysroot.reload();
      assertThat(sysroot.deployments()).hasSize(1);
      assertThat(DeploymentWriter.ids(machine.root(), "default")).containsExactly(first.id());
    }
    assertThatThrownBy(
            () -> theirs(before, after, e -> Files.writeString(e.resolve("thing"), "mine\n")))
        .hasMessageContaining("newly defaults to directory 'thing'");
  }

  @Test
  void neverFollowsALinkOutOfTheDeployment() throws IOException {
    try (Machine machine = new Machine()) {
      Path outside = Files.createDirectories(machine.directory().resolve("outside"));
      Path etc = Files.createDirectories(machine.directory().resolve("new/etc"));
      Path live = Files.createDirectories(machine.directory().resolve("live/app"));
      Path old = Files.createDirectories(machine.directory().resolve("old/app"));
      Path inside = Files.createDirectories(machine.directory().resolve("live/moved"));
      Files.createDirectories(machine.directory().resolve("old/moved"));
      Files.writeString(live.resolve("mine"), "x");
      Files.writeString(live.resolve("kept"), "y");
      Files.writeString(old.resolve("kept"), "y");
      Files.writeString(inside.resolve("mine"), "z");
      Files.createSymbolicLink(etc.resolve("app"), outside);
      Files.createDirectories(etc.resolve("target"));
      Files.createSymbolicLink(etc.resolve("moved"), Path.of("../etc/./target"));
      Files.createSymbolicLink(etc.resolve("loop"), Path.of("loop"));
      EtcMerge merge = EtcMerge.diff(old.getParent(), live.getParent());
      assertThat(merge.summary()).isEqualTo("Copying /etc changes: 0 modified, 0 removed, 2 added");
      merge.apply(etc);
      assertThat(outside).isEmptyDirectory();
      assertThat(Files.isDirectory(etc.resolve("app"), LinkOption.NOFOLLOW_LINKS)).isTrue();
      assertThat(etc.resolve("app/mine")).hasContent("x");
      assertThat(etc.resolve("app/kept")).hasContent("y");
      assertThat(etc.resolve("target/mine")).hasContent("z");
    }
  }

  /** Random trees and random edits; both must come to the same. */
  @ParameterizedTest
  @Tag("slow")
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void agreesAtRandom(long seed) throws IOException {
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    Map<String, String> before = Machine.files("1", "one");
    Map<String, String> after = Machine.files("2", "two");
    List<String> files = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      String path = "d" + random.nextInt(4) + "/e" + random.nextInt(3) + "/f" + random.nextInt(9);
      files.add(path);
      if (random.nextInt(4) > 0) {
        before.put("usr/etc/" + path, "old " + random.nextInt(3));
      }
      if (random.nextInt(4) > 0) {
        after.put("usr/etc/" + path, "old " + random.nextInt(3));
      }
    }
    long edits = random.nextLong();
    agree(before, after, live -> edit(live, files, new Random(edits)));
  }

  private static void edit(Path live, List<String> files, Random random) throws IOException {
    for (String name : files) {
      Path path = live.resolve(name);
      switch (random.nextInt(6)) {
        case 0 -> {
          Files.createDirectories(path.getParent());
          Files.writeString(path, "mine " + random.nextInt());
        }
        case 1 -> Files.deleteIfExists(path);
        case 2 -> {
          if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            Files.delete(path);
            Files.createSymbolicLink(path, Path.of("../" + random.nextInt(5)));
          }
        }
        case 3 -> {
          if (Files.isRegularFile(path)) {
            Posix.chmod(OsPath.of(path), 0600 | random.nextInt(64));
          }
        }
        default -> {}
      }
    }
  }
}
