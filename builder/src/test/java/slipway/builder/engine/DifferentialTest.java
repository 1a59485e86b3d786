package slipway.builder.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import slipway.builder.session.BuildRequest;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.process.Command;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Json;
import slipway.oci.model.Manifest;
import slipway.oci.model.Platform;
import slipway.tree.FileTree;
import slipway.tree.FileTrees;
import tools.jackson.databind.JsonNode;

/** The same contexts built by buildah and by us: the files and the configuration must be equal. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DifferentialTest {
  private Lab lab;
  private Buildah buildah;

  @BeforeAll
  void open(@TempDir Path directory) throws Exception {
    lab = new Lab(directory);
    Path root = directory.resolve("rootfs");
    Lab.makeRoot(root);
    // buildah leaves its mount points in the image; so it must find them there.
    for (String d : List.of("dev", "proc", "run", "sys")) {
      Files.createDirectory(root.resolve(d));
    }
    for (String f : List.of("hostname", "hosts", "resolv.conf")) {
      Files.createFile(root.resolve("etc").resolve(f));
    }
    lab.importRoot(root, Lab.BASE);
    buildah = new Buildah(directory);
    buildah.importFrom(lab, Lab.BASE);
  }

  @AfterAll
  void close() throws Exception {
    buildah.close();
    lab.close();
  }

  /**
   * @param ignore what differs by nature
   */
  private record Case(String name, String containerfile, FileTrees.Ignore... ignore) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static final FileTrees.Ignore[] TIMES = {FileTrees.Ignore.MTIME};
  private static final FileTrees.Ignore[] DIRECTORY_TIMES = {FileTrees.Ignore.DIRECTORY_MTIME};

  static Stream<Case> cases() {
    return Stream.of(
        new Case(
            "configuration",
            """
            FROM base:1
            ENV A=1 B="two words" C='$A' D=$A
            ENV E $B and more
            ENV PATH=$PATH:/opt/bin
            LABEL a=b "with space"="c d" v=${A:-x}
            EXPOSE 80 53/udp
            VOLUME /data ["/x"]
            VOLUME ["/y", "/z w"]
            USER user:wheel
            WORKDIR /srv
            WORKDIR sub/../dir
            ENTRYPOINT ["/bin/sh", "-c"]
            CMD echo hello $A
            STOPSIGNAL SIGINT
            HEALTHCHECK --interval=5s --retries=2 CMD true && false
            MAINTAINER someone
            """,
            TIMES),
        new Case(
            "entrypoint resets the base's command",
            "FROM base:1\nENTRYPOINT /bin/ls -l\n",
            DIRECTORY_TIMES),
        new Case(
            "files",
            """
            FROM base:1
            COPY a.txt /one
            COPY a.txt /newdir/
            COPY a.txt b.sh /both/
            COPY a.txt /tmp
            COPY a.txt lib/
            COPY a.txt etc/passwd2
            WORKDIR /work
            COPY a.txt .
            COPY a.txt ./sub/c.txt
            COPY ["with space.txt", "with space 2.txt"]
            """,
            DIRECTORY_TIMES),
        new Case(
            "directories",
            """
            FROM base:1
            COPY dir /new
            COPY dir /new/
            COPY dir/ /usr/lib
            COPY dir /lib/under
            COPY dir/deep /deep/er
            COPY --chown=user:wheel dir/deep /owned
            COPY . /all/
            """,
            TIMES),
        new Case(
            "patterns",
            """
            FROM base:1
            COPY *.txt /a/
            COPY d?r/*/f[1-2] /b/
            COPY dir/f[^1] /c/
            COPY b* /d/
            """,
            DIRECTORY_TIMES),
        new Case(
            "owners and modes",
            """
            FROM base:1
            COPY --chown=user a.txt /1
            COPY --chown=user:wheel a.txt /2
            COPY --chown=1000 a.txt /3
            COPY --chown=1234:4321 dir/deep /4
            COPY --chown=0:wheel a.txt /5
            COPY --chmod=600 a.txt /6
            COPY b.sh /8
            """,
            DIRECTORY_TIMES),
        new Case(
            "ignored",
            """
            FROM base:1
            COPY . /all
            COPY dir /dir
            """,
            TIMES),
        new Case(
            "stages",
            """
            ARG WHICH=1
            FROM base:1 AS build
            RUN mkdir -p /out/d && echo 1 > /out/d/1 && echo 2 > /out/2 && chown 1000:10 /out/2 \
             && ln -s 2 /out/link && ln /out/2 /out/hard && chmod 4755 /out/d/1
            FROM base:1 AS unused
            RUN echo never built && false
            FROM base:${WHICH}
            COPY --from=build /out /in
            COPY --from=0 /out/2 /out/link /files/
            COPY --from=base:1 /bin/busybox /busybox
            """,
            TIMES),
        new Case(
            "commands on files",
            """
            FROM base:1
            COPY dir /srv/dir
            RUN rm /etc/group && rm -r /home && mkdir /home && echo new > /home/file
            RUN rm -rf /srv/dir && mkdir /srv/dir && touch /srv/dir/only
            RUN mv /usr/lib /usr/lib2 && ln -s lib2 /usr/lib
            RUN echo a > /x && ln /x /y && chmod 4711 /x && chown 5:6 /x && mkfifo /pipe
            RUN chmod 1700 /var && chown 1000 /var/lib && touch -d @1500000000 /old
            RUN rm /x && cd /tmp && touch 'with space' "new line" äö && mkdir -p a/b/c
            RUN true
            """,
            FileTrees.Ignore.MTIME),
        new Case(
            "archives",
            """
            FROM base:1
            ADD one.tar /tar/
            ADD one.tar.gz /gz
            ADD one.tar.bz2 /bz2/x/
            ADD one.tar.xz /xz/
            ADD not.tar.gz /not/
            ADD --chown=1000:1000 a.txt /owned/
            ADD a.txt /plain
            ADD dir/deep /dir
            ADD nodirs.tar /
            ADD modes.tar /home
            """,
            DIRECTORY_TIMES),
        new Case(
            "users",
            """
            FROM base:1
            USER user
            WORKDIR /home/user/w
            RUN id -u > ~/uid && id -g > ~/gid && echo $HOME > home && pwd > pwd
            USER 1000:5
            RUN id -g > gid2
            USER 77
            RUN id -u > /tmp/77 && id -g >> /tmp/77
            """,
            TIMES),
        new Case(
            "arguments",
            """
            ARG GLOBAL=g
            FROM base:1
            ARG GLOBAL
            ARG LOCAL=l
            ARG GIVEN=default
            ARG NONE
            ENV FROMARG=$LOCAL-${GIVEN}-${GLOBAL}
            RUN echo "$GLOBAL $LOCAL $GIVEN ${NONE-unset} $FROMARG $HOME" > /args
            ENV LOCAL=hidden
            ARG LOCAL=again
            RUN echo "$LOCAL" > /hidden
            COPY ${GIVEN}.txt /given
            """,
            TIMES),
        new Case(
            "another shell",
            """
            FROM base:1
            SHELL ["/bin/busybox", "sh", "-xc"]
            RUN echo $0 > /shell; echo $- > /flags
            ONBUILD RUN echo $x
            ONBUILD COPY . /ctx
            """,
            TIMES),
        new Case(
            "links",
            """
            FROM base:1
            COPY link.txt /followed
            COPY linkdir /copied
            COPY dir/inner /inner
            RUN ln -s /var/target /outlink && mkdir /var/target && ln -s ../../../../etc /up
            COPY a.txt /outlink/
            COPY a.txt /up/from-context
            COPY dir /outlink
            """,
            TIMES),
        new Case(
            "links in the way",
            """
            FROM base:1
            RUN mkdir /w && cd /w && echo old > f && mkdir d && echo old > d/f && ln -s ../f d/f1 \
             && ln -s f one && ln -s /w/f two && ln -s one three && ln -s nowhere nothing \
             && ln -s none/deep deep && ln -s d dir && ln -s dir dirs && ln -s missing new \
             && ln -s f outer && ln -s f archive
            COPY a.txt /w/one
            COPY a.txt /w/two
            COPY a.txt /w/three
            COPY a.txt /w/dir
            COPY b.sh /w/dirs/
            COPY a.txt /w/dirs/f
            COPY dir/f1 dir/f2 /w/dir/
            COPY dir/deep /w/deep
            COPY dir/deep /w/dirs
            COPY a.txt b.sh /w/new/
            COPY --from=base:1 /etc/group /w/outer
            ADD a.txt /w/archive
            """,
            TIMES));
  }

  /** One context for all. */
  private Path context(Case c) throws IOException {
    Path context = lab.context(c.containerfile);
    Files.writeString(context.resolve("a.txt"), "a\n");
    Files.writeString(context.resolve("b.sh"), "#!/bin/sh\n");
    Posix.chmod(OsPath.of(context.resolve("b.sh")), 0755);
    Files.writeString(context.resolve("with space.txt"), "w\n");
    Files.writeString(context.resolve("fromarg.txt"), "f\n");
    Files.createDirectories(context.resolve("dir/deep/deeper"));
    Files.writeString(context.resolve("dir/f1"), "1\n");
    Files.writeString(context.resolve("dir/f2"), "2\n");
    Files.writeString(context.resolve("dir/deep/f1"), "d1\n");
    Files.writeString(context.resolve("dir/deep/f3"), "d3\n");
    Files.writeString(context.resolve("dir/deep/deeper/x.log"), "x\n");
    Posix.chmod(OsPath.of(context.resolve("dir/f2")), 0640);
    if (!c.name.equals("ignored")) { // What of an ignored directory is needed has no mode there.
      Posix.chmod(OsPath.of(context.resolve("dir/deep")), 0710);
    }
    Files.createSymbolicLink(context.resolve("dir/inner"), Path.of("f1"));
    Files.createSymbolicLink(context.resolve("link.txt"), Path.of("a.txt"));
    Files.createSymbolicLink(context.resolve("linkdir"), Path.of("dir"));
    if (c.name.equals("archives")) {
      archives(context);
    }
    if (c.name.equals("ignored")) {
      Files.writeString(
          context.resolve(".dockerignore"),
          "# all\n*.txt\n!a.txt\ndir/deep\n!dir/deep/deeper\n**/f2\n");
    }
    try (Stream<Path> all = Files.walk(context)) {
      for (Path p : all.filter(f -> !Files.isSymbolicLink(f)).toList()) {
        Files.setLastModifiedTime(p, FileTime.fromMillis(1_650_000_000_000L));
      }
    }
    return context;
  }

  private static void archives(Path context) {
    Command sh = Command.of("sh", "-euc").directory(context);
    sh.with(
            """
            mkdir t t/d
            echo 1 > t/d/1; chmod 4755 t/d/1; echo 2 > t/2; ln t/2 t/hard; ln -s 2 t/soft
            chown 12:34 t/2; chmod 700 t/d
            tar -C t -cf one.tar .
            gzip -k one.tar; bzip2 -k one.tar; xz -k one.tar
            echo no | gzip > not.tar.gz
            rm -r t
            mkdir -p t/tmp t/home/user t/var/lib/new/deep t/user
            touch t/tmp/f t/home/user/f t/var/lib/new/deep/f
            tar -C t -cf nodirs.tar tmp/f home/user/f var/lib/new/deep/f
            chmod 710 t/user; chown 7:8 t/user; tar -C t -cf modes.tar user
            rm -r t
            """)
        .run();
  }

  @ParameterizedTest
  @Tag("slow")
  @MethodSource("cases")
  void buildsTheSame(Case c) throws Exception {
    Path context = context(c);
    String theirs = "localhost/theirs:" + c.name.replace(' ', '-').replace("'", "");
    buildah
        .build(context, theirs, "--build-arg", "GIVEN=fromarg", "-f", context + "/Containerfile")
        .run();
    buildah.exportTo(lab, theirs);
    Manifest.Image expected = lab.store.image(theirs, Platform.host());
    Manifest.Image actual =
        lab.build(BuildRequest.of(context).arguments(Map.of("GIVEN", "fromarg")));
    compareTrees(lab.tree(expected), lab.tree(actual), c);
    compareConfigs(lab.config(expected), lab.config(actual));
    compareDockerParts(buildah.inspect(theirs), lab.config(actual));
  }

  private static void compareTrees(FileTree expected, FileTree actual, Case c) throws IOException {
    List<FileTrees.Ignore> ignore = new java.util.ArrayList<>(List.of(c.ignore));
    ignore.add(FileTrees.Ignore.ROOT);
    List<String> differences =
        FileTrees.diff(expected, actual, ignore.toArray(FileTrees.Ignore[]::new)).stream()
            .map(Object::toString)
            .toList();
    assertThat(differences).isEmpty();
  }

  private static void compareConfigs(ImageConfig expected, ImageConfig actual) {
    assertThat(actual.platform()).isEqualTo(expected.platform());
    assertThat(actual.author()).isEqualTo(expected.author());
    assertThat(actual.env()).containsExactlyInAnyOrderElementsOf(expected.env());
    assertThat(actual.entrypoint()).isEqualTo(expected.entrypoint());
    assertThat(actual.cmd()).isEqualTo(expected.cmd());
    assertThat(actual.user()).isEqualTo(expected.user());
    assertThat(actual.workingDir()).isEqualTo(expected.workingDir());
    assertThat(actual.labels())
        .containsExactlyInAnyOrderEntriesOf(withoutBuildah(expected.labels()));
    assertThat(actual.exposedPorts()).containsExactlyInAnyOrderElementsOf(expected.exposedPorts());
    assertThat(actual.volumes()).containsExactlyInAnyOrderElementsOf(expected.volumes());
    assertThat(actual.stopSignal()).isEqualTo(expected.stopSignal());
  }

  /** What only Docker's format has. */
  private static void compareDockerParts(String inspected, ImageConfig actual) {
    JsonNode config = Json.read(inspected).path("Docker").path("config");
    assertThat(text(actual.healthcheck())).isEqualTo(text(config.get("Healthcheck")));
    assertThat(strings(config.path("OnBuild"))).isEqualTo(actual.onBuild());
    List<String> shell = actual.shell();
    assertThat(strings(config.path("Shell"))).isEqualTo(shell == null ? List.of() : shell);
  }

  private static String text(@Nullable JsonNode node) {
    return node == null || node.isNull()
        ? ""
        : new TreeMap<>(
                node.propertyStream()
                    .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue)))
            .toString();
  }

  private static List<String> strings(JsonNode array) {
    List<String> all = new ArrayList<>();
    array.forEach(n -> all.add(n.asString()));
    return all;
  }

  private static Map<String, String> withoutBuildah(Map<String, String> labels) {
    Map<String, String> rest = new java.util.HashMap<>(labels);
    rest.remove("io.buildah.version");
    return rest;
  }
}
