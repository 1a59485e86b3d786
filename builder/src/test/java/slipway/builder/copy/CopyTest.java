package slipway.builder.copy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import slipway.archive.tar.Metadata;
import slipway.base.Problem;
import slipway.builder.engine.Lab;
import slipway.builder.engine.LabCase;
import slipway.builder.session.BuildRequest;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Xattrs;
import slipway.linux.process.Command;
import slipway.oci.model.Digest;
import slipway.oci.model.Manifest;
import slipway.tree.FileTree;
import slipway.tree.Node;

/** COPY and ADD where buildah is not the judge: what it does otherwise, or not at all. */
class CopyTest extends LabCase {
  private Path context(String containerfile) throws IOException {
    Path context = lab.context(containerfile);
    Files.createDirectories(context.resolve("dir/deep"));
    Files.writeString(context.resolve("a.txt"), "a\n");
    Files.writeString(context.resolve("dir/f1"), "1\n");
    Files.writeString(context.resolve("dir/deep/f2"), "2\n");
    Posix.chmod(OsPath.of(context.resolve("dir/deep")), 0750);
    return context;
  }

  private FileTree tree(String containerfile) throws IOException {
    return lab.tree(lab.build(BuildRequest.of(context(containerfile))));
  }

  private static Node node(FileTree tree, String path) {
    return tree.find(path).orElseThrow(() -> new AssertionError("no " + path));
  }

  private static String mode(FileTree tree, String path) {
    return Integer.toOctalString(node(tree, path).metadata().permissions());
  }

  @Test
  void directoriesBelowTheDestinationKeepTheirModes() throws Exception {
    FileTree tree =
        tree(
            """
            FROM scratch
            COPY dir/deep /new
            COPY dir/deep /slash/
            COPY --chmod=0711 dir /mode
            COPY --chmod=g+w,o= dir /symbolic
            """);
    assertThat(mode(tree, "new")).isEqualTo("755");
    assertThat(mode(tree, "slash")).isEqualTo("755");
    assertThat(mode(tree, "mode")).isEqualTo("711");
    assertThat(mode(tree, "mode/deep/f2")).isEqualTo("711");
    assertThat(mode(tree, "symbolic/deep")).isEqualTo("770");
    assertThat(mode(tree, "symbolic/f1")).isEqualTo("660");
  }

  /** In what a build keeps; in the layer are zeros, which are packed. */
  @Test
  void holesStayHoles() throws Exception {
    Path context = lab.context("FROM scratch\nCOPY sparse /a\nFROM scratch\nCOPY --from=0 /a /b\n");
    try (RandomAccessFile sparse = new RandomAccessFile(context.resolve("sparse").toFile(), "rw")) {
      sparse.setLength(64 << 20);
      sparse.write(1);
      sparse.seek((64 << 20) - 1);
      sparse.write(2);
    }
    FileTree tree = lab.tree(lab.build(BuildRequest.of(context)));
    assertThat(node(tree, "b"))
        .isInstanceOfSatisfying(
            Node.File.class, f -> assertThat(f.content().size()).isEqualTo(64 << 20));
    String used = Command.of("du", "-sk", lab.directory.toString()).output();
    assertThat(Long.parseLong(used.split("\\s")[0])).as("KiB on the disk").isLessThan(8 << 10);
  }

  @Test
  void parentsComeAlongFromThePivotOn() throws Exception {
    assertThat(
            Lab.files(
                tree(
                    """
                    FROM scratch
                    COPY --parents dir/deep/f2 a.txt /p/
                    COPY --parents dir/./deep/f* /q/
                    COPY --parents dir/deep /r/
                    """)))
        .containsExactly("p/a.txt", "p/dir/deep/f2", "q/deep/f2", "r/dir/deep/f2");
  }

  @Test
  void excludesAreRelativeToTheSource() throws Exception {
    assertThat(
            Lab.files(
                tree(
                    """
                    FROM scratch
                    COPY --exclude=deep dir /a/
                    COPY --exclude=**/f* --exclude=!deep/f2 dir /b/
                    COPY --exclude=*.txt . /c/
                    """)))
        .containsExactly("a/f1", "b/deep/f2", "c/Containerfile", "c/dir/deep/f2", "c/dir/f1");
  }

  @Test
  void inlineDocumentsBecomeFiles() throws Exception {
    Manifest.Image image =
        lab.build(
            """
            FROM scratch
            ENV WHO=world
            COPY <<one <<"two" /in/
            hello $WHO "quoted" \\$
            one
            hello $WHO
            two
            COPY --chmod=755 --chown=5:6 <<-EOF /script
            \t#!/bin/sh
            \tEOF
            """);
    assertThat(lab.text(image, "in/one")).isEqualTo("hello world \"quoted\" $\n");
    assertThat(lab.text(image, "in/two")).isEqualTo("hello $WHO\n");
    assertThat(lab.text(image, "script")).isEqualTo("#!/bin/sh\n");
    Metadata script = node(lab.tree(image), "script").metadata();
    assertThat(script.permissions()).isEqualTo(0755);
    assertThat(List.of(script.uid(), script.gid())).containsExactly(5, 6);
  }

  @Test
  void timesAttributesAndHardLinksStay() throws Exception {
    Path context = context("FROM scratch\nCOPY dir /d/\n");
    Path f1 = context.resolve("dir/f1");
    Files.setLastModifiedTime(f1, FileTime.fromMillis(1_234_567_890_000L));
    Xattrs.lsetxattr(OsPath.of(f1), OsPath.of("user.note"), new byte[] {7});
    Files.createLink(context.resolve("dir/hard"), f1);
    FileTree tree = lab.tree(lab.build(BuildRequest.of(context)));
    assertThat(node(tree, "d/f1").metadata().mtimeSeconds()).isEqualTo(1_234_567_890L);
    assertThat(node(tree, "d/f1").metadata().xattr("user.note")).contains(new byte[] {7});
    assertThat(node(tree, "d/hard")).isSameAs(node(tree, "d/f1"));
  }

  @Test
  void linksInTheContextCannotLeadOutOfIt() throws Exception {
    Path secret = directory.resolve("secret.txt");
    Files.writeString(secret, "secret");
    Path context = context("FROM scratch\nCOPY out /x\n");
    Files.createSymbolicLink(context.resolve("out"), Path.of("../secret.txt"));
    assertThatThrownBy(() -> lab.build(BuildRequest.of(context)))
        .hasMessageContaining("Containerfile:2: COPY: \"out\" is not in the build context");
    Path absolute = context("FROM scratch\nCOPY up/etc/hostname ../../a.txt /x/\n");
    Files.createSymbolicLink(absolute.resolve("up"), Path.of("/"));
    assertThatThrownBy(() -> lab.build(BuildRequest.of(absolute)))
        .hasMessageContaining("\"up/etc/hostname\" is not in the build context");
  }

  @Test
  void linksInTheImageCannotLeadOutOfIt() throws Exception {
    Path context =
        context(
            """
            FROM scratch
            COPY links /
            COPY a.txt /abs/file
            COPY a.txt /up/file
            COPY a.txt /dangling/x/file
            COPY a.txt /loose
            COPY dir /abs/
            """);
    Files.createDirectories(context.resolve("links/inside"));
    Path marker = directory.resolve("marker");
    Files.createDirectory(marker);
    Files.createSymbolicLink(context.resolve("links/abs"), marker);
    Files.createSymbolicLink(context.resolve("links/up"), Path.of("../../../../inside"));
    Files.createSymbolicLink(context.resolve("links/dangling"), Path.of("no/where"));
    Files.createSymbolicLink(context.resolve("links/loose"), marker.resolve("new"));
    FileTree tree = lab.tree(lab.build(BuildRequest.of(context)));
    assertThat(Posix.list(OsPath.of(marker))).isEmpty();
    String inside = marker.toString().substring(1);
    assertThat(Lab.files(tree))
        .contains("inside/file", "no/where/x/file", inside + "/file", inside + "/f1", "loose");
  }

  @Test
  void mistakesAreToldWithTheirPlace() throws Exception {
    Map<String, String> cases =
        Map.of(
            "COPY nothing /x", "Containerfile:2: COPY: \"nothing\" is not in the build context",
            "COPY no*g /x", "Containerfile:2: COPY: nothing in the build context fits no*g",
            "COPY a.txt dir /x", "Containerfile:2: COPY of several files needs a directory",
            "COPY [a /x/", "Containerfile:2: \"[a\" is not a pattern",
            "COPY --chown=nobody a.txt /", "the user \"nobody\" is not in the image's /etc/passwd",
            "COPY --chmod=u?x a.txt /", "\"u?x\" is not a mode",
            "COPY a.txt /x\nCOPY dir /x", "Containerfile:3: \"/x\" exists and is not a directory",
            "COPY dir /x/f1\nCOPY dir /x",
                "Containerfile:3: the source has a file where the image has a directory: /x/f1",
            "COPY a.txt /x/deep\nCOPY dir /x",
                "Containerfile:3: the source has a directory where the image has a file: /x/deep");
    for (Map.Entry<String, String> c : cases.entrySet()) {
      Path context = context("FROM scratch\n" + c.getKey() + "\n");
      assertThatThrownBy(() -> lab.build(BuildRequest.of(context)))
          .as(c.getKey())
          .isInstanceOf(Problem.class)
          .hasMessageContaining(c.getValue());
    }
    Path hidden = context("FROM scratch\nCOPY a.txt /x\n");
    Files.writeString(hidden.resolve(".containerignore"), "*.txt\n");
    assertThatThrownBy(() -> lab.build(BuildRequest.of(hidden)))
        .hasMessageContaining(
            "a.txt\" is not in the build context: .containerignore leaves it out");
  }

  @Test
  void addFetchesByHttp() throws Exception {
    byte[] body = "downloaded\n".getBytes(StandardCharsets.UTF_8);
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/files/",
        exchange -> {
          boolean known =
              exchange.getRequestURI().getPath().equals("/files/a%20b".replace("%20", " "));
          exchange.getResponseHeaders().add("Last-Modified", "Fri, 13 Feb 2009 23:31:30 GMT");
          exchange.sendResponseHeaders(known ? 200 : 404, known ? body.length : -1);
          if (known) {
            exchange.getResponseBody().write(body);
          }
          exchange.close();
        });
    server.start();
    try {
      String url = "http://127.0.0.1:" + server.getAddress().getPort() + "/files/";
      String sum = Digest.sha256(body).toString();
      FileTree tree =
          tree(
              "FROM scratch\nADD --checksum="
                  + sum
                  + " "
                  + url
                  + "a%20b /d/\nADD "
                  + url
                  + "a%20b /e\n");
      Metadata metadata = node(tree, "d/a b").metadata();
      assertThat(metadata.permissions()).isEqualTo(0600);
      assertThat(metadata.mtimeSeconds()).isEqualTo(1_234_567_890L);
      assertThat(((Node.File) node(tree, "e")).content().size()).isEqualTo(body.length);
      assertThatThrownBy(() -> tree("FROM scratch\nADD " + url + "none /d/\n"))
          .hasMessageContaining("Containerfile:2: ADD: " + url + "none answers with status 404");
      String wrong = Digest.sha256(new byte[0]).toString();
      assertThatThrownBy(
              () -> tree("FROM scratch\nADD --checksum=" + wrong + " " + url + "a%20b /d\n"))
          .hasMessageContaining("has the checksum " + sum + ", not " + wrong);
    } finally {
      server.stop(0);
    }
  }

  @Test
  @Tag("slow")
  void addSaysWhenTheAddressCannotBeReached() throws Exception {
    int port;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    }
    assertThatThrownBy(() -> tree("FROM scratch\nADD http://127.0.0.1:" + port + "/x /x\n"))
        .isInstanceOf(Problem.class)
        .hasMessageContaining(
            "Containerfile:2: ADD: cannot fetch http://127.0.0.1:"
                + port
                + "/x: 127.0.0.1:"
                + port
                + " does not answer");
  }

  @Test
  void addClonesRepositories() throws Exception {
    Path repository = directory.resolve("git/project.git");
    Files.createDirectories(repository);
    Command.of("sh", "-euc")
        .directory(repository)
        .with(
            """
            git init --quiet --initial-branch=main .
            git config user.name t; git config user.email t@example.org
            mkdir sub; echo one > sub/file; git add .; git commit --quiet -m one; git tag v1
            echo two > sub/file; git commit --quiet -am two
            touch .git/git-daemon-export-ok
            """)
        .run();
    int port;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    }
    Process daemon =
        Command.of(
                "git",
                "daemon",
                "--listen=127.0.0.1",
                "--port=" + port,
                "--base-path=" + repository.getParent(),
                "--reuseaddr",
                "--verbose")
            .start();
    try {
      daemon.errorReader().readLine(); // "Ready to rumble"
      String url = "git://127.0.0.1:" + port + "/project.git";
      Manifest.Image image =
          lab.build("FROM scratch\nADD " + url + "#v1:sub /old\nADD " + url + " /new\n");
      assertThat(lab.text(image, "old/file")).isEqualTo("one\n");
      assertThat(lab.text(image, "new/sub/file")).isEqualTo("two\n");
      assertThat(lab.tree(image).find("new/.git")).isEmpty();
      assertThatThrownBy(() -> lab.build("FROM scratch\nADD " + url + "#nothing /x\n"))
          .hasMessageContaining("Containerfile:2: ADD: " + url + "#nothing: git failed");
    } finally {
      Command.kill(daemon);
    }
  }

  @Test
  void addRefusesArchivesThatLeadOut() throws Exception {
    Path context = context("FROM scratch\nADD evil.tar /x/\n");
    Command.of("sh", "-euc")
        .directory(context)
        .with(
            "ln -s /tmp link; mkdir d; touch d/f; tar -cf evil.tar link; rm link;"
                + " mkdir link; touch link/escaped; tar -rf evil.tar link/escaped")
        .run();
    FileTree tree = lab.tree(lab.build(BuildRequest.of(context)));
    assertThat(Lab.files(tree)).containsExactly("x/link/escaped");
    assertThat(Files.exists(Path.of("/tmp/escaped"))).isFalse();
  }
}
