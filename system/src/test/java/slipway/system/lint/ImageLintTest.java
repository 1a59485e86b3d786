package slipway.system.lint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import slipway.archive.tar.Metadata;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.system.files.ImageFiles;
import slipway.system.kargs.KernelArgumentsDirectory;
import slipway.tree.Content;
import slipway.tree.FileTree;
import slipway.tree.Node;

class ImageLintTest {
  /** A change to a sound image: what stands at a path. */
  private record At(String path, Node node) {}

  private static At file(String path, String text) {
    return new At(
        path,
        new Node.File(Metadata.file(0644), Content.of(text.getBytes(StandardCharsets.UTF_8))));
  }

  private static At directory(String path) {
    return new At(path, new Node.Directory(Metadata.directory(0755), new TreeMap<>()));
  }

  private static At link(String path, String target) {
    return new At(path, new Node.Symlink(Metadata.symlink(), OsPath.of(target)));
  }

  private static At gone(String path) {
    return new At(path, Node.Whiteout.INSTANCE);
  }

  private static final List<At> SOUND =
      List.of(
          directory("dev"),
          directory("proc"),
          directory("sys"),
          directory("run"),
          directory("tmp"),
          directory("boot"),
          directory("sysroot"),
          directory("var/log"),
          directory("var/lib/app"),
          link("var/run", "../run"),
          link("ostree", "sysroot/ostree"),
          link("lib", "usr/lib"),
          link("etc/resolv.conf", "../run/systemd/resolve/stub-resolv.conf"),
          file("etc/passwd", "root:x:0:0::/root:/bin/sh\n"),
          file("etc/group", "root:x:0:\n"),
          file("usr/lib/sysusers.d/basic.conf", "u root 0\n"),
          file("usr/lib/tmpfiles.d/var.conf", "L /var/run - - - - ../run\nd /var/log 0755\n"),
          file("usr/lib/tmpfiles.d/app.conf", "d /var/lib/app 0755 root root -\n"),
          file("usr/lib/ostree/prepare-root.conf", "[composefs]\nenabled = true\n"),
          file("usr/lib/bootc/kargs.d/10.toml", "kargs = [\"quiet\"]\n"),
          file("usr/lib/modules/6.12.1/vmlinuz", "k"));

  @Test
  void kernelArgumentsAreReadThroughLinks() throws IOException {
    FileTree tree =
        tree(
            link("usr/lib/bootc/kargs.d/20.toml", "/usr/share/more.toml"),
            link("usr/lib/bootc/kargs.d/30.toml", "/dev/null"),
            file("usr/share/more.toml", "kargs = [\"a=1\"]\n"));
    assertThat(KernelArgumentsDirectory.read(tree, "amd64").list()).containsExactly("quiet", "a=1");
  }

  private static FileTree tree(At... changes) {
    Node.Directory root = new Node.Directory(Metadata.directory(0755), new TreeMap<>());
    for (At at : Stream.concat(SOUND.stream(), Arrays.stream(changes)).toList()) {
      root = put(root, OsPath.of(at.path()).components(), at.node());
    }
    return new FileTree(root);
  }

  private static Node.Directory put(Node.Directory directory, List<OsPath> path, Node node) {
    var children = new TreeMap<>(directory.children());
    OsPath name = path.getFirst();
    if (path.size() > 1) {
      Node below = children.get(name);
      Node.Directory inner =
          below instanceof Node.Directory d
              ? d
              : new Node.Directory(Metadata.directory(0755), new TreeMap<>());
      children.put(name, put(inner, path.subList(1, path.size()), node));
    } else if (node == Node.Whiteout.INSTANCE) {
      children.remove(name);
    } else {
      children.put(name, node);
    }
    return new Node.Directory(directory.metadata(), children);
  }

  static Stream<Arguments> broken() {
    return Stream.of(
        Arguments.of("api-base-directories", "/proc is missing", new At[] {gone("proc")}),
        Arguments.of(
            "api-base-directories",
            "/dev is not a directory",
            new At[] {gone("dev"), file("dev", "")}),
        Arguments.of(
            "baseimage-composefs",
            "/etc/ostree/prepare-root.conf does not turn composefs on",
            new At[] {file("etc/ostree/prepare-root.conf", "[sysroot]\nreadonly=true\n")}),
        Arguments.of(
            "baseimage-composefs",
            "/usr/lib/ostree/prepare-root.conf is missing, so composefs is off",
            new At[] {gone("usr/lib/ostree/prepare-root.conf")}),
        Arguments.of(
            "baseimage-root",
            "/ostree is not a link to sysroot/ostree",
            new At[] {gone("ostree"), link("ostree", "/sysroot/ostree")}),
        Arguments.of("baseimage-root", "/sysroot is not a directory", new At[] {gone("sysroot")}),
        Arguments.of(
            "bootc-kargs",
            "kargs.d/20.toml",
            new At[] {file("usr/lib/bootc/kargs.d/20.toml", "kargs = \"quiet\"\n")}),
        Arguments.of(
            "bootc-kargs",
            "kargs.d/20.toml is a link to ../none.toml, which is no file of the image",
            new At[] {link("usr/lib/bootc/kargs.d/20.toml", "../none.toml")}),
        Arguments.of(
            "buildah-injected",
            "/etc/hostname is empty; a builder left it",
            new At[] {file("etc/hostname", "")}),
        Arguments.of("etc-usretc", "/usr/etc exists", new At[] {directory("usr/etc")}),
        Arguments.of(
            "kernel", "6.12.1, 6.13.0", new At[] {file("usr/lib/modules/6.13.0/vmlinuz", "k")}),
        Arguments.of(
            "nonempty-boot",
            "/boot/vmlinuz will not be",
            new At[] {file("boot/vmlinuz", "k"), file("boot/EFI/x", "")}),
        Arguments.of(
            "nonempty-boot", "/boot/efi will not be", new At[] {file("boot/efi/EFI/x.efi", "")}),
        Arguments.of("nonempty-run-tmp", "/run/lock is hidden", new At[] {directory("run/lock")}),
        Arguments.of("nonempty-run-tmp", "/tmp/x", new At[] {file("tmp/x", "")}),
        Arguments.of(
            "sysusers",
            "user app of /etc/passwd",
            new At[] {file("etc/passwd", "root:x:0:0:::\napp:x:1:0:::\n")}),
        Arguments.of(
            "sysusers",
            "group root of /etc/group",
            new At[] {link("etc/sysusers.d/basic.conf", "/dev/null"), file("etc/passwd", "")}),
        Arguments.of(
            "utf8",
            "is not UTF-8",
            new At[] {link("usr/x", "y"), new At("usr/share/l", badLink())}),
        Arguments.of(
            "var-log",
            "/var/log/dpkg.log is a log",
            new At[] {
              file("var/log/dpkg.log", "x"),
              file("usr/lib/tmpfiles.d/l.conf", "f /var/log/dpkg.log\n")
            }),
        Arguments.of(
            "var-run", "/var/run is not a link", new At[] {gone("var/run"), directory("var/run")}),
        Arguments.of(
            "var-tmpfiles", "/var/lib/other has no line", new At[] {directory("var/lib/other")}),
        Arguments.of(
            "var-tmpfiles",
            "/var/lib/app has no line",
            new At[] {link("etc/tmpfiles.d/app.conf", "/dev/null")}));
  }

  private static Node badLink() {
    return new Node.Symlink(Metadata.symlink(), OsPath.ofBytes(new byte[] {'a', (byte) 0xff}));
  }

  @ParameterizedTest
  @MethodSource("broken")
  void namesTheBrokenRuleAndNoOther(String rule, String text, At[] changes) throws IOException {
    ImageLint.Report report = ImageLint.check(tree(changes), Set.of());
    assertThat(report.findings()).hasSize(1);
    assertThat(report.findings().getFirst().rule().name()).isEqualTo(rule);
    assertThat(report.findings().getFirst().texts()).anyMatch(t -> t.contains(text));
    ImageLint.Report without = ImageLint.check(tree(changes), Set.of(rule));
    assertThat(without.findings()).isEmpty();
    assertThat(without.skipped()).isEqualTo(1);
  }

  @Test
  void aSoundImagePassesAll() throws IOException {
    ImageLint.Report report = ImageLint.check(tree(), Set.of());
    assertThat(report.findings()).isEmpty();
    assertThat(report.passed()).isEqualTo(14);
    assertThat(broken().map(a -> a.get()[0]).distinct().count()).isEqualTo(14);
  }

  @Test
  void aNameOfAFileThatIsNotUtf8() throws IOException {
    Node file = new Node.File(Metadata.file(0644), Content.EMPTY);
    var children = new TreeMap<>(tree().root().children());
    children.put(OsPath.ofBytes(new byte[] {'x', (byte) 0xc3}), file);
    FileTree tree = new FileTree(new Node.Directory(Metadata.directory(0755), children));
    ImageLint.Report report = ImageLint.check(tree, Set.of());
    assertThat(report.findings()).extracting(f -> f.rule().name()).containsExactly("utf8");
    assertThat(report.count(ImageLint.Kind.FATAL)).isEqualTo(1);
  }

  @Test
  void theStubOfTheResolverMayStandInRun() throws IOException {
    assertThat(
            ImageLint.check(tree(file("run/systemd/resolve/stub-resolv.conf", "")), Set.of())
                .findings())
        .isEmpty();
  }

  @Test
  void linksAreFollowedInsideTheTreeOnly() throws IOException {
    ImageFiles files =
        new ImageFiles(
            tree(
                link("a", "/lib/../../../etc/passwd"),
                link("loop", "loop"),
                link("etc/out", "../../../../usr/lib/modules/6.12.1/vmlinuz")));
    assertThat(files.text("a")).contains("root:x:0:0::/root:/bin/sh\n");
    assertThat(files.text("lib/sysusers.d/basic.conf")).contains("u root 0\n");
    assertThat(files.text("loop")).isEmpty();
    assertThat(files.text("loop/x")).isEmpty();
    assertThat(files.text("etc/out")).contains("k");
    assertThat(files.names("lib/modules")).containsExactly("6.12.1");
  }

  @Test
  void refusesToSkipWhatIsNoRule() {
    assertThatThrownBy(() -> ImageLint.check(tree(), Set.of("var-rum")))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("var-rum")
        .hasMessageContaining("var-run");
  }
}
