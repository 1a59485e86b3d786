package slipway.system.selinux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Stat;
import slipway.linux.process.Command;
import slipway.system.files.ImageFiles;
import slipway.tree.TreeBuilder;

/** Labels as libselinux gives them. */
class FileLabelsTest {
  private static final String FILES = "usr/etc/selinux/t/contexts/files/file_contexts";

  /** Lines of Fedora's policy, and some that need every rule. */
  private static final String CONTEXTS =
      """
      # a comment
      /.*\tsystem_u:object_r:default_t:s0
      /[^/]+\t--\tsystem_u:object_r:etc_runtime_t:s0
      /\t-d\tsystem_u:object_r:root_t:s0
      /usr(/.*)?\tsystem_u:object_r:usr_t:s0
      /usr/(.*/)?bin(/.*)?\tsystem_u:object_r:bin_t:s0
      /usr/(.*/)?lib(/.*)?\tsystem_u:object_r:lib_t:s0
      /usr/lib/systemd/system(/.*)?\tsystem_u:object_r:systemd_unit_file_t:s0
      /usr/bin/su(do)?\t--\tsystem_u:object_r:su_exec_t:s0
      /usr/bin/x\\.sh\t--\tsystem_u:object_r:dotted_t:s0
      /usr/(sbin|bin)/login\t--\tsystem_u:object_r:login_exec_t:s0
      /etc/.*\tsystem_u:object_r:etc_t:s0
      /etc/shadow.*\t--\tsystem_u:object_r:shadow_t:s0
      /etc/[0-9[]+\t--\tsystem_u:object_r:class_t:s0
      /etc/[[:digit:]]x&&y\t--\tsystem_u:object_r:posix_t:s0
      /etc/localtime\t-l\tsystem_u:object_r:locale_t:s0
      /var(/.*)?\tsystem_u:object_r:var_t:s0
      /var/run/.*\tsystem_u:object_r:var_run_t:s0
      /tmp/.*\t<<none>>
      /mnt(/[^/]*)?\t-d\tsystem_u:object_r:mnt_t:s0
      """;

  private static final String[] PATHS = {
    "/",
    "/x",
    "/usr",
    "/usr/bin",
    "/usr/bin/ls",
    "/usr/local/bin/ls",
    "/usr/bin/su",
    "/usr/bin/sudo",
    "/usr/bin/sud",
    "/usr/bin/x.sh",
    "/usr/bin/x-sh",
    "/usr/bin/login",
    "/usr/sbin/login",
    "/usr/lib/systemd/system/a.service",
    "/usr/lib64",
    "/usr/share/x",
    "/etc",
    "/etc/a/b",
    "/etc/shadow",
    "/etc/shadow-",
    "/etc/12",
    "/etc/1[",
    "/etc/3x&&y",
    "/etc/localtime",
    "/var/run/x",
    "/run/x",
    "/run/lock/x",
    "/tmp/x",
    "/mnt",
    "/mnt/a",
    "/home-inst",
    "/home-inst/me",
    "/usr/lib/\u00e4"
  };

  private static final String SUBS = "/run /var/run\n/home-inst /home\n";
  private static final String HOMES = "/home(/.*)?\tsystem_u:object_r:home_t:s0\n";
  private static final String LOCAL = "/usr/share/x\tsystem_u:object_r:own_t:s0\n";

  @TempDir Path dir;

  private static FileLabels labels(String contexts) throws IOException {
    return of(contexts, "SELINUX=enforcing\nSELINUXTYPE=t\n").orElseThrow();
  }

  private static Optional<FileLabels> of(String contexts, String config) throws IOException {
    TreeBuilder tree = new TreeBuilder();
    tree.file("usr/etc/selinux/config", 0644, bytes(config));
    tree.file(FILES, 0644, bytes(contexts));
    tree.file(FILES + ".homedirs", 0644, bytes(HOMES));
    tree.file(FILES + ".local", 0644, bytes(LOCAL));
    tree.file(FILES + ".subs_dist", 0644, bytes(SUBS));
    return FileLabels.of(new ImageFiles(tree.build()));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static String label(FileLabels labels, String path, int type) {
    return labels.label(OsPath.of(path.substring(1)), type).orElse("<<none>>");
  }

  @Test
  void theyAreThoseOfLibselinux() throws IOException {
    FileLabels labels = labels(CONTEXTS);
    assertThat(labels.name()).isEqualTo("t");
    Path contexts = dir.resolve("file_contexts");
    Files.writeString(contexts, CONTEXTS);
    Files.writeString(dir.resolve("file_contexts.homedirs"), HOMES);
    Files.writeString(dir.resolve("file_contexts.local"), LOCAL);
    Files.writeString(dir.resolve("file_contexts.subs_dist"), SUBS);
    for (String kind : new String[] {"file", "dir", "link"}) {
      String[] theirs =
          Command.of("matchpathcon", "-N", "-n", "-f", contexts.toString(), "-m", kind)
              .with(PATHS)
              .output()
              .split("\n");
      int type =
          switch (kind) {
            case "file" -> Stat.S_IFREG;
            case "dir" -> Stat.S_IFDIR;
            default -> Stat.S_IFLNK;
          };
      for (int i = 0; i < PATHS.length; i++) {
        assertThat(label(labels, PATHS[i], type)).as(kind + " " + PATHS[i]).isEqualTo(theirs[i]);
      }
    }
  }

  @Test
  void aFewAreKnown() throws IOException {
    FileLabels labels = labels(CONTEXTS);
    assertThat(label(labels, "/usr/bin/sudo", Stat.S_IFREG)).endsWith(":su_exec_t:s0");
    assertThat(label(labels, "/run/x", Stat.S_IFREG)).endsWith(":var_run_t:s0");
    assertThat(label(labels, "/home-inst/me", Stat.S_IFDIR)).endsWith(":home_t:s0");
    assertThat(label(labels, "/proc", Stat.S_IFDIR)).endsWith(":mnt_t:s0");
    assertThat(label(labels, "/tmp/x", Stat.S_IFREG)).isEqualTo("<<none>>");
  }

  @Test
  void withoutAPolicyThereAreNone() throws IOException {
    assertThat(of(CONTEXTS, "SELINUX=disabled\nSELINUXTYPE=t\n")).isEmpty();
    assertThat(of(CONTEXTS, "SELINUX=Permissive\nSELINUXTYPE=t \n")).isPresent();
    assertThat(of(CONTEXTS, "SELINUX=enforcing\nSELINUXTYPE=other\n")).isEmpty();
    assertThat(FileLabels.of(new ImageFiles(new TreeBuilder().build()))).isEmpty();
    assertThatThrownBy(() -> of(CONTEXTS, "SELINUX=enforcing\nSELINUXTYPE=../../t\n"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("names the policy \"")
        .hasMessageEndingWith("correct SELINUXTYPE there");
  }

  /** As policies have them, some of Fedora's. */
  @Test
  void honestPatternsAreTaken() throws IOException {
    String[][] all = {
      {"/var/log/(s|p)?a(.*)?", "/var/log/sax"},
      {"/usr/(.*/)?(s)?bin/(a|b)[^/]*", "/usr/local/sbin/bx"},
      {"/dev/[0-9]{1,3}x[ab]{2}", "/dev/12xab"},
      {"/dev/(misc/)?(tty|vcs)[^/]+", "/dev/misc/vcsa"},
      {"/a(\\.d)?(/[^]/]*)?(.*)?(/.*)?", "/a.d/b/c"},
      {"/opt/(.*/)?[^/]*\\.so(\\.[^/]*)*", "/opt/x/l.so.1.2"},
      {"/a[(]x|/b", "/b"},
    };
    for (String[] each : all) {
      FileLabels labels = labels(each[0] + "\tl\n");
      assertThat(label(labels, each[1], Stat.S_IFREG)).as(each[0]).isEqualTo("l");
    }
  }

  @Test
  void allFilesTogetherHaveABound() throws IOException {
    TreeBuilder tree = new TreeBuilder();
    tree.file("usr/etc/selinux/config", 0644, bytes("SELINUX=enforcing\nSELINUXTYPE=t\n"));
    tree.file(FILES, 0644, bytes("/.*x\tl\n"));
    ImageFiles files = new ImageFiles(tree.build());
    FileLabels labels = FileLabels.of(files, 1000).orElseThrow();
    assertThat(label(labels, "/ax", Stat.S_IFREG)).isEqualTo("l");
    assertThatThrownBy(
            () -> {
              for (int i = 0; i < 1000; i++) {
                label(labels, "/ax", Stat.S_IFREG);
              }
            })
        .isInstanceOf(Problem.class)
        .hasMessageContaining("takes too long");
    // Other names are looked through for a path that no line begins like, too.
    TreeBuilder named = new TreeBuilder(tree.build());
    named.file(FILES, 0644, bytes("/z\tl\n"));
    named.file(FILES + ".subs", 0644, bytes("/a /b\n".repeat(1001)));
    FileLabels many = FileLabels.of(new ImageFiles(named.build()), 1000).orElseThrow();
    assertThatThrownBy(() -> many.label(OsPath.of("ax"), Stat.S_IFREG))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("takes too long");
    tree.file(FILES + ".subs", 0644, bytes("/a /b\n".repeat(200_001)));
    assertThatThrownBy(() -> FileLabels.of(new ImageFiles(tree.build())))
        .hasMessageContaining("more than 200000 lines");
  }

  /** A blank in a path can be written in no other way than these. */
  @Test
  void charactersMayBeWrittenByTheirNumbers() throws IOException {
    TreeBuilder tree = new TreeBuilder();
    tree.file("usr/etc/selinux/config", 0644, bytes("SELINUX=enforcing\nSELINUXTYPE=t\n"));
    tree.file(
        FILES,
        0644,
        bytes("/srv/My\\x20Site(/.*)? x\n/srv/My\\040House o\n/home/.* h\n/opt/\\x2(/.*)? p\n"));
    FileLabels labels = FileLabels.of(new ImageFiles(tree.build())).orElseThrow();
    assertThat(label(labels, "/srv/My Site/a", Stat.S_IFREG)).isEqualTo("x");
    assertThat(label(labels, "/srv/My House", Stat.S_IFREG)).isEqualTo("o");
    assertThatThrownBy(() -> label(labels, "/opt/x", Stat.S_IFREG))
        .hasMessageContaining("is not taken here")
        .hasMessageContaining("(a number of a character that has not two digits)");
  }

  /** Patterns are an image's words. */
  @Test
  void patternsHaveBounds() throws IOException {
    String path = "/" + "a".repeat(4000);
    for (String pattern : new String[] {"/(a|a?)+b", "/((a+)+)+b", "/[", "/(?:(a)|b)*c{1,9}("}) {
      assertThatThrownBy(() -> label(labels(pattern + "\tl\n"), path, Stat.S_IFREG))
          .as(pattern)
          .isInstanceOf(Problem.class)
          .hasMessageStartingWith("line 1 of the image's /" + FILES + " has a pattern");
    }
    // These read nothing, or nothing any more at the end of a path.
    for (String pattern :
        new String[] {
          "/x(){2000000000}b",
          "/x(((){1000}){1000}){1000}b",
          "/x(((a?){1000}){1000}){1000}b",
          "/x" + "(|)".repeat(60) + "b",
          "/x" + "(a?|b?)".repeat(60) + "c",
          "/x" + "((c*)?)?".repeat(60) + "d",
          "/x(?=y)",
          "/x" + "(\\x61?|\\x62?)".repeat(26) + "c",
          "/x" + "(\\x{61}?|\\x62?)".repeat(26) + "c",
          "/x" + "(\\0141?|\\142?)".repeat(26) + "c",
          "/x" + "(\\u00611?|\\N?)".repeat(26) + "c",
          "/x" + "(\\cA?|\\Qa\\E?)".repeat(26) + "c",
          "/xy{0}{300000000}",
          "/x((y{0}{1000}){900}){200}",
          "/xy**",
          "/xy?+*",
          "/x^*",
          "/x|*",
          "/xy{,3}",
          "/xy{3,1}",
          "/x[b-a]",
          "/x.*" + "a".repeat(4096),
          "/x" + "(".repeat(60) + ")".repeat(60)
        }) {
      assertThatThrownBy(() -> label(labels(pattern + "\tl\n"), "/x", Stat.S_IFREG))
          .as(pattern)
          .isInstanceOf(Problem.class)
          .hasMessageStartingWith("line 1 of the image's /" + FILES + " has a pattern");
    }
    assertThatThrownBy(() -> labels("/a\t" + "l".repeat(4096) + "\n"))
        .hasMessage(
            "line 1 of the image's /" + FILES + " has a label of more than 4095 characters");
    assertThatThrownBy(() -> labels(("/" + "a".repeat(4095) + " l\n").repeat(513)))
        .hasMessageContaining("patterns of more than 2097152 characters");
    assertThatThrownBy(() -> labels("/x -q l\n")).hasMessageContaining("the kind of file");
    assertThatThrownBy(() -> labels("/x\n")).hasMessageContaining("is not PATTERN [-KIND] LABEL");
  }
}
