package slipway.cli.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Limit;
import slipway.cli.Ran;
import slipway.linux.mount.Mount;
import slipway.linux.process.Command;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code bootc container}, at the root of an image; {@code ImageLintTest} has the rules. */
class ContainerCommandTest {
  private static final String RULES =
      """
      api-base-directories baseimage-composefs baseimage-root bootc-kargs buildah-injected \
      etc-usretc kernel nonempty-boot nonempty-run-tmp sysusers utf8 var-log var-run var-tmpfiles""";

  @TempDir Path root;

  private Ran container(String... arguments) {
    return Ran.of("bootc", List.of("container"), arguments);
  }

  private Ran lint(String... more) {
    List<String> line = new ArrayList<>(List.of("lint", "--rootfs", root.toString()));
    line.addAll(List.of(more));
    return container(line.toArray(String[]::new));
  }

  private void write(String path, String text) throws IOException {
    Path file = root.resolve(path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  @BeforeEach
  void soundImage() throws IOException {
    for (String name : "dev proc sys run tmp var/log boot sysroot".split(" ")) {
      Files.createDirectories(root.resolve(name));
    }
    Files.createSymbolicLink(root.resolve("ostree"), Path.of("sysroot/ostree"));
    Files.createSymbolicLink(root.resolve("var/run"), Path.of("../run"));
    write("etc/passwd", "root:x:0:0::/root:/bin/sh\n");
    write("etc/group", "root:x:0:\n");
    write("usr/lib/sysusers.d/basic.conf", "u root 0\n");
    write("usr/lib/ostree/prepare-root.conf", "[composefs]\nenabled = true\n");
    write("usr/lib/modules/6.12.1/vmlinuz", "k");
    write("usr/lib/bootc/kargs.d/10.toml", "kargs = [\"quiet\", \"a=b\"]\n");
  }

  @Test
  void aSoundImagePasses() {
    assertThat(lint()).isEqualTo(new Ran(0, "Checks passed: 13\nChecks skipped: 1\n", ""));
  }

  @Test
  void whatIsBrokenIsToldAndCounted() throws Exception {
    for (int i = 1; i <= 7; i++) {
      write("var/log/" + i, "x");
    }
    String warning =
        """
        Lint warning: var-log: /var/log/1 is a log of the build
          /var/log/2 is a log of the build
          /var/log/3 is a log of the build
          /var/log/4 is a log of the build
          /var/log/5 is a log of the build
          ...and 2 more
        """;
    String counts = "Checks passed: 12\nChecks skipped: 1\nWarnings: 1\n";
    assertThat(lint()).isEqualTo(new Ran(0, warning + counts, ""));
    assertThat(lint("--fatal-warnings"))
        .isEqualTo(new Ran(1, warning + counts, "error: Checks failed: 1\n"));
    assertThat(lint("--no-truncate").out()).contains("\n  /var/log/7 is").doesNotContain("more");
    assertThat(lint("--skip", "var-log"))
        .isEqualTo(new Ran(0, "Checks passed: 12\nChecks skipped: 2\n", ""));
    Files.delete(root.resolve("sysroot"));
    Ran fatal = lint("--skip", "var-log");
    assertThat(fatal.status()).isEqualTo(1);
    assertThat(fatal.out())
        .startsWith("Failed lint: baseimage-root: /sysroot is not a directory\n");
    assertThat(fatal.err()).isEqualTo("error: Checks failed: 1\n");
    assertThat(lint("--skip", "var-rum").status()).isEqualTo(2);
    assertThat(container("lint", "--rootfs", root + "/none").err())
        .isEqualTo("error: --rootfs " + root + "/none is not a folder\n");
  }

  /** A build's container has mounts that are not of its image. */
  @Test
  void whatIsMountedIsNotLookedAt() throws Exception {
    Path mounted = Files.createDirectories(root.resolve("run/secrets"));
    try (Mount m = Mount.of("none", root.resolve("tmp"), "tmpfs", 0, null)) {
      Files.writeString(m.target().resolve("x"), "x");
      assertThat(lint().out()).contains("/run/secrets is hidden").doesNotContain("/tmp/x");
      Files.delete(mounted);
      assertThat(lint().out()).startsWith("Checks passed: 13\n");
    }
    Files.writeString(root.resolve("tmp/x"), "x");
    assertThat(lint().out()).contains("/tmp/x is a temporary file");
  }

  /** As on a machine that runs the image. */
  @Test
  void usrMayBeAMountOfItsOwn() throws Exception {
    try (Mount m = Mount.of("none", root.resolve("usr"), "tmpfs", 0, null)) {
      write("usr/lib/modules/9.9/vmlinuz", "k");
      write("usr/lib/bootc/kargs.d/a.toml", "kargs = [\"b\"]\n");
      assertThat(container("inspect", "--rootfs", root.toString()).out())
          .isEqualTo("Kernel: 9.9\n  Type: vmlinuz\n Kargs: b\n");
      write("usr/lib/modules/9.10/vmlinuz", "k");
      assertThat(lint().out()).contains("Failed lint: kernel: ");
    }
  }

  @Test
  void lintTellsProgramsToo() throws Exception {
    Files.writeString(root.resolve("tmp/x"), "x");
    Ran ran = lint("--json", "--fatal-warnings");
    assertThat(ran.status()).isEqualTo(1);
    assertThat(ran.err()).isEqualTo("error: Checks failed: 1\n");
    JsonNode shown = JsonMapper.shared().readTree(ran.out());
    assertThat(shown.path("passed").asInt()).isEqualTo(12);
    assertThat(shown.path("skipped").asInt()).isEqualTo(1);
    assertThat(shown.at("/findings/0/name").asString()).isEqualTo("nonempty-run-tmp");
    assertThat(shown.at("/findings/0/type").asString()).isEqualTo("warning");
    assertThat(shown.at("/findings/0/texts/0").asString()).contains("/tmp/x");
    assertThat(JsonMapper.shared().readTree(container("lint", "--list", "--json").out()))
        .hasSize(RULES.split(" ").length)
        .allMatch(rule -> rule.has("name") && rule.has("type") && rule.has("description"));
  }

  @Test
  void theRulesAreListedByName() {
    Ran all = container("lint", "--list");
    assertThat(all.out().lines().filter(l -> l.startsWith("- name: ")).map(l -> l.substring(8)))
        .containsExactly(RULES.split(" "));
    assertThat(all.out())
        .contains("- name: var-run\n  type: fatal\n  description: \"/var/run is a link.\"\n");
  }

  @Test
  void inspectTellsKernelAndArguments() throws Exception {
    JsonNode shown =
        JsonMapper.shared()
            .readTree(container("inspect", "--rootfs", root.toString(), "--json").out());
    assertThat(shown)
        .isEqualTo(
            JsonMapper.shared()
                .readTree(
                    """
                    {"kargs": ["quiet", "a=b"],
                     "kernel": {"version": "6.12.1", "unified": false}}
                    """));
    assertThat(container("inspect", "--rootfs", root.toString(), "--format", "yaml").out())
        .isEqualTo("kargs:\n- quiet\n- a=b\nkernel:\n  version: 6.12.1\n  unified: false\n");
    assertThat(container("inspect", "--rootfs", root + "/etc", "--format", "yaml").out())
        .isEqualTo("kargs: []\nkernel: null\n");
    assertThat(container("inspect", "--rootfs", root.toString()).out())
        .isEqualTo("Kernel: 6.12.1\n  Type: vmlinuz\n Kargs: quiet a=b\n");
    write("boot/EFI/Linux/6.13.efi", "x");
    assertThat(container("inspect", "--rootfs", root.toString()).out())
        .startsWith("Kernel: 6.13\n  Type: UKI\n");
    assertThat(container("inspect", "--rootfs", root + "/etc").out())
        .isEqualTo("Kernel: <none>\n Kargs: <none>\n");
  }

  /** What else lies at a root, such as an application's data, neither costs time nor a bound. */
  @Test
  void inspectReadsOnlyWhatItShows() throws Exception {
    write("srv/data", "x");
    try (RandomAccessFile huge = new RandomAccessFile(root.resolve("srv/data").toFile(), "rw")) {
      huge.setLength(Limit.LAYER_BYTES.value() + 1);
    }
    assertThat(lint().err()).contains("--limit layer-bytes=N");
    assertThat(container("inspect", "--rootfs", root.toString()))
        .isEqualTo(new Ran(0, "Kernel: 6.12.1\n  Type: vmlinuz\n Kargs: quiet a=b\n", ""));
  }

  /** As an upgrade and an installation do. */
  @Test
  void inspectFollowsLinksWithinTheImage() throws Exception {
    Files.createDirectories(root.resolve("usr/lib64"));
    Files.move(root.resolve("usr/lib/modules"), root.resolve("usr/lib64/modules"));
    Files.createSymbolicLink(root.resolve("usr/lib/modules"), Path.of("../lib64/modules"));
    assertThat(container("inspect", "--rootfs", root.toString()).out())
        .isEqualTo("Kernel: 6.12.1\n  Type: vmlinuz\n Kargs: quiet a=b\n");
    write("usr/boot/EFI/Linux/6.13.efi", "x");
    Files.delete(root.resolve("boot"));
    Files.createSymbolicLink(root.resolve("boot"), Path.of("usr/boot"));
    assertThat(container("inspect", "--rootfs", root.toString()).out())
        .startsWith("Kernel: 6.13\n  Type: UKI\n");
  }

  @Test
  void itsFilesAreExported() throws Exception {
    write("usr/lib/modules/6.12.1/initramfs.img", "i");
    Path file = Files.createTempFile("export", ".tar");
    try {
      assertThat(container("export", "--kernel-in-boot", "-o", file.toString(), root.toString()))
          .isEqualTo(new Ran(0, "", ""));
      assertThat(Command.of("tar", "-tf", file.toString()).output().lines())
          .contains(
              "./",
              "ostree",
              "boot/vmlinuz-6.12.1",
              "boot/initramfs-6.12.1.img",
              "usr/lib/modules/6.12.1/vmlinuz");
      assertThat(Command.of("tar", "-xOf", file.toString(), "boot/vmlinuz-6.12.1").output())
          .isEqualTo("k");
      assertThat(container("export", "-o", file.toString(), root.toString()).status()).isZero();
      assertThat(Command.of("tar", "-tf", file.toString()).output()).doesNotContain("boot/vmlinuz");
    } finally {
      Files.delete(file);
    }
    assertThat(container("export", "-o", "/dev/shm/x", root + "/none").err())
        .isEqualTo("error: DIR " + root + "/none is not a folder\n");
    assertThat(container("export", "--format", "zip", "-o", "/dev/shm/x", root.toString()).err())
        .isEqualTo("error: --format takes tar alone\n");
    Files.delete(root.resolve("usr/lib/modules/6.12.1/vmlinuz"));
    assertThat(container("export", "--kernel-in-boot", "-o", "/dev/shm/x", root.toString()).err())
        .contains("the image has no kernel");
    assertThat(Path.of("/dev/shm/x")).doesNotExist();
  }

  @Test
  void labelsAreLeftOutWhenNobodyWantsThem() throws Exception {
    Command.of("setfattr", "-n", "security.selinux", "-v", "a:b:c:s0")
        .with(root.resolve("etc/passwd").toString())
        .run();
    Path file = Files.createTempFile("export", ".tar");
    try {
      container("export", "-o", file.toString(), root.toString());
      assertThat(Files.readString(file, StandardCharsets.ISO_8859_1))
          .contains("SCHILY.xattr.security.selinux=a:b:c:s0");
      container("export", "--disable-selinux", "-o", file.toString(), root.toString());
      assertThat(Files.readString(file, StandardCharsets.ISO_8859_1)).doesNotContain("selinux");
    } finally {
      Files.delete(file);
    }
  }

  @Test
  void labelsAreThoseOfTheImagesPolicy() throws Exception {
    write("etc/selinux/config", "SELINUX=enforcing\nSELINUXTYPE=t\n");
    write(
        "etc/selinux/t/contexts/files/file_contexts",
        "/.*\tu:r:default_t:s0\n/etc/passwd\t--\tu:r:passwd_t:s0\n");
    Command.of("setfattr", "-n", "security.selinux", "-v", "of:the:container:s0")
        .with(root.resolve("etc/passwd").toString())
        .run();
    Path file = Files.createTempFile("export", ".tar");
    try {
      container("export", "-o", file.toString(), root.toString());
      assertThat(Files.readString(file, StandardCharsets.ISO_8859_1))
          .contains("SCHILY.xattr.security.selinux=u:r:passwd_t:s0\0")
          .contains("SCHILY.xattr.security.selinux=u:r:default_t:s0\0")
          .doesNotContain("of:the:container");
    } finally {
      Files.delete(file);
    }
  }

  /** What ukify is told; it is another's program, so a script stands in for it. */
  @Test
  void ukifyIsToldTheDigestOfTheRoot() throws Exception {
    Path tools = Files.createTempDirectory("tools");
    try {
      Path ukify = tools.resolve("ukify");
      Files.writeString(
          ukify,
          "#!/bin/sh\n[ \"$PWD\" = \""
              + root
              + "\" ] || exit 3\nprintf '%s\\n' \"$@\"\n"
              + "cat \"$3\" \"$5\" \"${11#@}\"\n");
      ukify.toFile().setExecutable(true);
      write("usr/lib/bootc/kargs.d/10.toml", "kargs = [\"a=1\", \"quiet\"]\n");
      write("usr/lib/modules/6.12.1/initramfs.img", "i");
      // Those of the host have the same names.
      write("etc/os-release", "ID=image\n");
      Files.createSymbolicLink(root.resolve("usr/lib/os-release"), Path.of("/etc/os-release"));
      String digest = container("compute-composefs-digest", root.toString()).out().strip();
      String classes = System.getProperty("java.class.path");
      String[] line = {
        "container",
        "ukify",
        "--rootfs",
        root.toString(),
        "--karg",
        "x=y",
        "--allow-missing-verity",
        "--",
        "--output",
        "/out/k.efi"
      };
      String told =
          Command.of(System.getProperty("java.home") + "/bin/java", "-Dslipway.name=bootc")
              .with("--enable-native-access=ALL-UNNAMED", "-cp", classes, "slipway.cli.Main")
              .with(line)
              .environment("PATH", tools + ":" + System.getenv("PATH"))
              .output();
      Path copies = Path.of(told.lines().toList().get(2)).getParent().getParent().getParent();
      assertThat(copies).doesNotExist();
      assertThat(told.lines())
          .containsExactly(
              "build",
              "--linux",
              copies + "/kernel/6.12.1/vmlinuz",
              "--initrd",
              copies + "/kernel/6.12.1/initramfs.img",
              "--uname",
              "6.12.1",
              "--cmdline",
              "a=1 quiet composefs=?" + digest + " x=y",
              "--os-release",
              "@" + copies + "/os-release",
              "--output",
              "/out/k.efi",
              "kiID=image");
    } finally {
      Command.of("rm", "-r", tools.toString()).run();
    }
    write("usr/lib/bootc/kargs.d/05.toml", "kargs = [\"@etc/shadow\"]\n");
    assertThat(container("ukify", "--rootfs", root.toString()).err())
        .startsWith("error: the first kernel argument is @etc/shadow, which ukify would take");
    Files.delete(root.resolve("usr/lib/bootc/kargs.d/05.toml"));
    Path initramfs = root.resolve("usr/lib/modules/6.12.1/initramfs.img");
    Files.delete(initramfs);
    assertThat(container("ukify", "--rootfs", root.toString()).err())
        .startsWith("error: there is no " + initramfs);
    for (String out : new String[] {"/etc/shadow", "../".repeat(20) + "etc/shadow"}) {
      Files.createSymbolicLink(initramfs, Path.of(out));
      assertThat(container("ukify", "--rootfs", root.toString()).err())
          .startsWith("error: there is no " + initramfs);
      Files.delete(initramfs);
    }
    assertThat(container("ukify").err()).startsWith("error: the running root changes");
  }

  @Test
  void theDigestOfASealedRootIsPrinted() {
    Ran ran = container("compute-composefs-digest", root.toString());
    assertThat(ran.out()).matches("[0-9a-f]{128}\n");
    assertThat(container("compute-composefs-digest", "/").err())
        .startsWith("error: the running root changes while it is read");
  }
}
