package slipway.builder.copy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import slipway.archive.tar.Metadata;
import slipway.base.Problem;
import slipway.builder.engine.Lab;
import slipway.builder.engine.LabCase;
import slipway.builder.session.BuildRequest;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.process.Command;
import slipway.oci.model.Manifest;
import slipway.tree.FileTree;
import slipway.tree.Node;

/** The rules of the Dockerfile reference for COPY and ADD that the peer at hand is too old for. */
@Timeout(120)
class CopyRulesTest extends LabCase {
  private Path context;

  @BeforeEach
  void open() throws Exception {
    context = lab.context("");
    for (String file : List.of("a/b/c/x.txt", "a/x.txt", "a/b/y.md", "x.txt", "z/w/x.txt")) {
      Files.createDirectories(context.resolve(file).getParent());
      Files.writeString(context.resolve(file), file);
    }
    Posix.chmod(OsPath.of(context.resolve("a/b")), 0700);
  }

  private FileTree tree(String containerfile) throws IOException {
    Files.writeString(context.resolve("Containerfile"), "FROM scratch\n" + containerfile);
    return lab.tree(lab.build(BuildRequest.of(context)));
  }

  private static String modeAndOwner(FileTree tree, String path) {
    Metadata m = tree.find(path).orElseThrow(() -> new AssertionError("no " + path)).metadata();
    return "%o %d:%d".formatted(m.permissions(), m.uid(), m.gid());
  }

  @Test
  void twoStarsAreAnyNumberOfDirectories() throws Exception {
    assertThat(Lab.files(tree("COPY --parents **/*.txt /d/\n")))
        .containsExactly("d/a/b/c/x.txt", "d/a/x.txt", "d/x.txt", "d/z/w/x.txt");
    assertThat(Lab.files(tree("COPY --parents a/**/x.txt /d/\n")))
        .containsExactly("d/a/b/c/x.txt", "d/a/x.txt");
    assertThat(Lab.files(tree("COPY --parents a/./**/c/* z/** /d/\n")))
        .containsExactly("d/b/c/x.txt", "d/z/w/x.txt");
    assertThat(Lab.files(tree("COPY --parents **/b /d/\n")))
        .containsExactly("d/a/b/c/x.txt", "d/a/b/y.md");
    // Without --parents it is one level, as elsewhere.
    assertThat(Lab.files(tree("COPY **/x.txt /d/\n"))).containsExactly("d/x.txt");
  }

  @Test
  void aPivotIsOfItsOwnSource() throws Exception {
    assertThat(Lab.files(tree("COPY --parents a/./b/y.md z/w/x.txt ./a/b/./c/x.txt /d/\n")))
        .containsExactly("d/b/y.md", "d/c/x.txt", "d/z/w/x.txt");
  }

  @Test
  void parentsAreAsInTheSourceUnlessTheyExist() throws Exception {
    FileTree tree =
        tree(
            "COPY --parents a/b/y.md /d/\n"
                + "COPY --parents --chown=5:6 a/b/c /e/\n"
                + "WORKDIR /f/a/b\nCOPY --parents a/b/y.md /f/\n");
    assertThat(modeAndOwner(tree, "d")).isEqualTo("755 0:0");
    assertThat(modeAndOwner(tree, "d/a/b")).isEqualTo("700 0:0");
    assertThat(modeAndOwner(tree, "e/a/b")).isEqualTo("700 5:6");
    assertThat(modeAndOwner(tree, "e/a/b/c")).isEqualTo("755 5:6");
    assertThat(modeAndOwner(tree, "f/a/b")).isEqualTo("755 0:0");
    Posix.chmod(OsPath.of(context.resolve("a/b")), 0750);
    assertThat(modeAndOwner(tree("COPY --parents a/b/y.md /d/\n"), "d/a/b")).isEqualTo("750 0:0");
  }

  @Test
  void aNewDestinationIsPlain() throws Exception {
    FileTree tree =
        tree(
            "COPY a/b /n\nCOPY a/b /s/\nCOPY --chown=5:6 a/b /o\nCOPY --chmod=711 a/b /m/\n"
                + "COPY --chmod=711 a/b /m2\n");
    assertThat(modeAndOwner(tree, "n")).isEqualTo("755 0:0");
    assertThat(modeAndOwner(tree, "s")).isEqualTo("755 0:0");
    assertThat(modeAndOwner(tree, "o")).isEqualTo("755 5:6");
    assertThat(modeAndOwner(tree, "m")).isEqualTo("711 0:0");
    assertThat(modeAndOwner(tree, "m2")).isEqualTo("711 0:0");
  }

  @Test
  void aFileTakesThePlaceOfALinkToNothing() throws Exception {
    Files.createDirectories(context.resolve("etc"));
    Files.createSymbolicLink(context.resolve("etc/resolv.conf"), Path.of("../run/resolv.conf"));
    FileTree tree = tree("COPY etc /etc/\nCOPY x.txt /etc/resolv.conf\n");
    assertThat(Lab.files(tree)).containsExactly("etc/resolv.conf");
    assertThat(tree.find("etc/resolv.conf").orElseThrow()).isInstanceOf(Node.File.class);
  }

  @Test
  void patternsPassNoLinkOver() throws Exception {
    Files.createSymbolicLink(context.resolve("a/dangling.txt"), Path.of("nowhere"));
    assertThatThrownBy(() -> tree("COPY a/*.txt /d/\n"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining(
            "Containerfile:2: \"a/dangling.txt\" is a link that leads to nothing in the build"
                + " context");
    Files.writeString(context.resolve(".containerignore"), "**/dangling*\n");
    assertThat(Lab.files(tree("COPY a/*.txt /d/\n"))).containsExactly("d/x.txt");
    Files.delete(context.resolve(".containerignore"));
    // As part of a directory it is a link like any other.
    assertThat(Lab.files(tree("COPY a /d/\n"))).contains("d/dangling.txt");
  }

  @Test
  void documentsAreExpandedAsAShellDoes() throws Exception {
    Manifest.Image image =
        lab.build(
            """
            # escape=`
            FROM scratch
            ENV A=v
            COPY <<a <<'b' /
            \\`date\\` \\$A $A \\\\ \\n "\\"" 'x'
            one \\
            two
            a
            \\`date\\` \\$A \\
            b
            """);
    assertThat(lab.text(image, "a")).isEqualTo("`date` $A v \\ \\n \"\\\"\" 'x'\none two\n");
    assertThat(lab.text(image, "b")).isEqualTo("\\`date\\` \\$A \\\n");
  }

  @Test
  void archivesWithoutDirectoriesLeaveThoseThatExist() throws Exception {
    Command.of("sh", "-euc")
        .directory(context)
        .with(
            """
            mkdir -p t/root/.ssh t/new/deep; touch t/root/.ssh/keys t/new/deep/f
            tar -C t --owner=7 --group=8 -cf nodirs.tar root/.ssh/keys new/deep/f; rm -r t
            """)
        .run();
    FileTree tree =
        tree(
            """
            COPY --chmod=700 --chown=1:2 a/b/c /root/.ssh
            COPY --chmod=1777 a/b/c /new
            ADD nodirs.tar /
            """);
    assertThat(modeAndOwner(tree, "root/.ssh")).isEqualTo("700 1:2");
    assertThat(modeAndOwner(tree, "root/.ssh/keys")).endsWith(" 7:8");
    assertThat(modeAndOwner(tree, "new")).isEqualTo("1777 0:0");
    assertThat(modeAndOwner(tree, "new/deep")).isEqualTo("755 0:0");
  }

  @Test
  void aModeForFilesLeavesDirectoriesSearchable() throws Exception {
    Command.of("sh", "-euc", "mkdir -p t/d/e; touch t/d/e/f; tar -C t -cf dirs.tar d")
        .directory(context)
        .run();
    FileTree tree =
        tree(
            "ADD --chmod=0644 dirs.tar /archive/\n"
                + "ADD --chmod=u=rw,go= dirs.tar /symbolic/\n"
                + "COPY --chmod=0640 a/b/c /new\n"
                + "COPY --parents --chmod=0600 a/b/y.md /p/\n");
    for (String directory : List.of("archive", "archive/d", "archive/d/e")) {
      assertThat(modeAndOwner(tree, directory)).as(directory).isEqualTo("755 0:0");
    }
    assertThat(modeAndOwner(tree, "archive/d/e/f")).isEqualTo("644 0:0");
    assertThat(modeAndOwner(tree, "symbolic/d")).isEqualTo("600 0:0");
    assertThat(modeAndOwner(tree, "new")).isEqualTo("750 0:0");
    assertThat(modeAndOwner(tree, "new/x.txt")).isEqualTo("640 0:0");
    assertThat(modeAndOwner(tree, "p/a/b")).isEqualTo("700 0:0");
    assertThat(modeAndOwner(tree, "p/a/b/y.md")).isEqualTo("600 0:0");
  }
}
