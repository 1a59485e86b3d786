package slipway.builder.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.builder.engine.BaseCase;
import slipway.builder.engine.Lab;
import slipway.builder.session.BuildRequest;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.oci.model.Manifest;
import slipway.tree.FileTrees;

/** RUN: what the command sees, what comes into the layer, what does not. */
class RunTest extends BaseCase {
  /** The names in the last layer. */
  private TreeSet<String> lastLayer(Manifest.Image image) throws IOException {
    TreeSet<String> names = new TreeSet<>();
    lab.layer(image.layers().getLast())
        .walk(
            (path, node) ->
                names.add((node instanceof slipway.tree.Node.Whiteout ? "-" : "") + path));
    return names;
  }

  @Test
  void theLayerHoldsWhatTheCommandDidAndNothingElse() throws Exception {
    Manifest.Image image =
        lab.build(
            """
            FROM base:1
            RUN --mount=type=cache,target=/root/.cache/deep --mount=type=tmpfs,target=/mnt/t \
                --mount=type=secret,id=none --network=none \
                echo x > /etc/new && rm /etc/group && touch /mnt/t/lost /root/.cache/deep/lost
            """);
    assertThat(lastLayer(image)).containsExactly("", "-etc/group", "etc", "etc/new");
    assertThat(lab.tree(image).find("etc/resolv.conf")).isEmpty();
    assertThat(lab.tree(image).find("proc")).isEmpty();
  }

  /** What separates options of mounts and of the runtime stands in the path of the state. */
  @Test
  void theStateMayLieInAFolderOfAnyName() throws Exception {
    String mounts =
        "FROM base:1\nRUN --network=none --mount=type=cache,target=/c"
            + " --mount=type=bind,target=/m,rw --mount=type=bind,from=base:1,target=/i,rw"
            + " cat /i/etc/group >/x && touch /m/y /c/z\nCOPY --from=base:1 /etc /y\n";
    Path odd = Files.createDirectory(directory.resolve("a,b:c\\d e"));
    try (Lab there = Lab.withBase(odd)) {
      assertThat(there.text(there.build(mounts), "x")).contains("root:x:0:");
      there.build("FROM base:1\nRUN echo connected\n");
      assertThat(there.output).containsExactly("connected");
    }
  }

  @Test
  void aCommandThatChangesNothingMakesNoLayer() throws Exception {
    Manifest.Image image = lab.build("FROM base:1\nRUN true\nRUN cat /etc/passwd\nWORKDIR /tmp\n");
    assertThat(image.layers()).hasSize(1);
    assertThat(lab.config(image).history().stream().map(h -> h.emptyLayer()))
        .containsExactly(false, true, true, true);
  }

  @Test
  void theEnvironmentIsTheImagesAndTheArguments() throws Exception {
    Path context =
        lab.context(
            """
            FROM base:1
            ENV A=1
            ARG B=2
            ARG HTTPS_PROXY
            USER user
            RUN env
            """);
    lab.build(
        lab.builder(Map.of("no_proxy", "localhost", "SECRET_OF_HOST", "x")),
        BuildRequest.of(context)
            .arguments(Map.of("B", "3", "HTTPS_PROXY", "http://p:1", "ftp_proxy", "http://f:1")));
    assertThat(lab.output)
        .contains(
            "A=1",
            "B=3",
            "HOME=/home/user",
            "HTTPS_PROXY=http://p:1",
            "ftp_proxy=http://f:1",
            "no_proxy=localhost")
        .noneMatch(l -> l.startsWith("SECRET_OF_HOST"));
  }

  @Test
  void theContainerIsConfined() throws Exception {
    lab.build(
        """
        FROM base:1
        RUN grep CapEff /proc/self/status; hostname; cat /etc/hosts; ls /dev
        RUN mount -t tmpfs none /tmp 2>&1 || true; echo 1 > /proc/sys/kernel/hostname || true
        RUN echo $$; read line || echo end of input; ls /proc/self/fd | wc -l
        USER user
        RUN grep CapEff /proc/self/status; id
        RUN --network=none cat /proc/net/dev | grep -c :
        """);
    assertThat(lab.output)
        .contains(
            "CapEff:\t00000000800405fb",
            "slipway",
            "CapEff:\t0000000000000000",
            "uid=1000(user) gid=1001(user) groups=10(wheel)",
            "end of input",
            "1")
        .anyMatch(l -> l.contains("ermission denied") || l.contains("not permitted"));
  }

  @Test
  void insecureMustBeAllowed() throws Exception {
    Path context =
        lab.context("FROM base:1\nRUN --security=insecure grep CapEff /proc/self/status\n");
    assertThatThrownBy(() -> lab.build(BuildRequest.of(context)))
        .hasMessageContaining("Containerfile:2: RUN --security=insecure is refused");
  }

  @Test
  void documentsAreScripts() throws Exception {
    Manifest.Image image =
        lab.build(
            """
            FROM base:1
            ENV V=value
            RUN <<EOF
            echo one $V > /one
            echo "two" > /two
            EOF
            RUN <<-'EOF' tee /three
            \tthree $V
            EOF
            RUN cat <<A - <<B > /four
            a $V
            A
            b
            B
            RUN <<EOF
            #!/bin/awk -f
            BEGIN { print "five" > "/five" }
            EOF
            """);
    assertThat(lab.text(image, "one")).isEqualTo("one value\n");
    assertThat(lab.text(image, "two")).isEqualTo("two\n");
    assertThat(lab.text(image, "three")).isEqualTo("three $V\n");
    assertThat(lab.text(image, "four")).isEqualTo("b\n");
    assertThat(lab.text(image, "five")).isEqualTo("five\n");
  }

  @Test
  @Tag("slow")
  void mountsBringFilesInForTheTimeOfTheCommand() throws Exception {
    Path context =
        lab.context(
            """
            FROM base:1 AS tools
            RUN mkdir /t && echo tool > /t/tool
            FROM base:1
            WORKDIR /w
            RUN --mount=target=/ctx cat /ctx/file /ctx/hidden || true
            RUN --mount=type=bind,from=tools,source=/t,target=rel cat /w/rel/tool && ! touch rel/x
            RUN --mount=type=bind,from=tools,source=t,dst=/rw,rw touch /rw/new && ls /rw
            RUN --mount=source=file,target=/one cat /one
            RUN --mount=from=base:1,source=/etc/passwd,target=/users head -1 /users
            RUN --mount=type=tmpfs,target=/big,size=1m df -k /big | tail -1
            RUN test ! -e /rw/new && ls -A /w
            """);
    Files.writeString(context.resolve("file"), "context\n");
    Files.writeString(context.resolve("hidden"), "hidden\n");
    Files.writeString(context.resolve(".containerignore"), "hidden\n");
    Manifest.Image image = lab.build(BuildRequest.of(context));
    assertThat(lab.output)
        .contains("context", "tool", "new", "root:x:0:0:root:/root:/bin/sh")
        .doesNotContain("hidden")
        .anyMatch(l -> l.matches(".*\\b1024\\b.*/big"));
    assertThat(Files.exists(context.resolve("new"))).isFalse();
    assertThat(lab.tree(image).find("one")).isEmpty();
  }

  @Test
  void mountsWithinMountsAreSeenHoweverTheyAreWritten() throws Exception {
    Path context =
        lab.context(
            """
            FROM base:1
            RUN --mount=type=cache,target=/src/target --mount=target=/src \
                cat /src/file && touch /src/target/in-cache && ! touch /src/x
            RUN --mount=target=/src --mount=type=cache,id=b,target=/src/deep/er/target \
                cat /src/file && touch /src/deep/er/target/in-cache
            RUN --mount=type=bind,source=sub,target=/tmp/kernel-rpms --mount=type=tmpfs,target=/tmp \
                ls /tmp/kernel-rpms && touch /tmp/x
            RUN --mount=type=tmpfs,target=/etc/deep --mount=from=base:1,source=/etc,target=/etc \
                touch /etc/deep/x && grep -c root: /etc/passwd
            """);
    Files.writeString(context.resolve("file"), "context\n");
    Files.createDirectory(context.resolve("sub"));
    Files.writeString(context.resolve("sub/one.rpm"), "");
    Manifest.Image image = lab.build(BuildRequest.of(context));
    assertThat(lab.output)
        .filteredOn(l -> !l.startsWith("touch: "))
        .containsExactly("context", "context", "one.rpm", "1");
    assertThat(image.layers()).hasSize(1);
    try (Stream<Path> files = Files.list(context)) {
      assertThat(files.map(f -> f.getFileName().toString()))
          .containsExactlyInAnyOrder("Containerfile", "file", "sub");
    }
  }

  @Test
  void aChangedBindMountRunsTheCommandAgain() throws Exception {
    Path context = lab.context("FROM base:1\nRUN --mount=target=/ctx cp /ctx/file /copy\n");
    Files.writeString(context.resolve("file"), "1");
    lab.build(BuildRequest.of(context));
    Files.writeString(context.resolve("file"), "2");
    assertThat(lab.text(lab.build(BuildRequest.of(context)), "copy")).isEqualTo("2");
  }

  @Test
  void cachesOutliveBuilds() throws Exception {
    String file =
        """
        FROM base:1
        ARG N
        RUN --mount=type=cache,target=/c,id=a,uid=1000,mode=0711 echo $N >> /c/list; cat /c/list; \
            stat -c '%%u %%a' /c
        RUN --mount=type=cache,target=/d,sharing=locked,from=base:1,source=/etc ls /d
        RUN --mount=type=cache,target=/c,id=a,ro,sharing=private ! touch /c/x 2>/dev/null
        """
            .formatted();
    lab.build(BuildRequest.of(lab.context(file)).arguments(Map.of("N", "1")));
    lab.output.clear();
    lab.build(BuildRequest.of(lab.context(file)).arguments(Map.of("N", "2")));
    assertThat(lab.output).containsSubsequence("1", "2", "1000 711");
    assertThat(lab.output).contains("passwd");
  }

  @Test
  void secretsAreSeenAndLeaveNothingBehind() throws Exception {
    String value = "the-secret-value-4711";
    Path context =
        lab.context(
            """
            FROM base:1
            USER user
            RUN --mount=type=secret,id=token,uid=1000 \
                --mount=type=secret,id=env,env=TOKEN \
                --mount=type=secret,id=token,target=/etc/token,mode=0444,required=true \
                cat /run/secrets/token /etc/token; echo "$TOKEN"; stat -c '%a %u' /run/secrets/token
            RUN test ! -e /run/secrets/token && test ! -e /etc/token
            """);
    BuildRequest.Secret secret = () -> value.getBytes(StandardCharsets.UTF_8);
    Manifest.Image image =
        lab.build(BuildRequest.of(context).secrets(Map.of("token", secret, "env", secret)));
    assertThat(String.join("\n", lab.output)).isEqualTo(value + value + value + "\n400 1000");
    assertThat(image.layers()).hasSize(1);
    assertThat(filesWith(directory, value)).isEmpty();
    assertThatThrownBy(() -> lab.build(BuildRequest.of(context).cache(false)))
        .hasMessageContaining(
            "Containerfile:3: RUN needs the secret token; give --secret id=token");
  }

  private static List<Path> filesWith(Path directory, String text) throws IOException {
    List<Path> found = new ArrayList<>();
    try (Stream<Path> all = Files.walk(directory)) {
      for (Path p :
          all.filter(f -> Files.isRegularFile(f, java.nio.file.LinkOption.NOFOLLOW_LINKS))
              .toList()) {
        if (new String(Files.readAllBytes(p), StandardCharsets.ISO_8859_1).contains(text)) {
          found.add(p);
        }
      }
    }
    return found;
  }

  @Test
  void theRuntimesStateHoldsNoSecretEither() throws Exception {
    String value = "another-secret-0815";
    Path context =
        lab.context(
            "FROM base:1\nRUN --mount=type=secret,id=s,env=S echo ready; while ! test -e /go; do sleep 0.05; done\n");
    CompletableFuture<Void> ready = new CompletableFuture<>();
    BuildRequest request =
        BuildRequest.of(context)
            .secrets(Map.of("s", () -> value.getBytes(StandardCharsets.UTF_8)))
            .build();
    Thread build =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    lab.builder().build(request, lab.progress(), line -> ready.complete(null));
                  } catch (Problem e) {
                    lab.notes.add(e.getMessage());
                  }
                });
    ready.join();
    try {
      assertThat(filesWith(directory, value)).isEmpty();
    } finally {
      build.interrupt();
      build.join();
    }
    assertThat(lab.notes).contains("the build was interrupted");
  }

  @Test
  void agentsAreForwarded() throws Exception {
    Path socket = directory.resolve("agent");
    try (ServerSocketChannel agent = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      agent.bind(UnixDomainSocketAddress.of(socket));
      Path context =
          lab.context(
              "FROM base:1\nRUN --mount=type=ssh,required test -S $SSH_AUTH_SOCK && echo yes\n");
      lab.build(BuildRequest.of(context).agents(Map.of("default", socket)));
      assertThat(lab.output).containsExactly("yes");
      Path again = lab.context("FROM base:1\nRUN --mount=type=ssh,required true\n");
      assertThatThrownBy(() -> lab.build(BuildRequest.of(again)))
          .hasMessageContaining("RUN needs the ssh agent default; give --ssh default");
    }
  }

  @Test
  void aFailingCommandIsToldWithPlaceAndStatus() throws Exception {
    Map<String, String> cases =
        Map.of(
            "RUN echo no >&2; exit 3",
                "Containerfile:3: RUN echo no >&2; exit 3 failed with status 3",
            "RUN sh -c 'kill -9 $$'; exit $?",
                "Containerfile:3: RUN sh -c 'kill -9 $$'; exit $? failed with status 137 (killed by signal 9)",
            "RUN [\"/none\"]", "Containerfile:3: RUN [\"/none\"]:",
            "USER who\nRUN true",
                "Containerfile:4: the user \"who\" is not in the image's /etc/passwd");
    for (Map.Entry<String, String> c : cases.entrySet()) {
      assertThatThrownBy(() -> lab.build("FROM base:1\n# comment\n" + c.getKey() + "\n"))
          .as(c.getKey())
          .isInstanceOf(Problem.class)
          .hasMessageContaining(c.getValue());
    }
    assertThat(lab.output).contains("no");
  }

  @Test
  void filesOfEveryKindSurviveTheLayer() throws Exception {
    Path context =
        lab.context(
            """
            FROM base:1 AS first
            RUN mkfifo /fifo && touch /cap "/odd name" && ln /cap /cap2 && chmod 6755 /cap
            RUN mv /cap /moved && chmod 1777 /home
            FROM first
            COPY --from=0 /fifo /cap2 /copied/
            """);
    Manifest.Image image = lab.build(BuildRequest.of(context));
    var tree = lab.tree(image);
    assertThat(tree.find("moved").orElseThrow().metadata().permissions()).isEqualTo(06755);
    assertThat(tree.find("home").orElseThrow().metadata().permissions()).isEqualTo(01777);
    assertThat(tree.find("home/user").orElseThrow().metadata().uid()).isEqualTo(1000);
    Manifest.Image again = lab.build(BuildRequest.of(context).cache(false));
    assertThat(FileTrees.diff(tree, lab.tree(again), FileTrees.Ignore.MTIME)).isEmpty();
  }

  @Test
  @Tag("slow")
  void manyLayersCanBeMounted() throws Exception {
    StringBuilder file = new StringBuilder("FROM base:1\n");
    for (int i = 0; i < 150; i++) {
      file.append("COPY <<x /f").append(i).append("\n").append(i).append("\nx\n");
    }
    Manifest.Image image = lab.build(file.append("RUN cat /f0 /f149 > /both\n").toString());
    assertThat(image.layers()).hasSize(152);
    assertThat(lab.text(image, "both")).isEqualTo("0\n149\n");
  }

  @Test
  void theRootDirectoryItselfCanChange() throws Exception {
    Manifest.Image image = lab.build("FROM base:1\nRUN chmod 700 / && chown 5 /\n");
    assertThat(lab.tree(image).root().metadata().permissions()).isEqualTo(0700);
    assertThat(lab.tree(image).root().metadata().uid()).isEqualTo(5);
    Posix.exists(OsPath.of(directory));
  }
}
