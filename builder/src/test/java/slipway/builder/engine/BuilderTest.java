package slipway.builder.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import slipway.archive.compress.Compression;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.builder.session.BuildRequest;
import slipway.builder.session.BuildRequestBuilder;
import slipway.builder.session.ImagePuller;
import slipway.linux.lock.Flock;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.MediaTypes;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;
import slipway.oci.store.LocalStore;

/** Stages, the cache, what a build leaves in the store and behind it. */
class BuilderTest extends BaseCase {
  private static final String FIVE_STEPS =
      """
      FROM base:1
      ENV A=b
      RUN echo one > /one
      COPY file /file
      RUN cat /one /file > /both
      """;


  private Path fiveSteps() throws IOException {
    Path context = lab.context(FIVE_STEPS);
    Files.writeString(context.resolve("file"), "file\n");
    return context;
  }

  private static Set<Path> files(Path directory) throws IOException {
    try (Stream<Path> all = Files.walk(directory)) {
      return new TreeSet<>(all.filter(Files::isRegularFile).toList());
    }
  }

  @Test
  void theImageIsInTheStoreUnderItsNames() throws Exception {
    Manifest.Image image =
        lab.build(
            BuildRequest.of(fiveSteps())
                .tags(List.of(LocalStore.localName("web"), LocalStore.localName("r.example/w:2")))
                .labels(Map.of("l", "1"))
                .annotations(Map.of("a", "2")));
    assertThat(lab.store.image("web", Platform.host())).isEqualTo(image);
    assertThat(lab.store.image("r.example/w:2", Platform.host())).isEqualTo(image);
    assertThat(image.annotations())
        .containsEntry("a", "2")
        .containsEntry("org.opencontainers.image.base.name", "base:1")
        .containsEntry(
            "org.opencontainers.image.base.digest",
            lab.store.image("base:1", Platform.host()).digest().toString());
    ImageConfig config = lab.config(image);
    assertThat(config.labels()).containsEntry("l", "1");
    assertThat(config.diffIds()).hasSize(4);
    assertThat(config.history().stream().map(ImageConfig.History::createdBy))
        .containsExactly(
            "base",
            "ENV A=b",
            "RUN /bin/sh -c echo one > /one",
            "COPY file /file",
            "RUN /bin/sh -c cat /one /file > /both");
    assertThat(lab.text(image, "both")).isEqualTo("one\nfile\n");
  }

  /** What goes on behind a failed build would meet the end of the process. */
  @Test
  void nothingGoesOnBehindABuildThatFailsAtItsEnd() throws Exception {
    Path context = lab.context("FROM base:1\nCOPY x /etc/\nRUN true\n");
    Files.createDirectory(context.resolve("x"));
    Files.writeString(context.resolve("x/.wh.passwd"), "");
    Path build = directory.resolve("build");
    FutureTask<Manifest.Image> failing =
        new FutureTask<>(() -> lab.build(BuildRequest.of(context)));
    try (Flock slowDisk = Flock.file(Files.createDirectories(build).resolve("synced.lock"), true)) {
      Thread.ofPlatform().start(failing);
      assertThatThrownBy(() -> failing.get(2, TimeUnit.SECONDS))
          .isInstanceOf(TimeoutException.class);
    }
    assertThatThrownBy(failing::get).hasMessageContaining(".wh.passwd");
    assertThat(files(build)).noneMatch(p -> p.getFileName().toString().endsWith(".tmp"));
  }

  @Test
  void theSameBuildAgainIsTheSameImageFromTheCache() throws Exception {
    Path context = fiveSteps();
    Manifest.Image first = lab.build(BuildRequest.of(context));
    assertThat(lab.cached()).isZero();
    Files.setLastModifiedTime(context.resolve("file"), FileTime.fromMillis(1));
    Manifest.Image second = lab.build(BuildRequest.of(context));
    assertThat(lab.cached()).isEqualTo(4);
    assertThat(second.digest()).isEqualTo(first.digest());
  }

  @Test
  void aChangeRunsWhatFollowsAgain() throws Exception {
    Path context = fiveSteps();
    lab.build(BuildRequest.of(context));
    Files.writeString(context.resolve("file"), "changed\n");
    Manifest.Image image = lab.build(BuildRequest.of(context));
    assertThat(lab.cached()).isEqualTo(2);
    assertThat(lab.text(image, "both")).isEqualTo("one\nchanged\n");
    lab.notes.clear();
    Manifest.Image fresh = lab.build(BuildRequest.of(context).cache(false));
    assertThat(lab.cached()).isZero();
    lab.notes.clear();
    assertThat(lab.build(BuildRequest.of(context)).digest()).isEqualTo(fresh.digest());
  }

  @Test
  void theCacheSurvivesPruningAndTheLossOfSnapshots() throws Exception {
    Path context = fiveSteps();
    Manifest.Image first = lab.build(BuildRequest.of(context).sourceDateEpoch(1_700_000_000L));
    assertThat(lab.store.prune().blobs()).isPositive();
    Manifest.Image second = lab.build(BuildRequest.of(context).sourceDateEpoch(1_700_000_000L));
    assertThat(lab.cached()).isEqualTo(4);
    assertThat(second.digest()).isEqualTo(first.digest());
    slipway.linux.posix.Posix.removeTree(
        slipway.linux.posix.OsPath.of(directory.resolve("build/snapshots")));
    lab.notes.clear();
    Files.writeString(context.resolve("Containerfile"), FIVE_STEPS + "RUN cat /both > /more\n");
    Manifest.Image third = lab.build(BuildRequest.of(context).sourceDateEpoch(1_700_000_000L));
    assertThat(lab.cached()).isEqualTo(4);
    assertThat(lab.text(third, "more")).isEqualTo("one\nfile\n");
  }

  @Test
  void argumentsCountFromTheirDeclarationOn() throws Exception {
    Path context =
        lab.context("FROM base:1\nRUN echo before\nARG V=1\nRUN echo $V > /v\nARG HTTP_PROXY\n");
    lab.build(BuildRequest.of(context));
    lab.notes.clear();
    lab.build(BuildRequest.of(context).arguments(Map.of("V", "2")));
    assertThat(lab.notes.stream().filter(n -> n.endsWith("(cached)")))
        .containsExactly("[2/5] RUN /bin/sh -c echo before (cached)");
    lab.notes.clear();
    lab.build(BuildRequest.of(context).arguments(Map.of("V", "2", "https_proxy", "http://x")));
    assertThat(lab.cached()).isEqualTo(4);
    lab.build(BuildRequest.of(context).arguments(Map.of("NOBODY", "2")));
    assertThat(lab.notes).contains("no ARG takes the build argument NOBODY");
  }

  @Test
  void onlyNeededStagesAreBuilt() throws Exception {
    Path context =
        lab.context(
            """
            ARG BASE=base:1
            FROM ${BASE} AS one
            RUN echo one > /one
            FROM $BASE AS two
            RUN exit 1
            FROM one AS three
            ARG FROM=one
            COPY --from=${FROM} /one /copied
            FROM scratch AS four
            COPY --from=two /x /x
            """);
    Manifest.Image image = lab.build(BuildRequest.of(context).target("THREE"));
    assertThat(lab.text(image, "copied")).isEqualTo("one\n");
    assertThat(lab.notes).noneMatch(n -> n.contains("two "));
    assertThat(lab.build(BuildRequest.of(context).target("0")).layers()).hasSize(2);
    assertThatThrownBy(() -> lab.build(BuildRequest.of(context).target("thre")))
        .hasMessageContaining("there is no stage \"thre\"")
        .hasMessageEndingWith("did you mean three?");
    assertThatThrownBy(() -> lab.build(BuildRequest.of(context)))
        .hasMessageContaining("Containerfile:5: RUN exit 1 failed with status 1");
  }

  @Test
  void stagesRunSideBySide() throws Exception {
    // Each waits for the other through a shared cache: only together can they end.
    Path context =
        lab.context(
            """
            FROM base:1 AS a
            RUN --mount=type=cache,target=/c touch /c/a; until test -e /c/b; do sleep 0.02; done; touch /a
            FROM base:1 AS b
            RUN --mount=type=cache,target=/c touch /c/b; until test -e /c/a; do sleep 0.02; done; touch /b
            FROM scratch
            COPY --from=a /a /
            COPY --from=b /b /
            """);
    Manifest.Image image = lab.build(BuildRequest.of(context).jobs(2));
    assertThat(lab.tree(image).find("a")).isPresent();
    assertThat(lab.tree(image).find("b")).isPresent();
  }

  @Test
  void anArgumentThatAnArgOfTheBasesOnBuildTakesIsNotCalledUnknown() throws Exception {
    lab.build(
        BuildRequest.of(lab.context("FROM base:1\nONBUILD ARG OB=x\nONBUILD RUN echo $OB >/f\n"))
            .tags(List.of(LocalStore.localName("trigger"))));
    lab.notes.clear();
    Manifest.Image image =
        lab.build(
            BuildRequest.of(lab.context("FROM trigger\n"))
                .arguments(Map.of("OB", "given", "NOBODY", "1")));
    assertThat(lab.text(image, "f")).isEqualTo("given\n");
    assertThat(lab.notes)
        .contains("no ARG takes the build argument NOBODY")
        .noneMatch(n -> n.contains("build argument OB"));
  }

  @Test
  void triggersOfTheBaseRunFirst() throws Exception {
    lab.build(
        BuildRequest.of(
                lab.context("FROM base:1\nONBUILD COPY . /ctx\nONBUILD RUN cp /ctx/file /got\n"))
            .tags(List.of(LocalStore.localName("trigger"))));
    Path context = lab.context("FROM trigger\nRUN cat /got > /again\n");
    Files.writeString(context.resolve("file"), "f");
    Manifest.Image image = lab.build(BuildRequest.of(context));
    assertThat(lab.text(image, "again")).isEqualTo("f");
    assertThat(lab.config(image).onBuild()).isEmpty();
  }

  @Test
  void namedContextsAreTreesToo() throws Exception {
    Path other = Files.createDirectory(directory.resolve("other"));
    Files.writeString(other.resolve("o"), "other");
    Path context = lab.context("FROM scratch\nCOPY --from=more o /o\n");
    Manifest.Image image = lab.build(BuildRequest.of(context).contexts(Map.of("more", other)));
    assertThat(lab.text(image, "o")).isEqualTo("other");
  }

  @Test
  void theCompressionCanBeChosen() throws Exception {
    Path context = lab.context("FROM scratch\nCOPY <<E /x\nx\nE\n");
    Map<Compression, String> types =
        Map.of(
            Compression.ZSTD, MediaTypes.OCI_LAYER_ZSTD,
            Compression.GZIP, MediaTypes.OCI_LAYER_GZIP,
            Compression.NONE, MediaTypes.OCI_LAYER);
    Set<Object> diffIds = new TreeSet<>();
    for (Map.Entry<Compression, String> t : types.entrySet()) {
      Manifest.Image image = lab.build(BuildRequest.of(context).compression(t.getKey()));
      assertThat(image.layers().getFirst().mediaType()).isEqualTo(t.getValue());
      diffIds.add(lab.config(image).diffIds().getFirst());
    }
    assertThat(diffIds).hasSize(1);
  }

  @Test
  void theSameInputsGiveTheSameDigestElsewhere() throws Exception {
    List<Manifest.Image> images = new ArrayList<>();
    for (String name : List.of("here", "there")) {
      try (Lab other = Lab.withBase(Files.createDirectory(directory.resolve(name)))) {
        Path context =
            other.context(
                """
                FROM base:1 AS first
                RUN mkdir /d && for i in 3 1 2; do date > /now$i; echo $i > /d/$i; done
                FROM base:1
                COPY --from=first /d /d
                RUN --mount=type=cache,target=/c touch /made && rm /etc/group
                COPY . /ctx
                """);
        Files.writeString(context.resolve("file"), "same\n");
        images.add(
            other.build(
                BuildRequest.of(context)
                    .sourceDateEpoch(1_700_000_000L)
                    .compression(name.equals("here") ? Compression.ZSTD : Compression.ZSTD)));
        assertThat(other.config(images.getLast()).created()).isEqualTo("2023-11-14T22:13:20Z");
        other
            .tree(images.getLast())
            .walk(
                (p, n) ->
                    assertThat(n.metadata().mtimeSeconds()).isLessThanOrEqualTo(1_700_000_000L));
      }
    }
    assertThat(images.getFirst().digest()).isEqualTo(images.getLast().digest());
  }

  @Test
  void aFailureLeavesNothing() throws Exception {
    lab.build("FROM base:1\nRUN true\n");
    Set<Path> before = files(directory.resolve("store/blobs"));
    String mounts = Files.readString(Path.of("/proc/self/mountinfo"));
    assertThatThrownBy(
            () -> lab.build("FROM base:1\nRUN dd if=/dev/zero of=/big bs=1M count=4\nRUN false\n"))
        .isInstanceOf(Problem.class)
        .hasMessageEndingWith("Containerfile:3: RUN false failed with status 1");
    assertThat(files(directory.resolve("store/blobs"))).isEqualTo(before);
    assertThat(Files.readString(Path.of("/proc/self/mountinfo"))).isEqualTo(mounts);
    assertThat(directory.resolve("build/work")).isEmptyDirectory();
    assertThat(directory.resolve("store/tmp").toFile().list())
        .satisfiesAnyOf(
            l -> assertThat(l).isNull(),
            l -> assertThat(files(directory.resolve("store/tmp"))).isEmpty());
  }

  @Test
  void twoBuildsOfTheSameDoTheWorkOnce() throws Exception {
    Path context =
        lab.context(
            "FROM base:1\nRUN --mount=type=cache,target=/c echo x >> /c/count; cat /c/count > /n\n");
    List<Manifest.Image> images = together(4, () -> lab.build(BuildRequest.of(context)));
    assertThat(images.stream().map(Manifest.Image::digest).distinct()).hasSize(1);
    assertThat(lab.text(images.getFirst(), "n")).isEqualTo("x\n");
  }

  @Test
  void differentBuildsAtTheSameTimeDoNotMix() throws Exception {
    List<Manifest.Image> images = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      List<Future<Manifest.Image>> running = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        String n = String.valueOf(i);
        running.add(
            threads.submit(
                () -> lab.build("FROM base:1\nRUN echo common > /c\nRUN echo " + n + " > /n\n")));
      }
      for (Future<Manifest.Image> f : running) {
        images.add(f.get());
      }
    }
    for (int i = 0; i < 8; i++) {
      assertThat(lab.text(images.get(i), "n")).isEqualTo(i + "\n");
      assertThat(lab.text(images.get(i), "c")).isEqualTo("common\n");
    }
  }

  private static <T> List<T> together(int count, Callable<T> work) throws Exception {
    List<T> results = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(count)) {
      for (Future<T> f : threads.invokeAll(java.util.Collections.nCopies(count, work))) {
        results.add(f.get());
      }
    }
    return results;
  }

  @Test
  void anInterruptStopsTheContainerAndCleansUp() throws Exception {
    Path context = lab.context("FROM base:1\nRUN echo here; sleep 1000\n");
    CompletableFuture<Void> running = new CompletableFuture<>();
    CompletableFuture<Throwable> end = new CompletableFuture<>();
    Thread build =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    lab.builder()
                        .build(
                            BuildRequest.of(context).build(),
                            lab.progress(),
                            line -> running.complete(null));
                  } catch (Problem e) {
                    end.complete(e);
                  }
                });
    running.join();
    build.interrupt();
    build.join();
    assertThat(end.join()).hasMessage("the build was interrupted");
    assertThat(directory.resolve("build/work")).isEmptyDirectory();
    assertThat(sleepers("1000")).isEmpty();
  }

  /** Processes of the container that nobody stopped. */
  private static List<String> sleepers(String seconds) {
    return ProcessHandle.allProcesses()
        .map(p -> p.info().commandLine().orElse(""))
        .filter(c -> c.endsWith("sleep " + seconds))
        .toList();
  }

  @Test
  void aBuildThatWasKilledIsCleanedUpByTheNext() throws Exception {
    Path context = lab.context("FROM base:1\nRUN echo here; sleep 1001\n");
    Process other = BuildProcess.start(directory, context);
    assertThat(other.inputReader().readLine()).isEqualTo("here");
    other.destroyForcibly().waitFor();
    assertThat(directory.resolve("build/work")).isNotEmptyDirectory();
    lab.build("FROM base:1\nRUN true\n");
    assertThat(directory.resolve("build/work")).isEmptyDirectory();
    assertThat(sleepers("1001")).isEmpty();
  }

  @Test
  void aBuildThatIsToldToEndCleansUp() throws Exception {
    Path context = lab.context("FROM base:1\nRUN echo here; sleep 1002\n");
    Process other = BuildProcess.start(directory, context);
    assertThat(other.inputReader().readLine()).isEqualTo("here");
    other.destroy();
    assertThat(other.waitFor()).isEqualTo(128 + 15);
    assertThat(directory.resolve("build/work")).isEmptyDirectory();
    assertThat(sleepers("1002")).isEmpty();
  }

  @Test
  void whatIsMissingIsTold() throws Exception {
    assertThatThrownBy(() -> lab.build(BuildRequest.of(directory.resolve("none"))))
        .hasMessageContaining(
            "the build context " + directory.resolve("none") + " is not a directory");
    Path empty = Files.createDirectory(directory.resolve("empty"));
    assertThatThrownBy(() -> lab.build(BuildRequest.of(empty)))
        .hasMessage("there is no " + empty + "/Dockerfile; name the Containerfile with -f");
    assertThatThrownBy(() -> lab.build("FROM nowhere:5\n"))
        .hasMessageContaining("Containerfile:1: there is no image docker.io/library/nowhere:5");
    assertThatThrownBy(
            () ->
                lab.build(
                    BuildRequest.of(lab.context("FROM nowhere:5\n")).pull(BuildRequest.Pull.NEVER)))
        .hasMessageContaining("Containerfile:1: there is no image nowhere:5 in the store");
    assertThatThrownBy(() -> lab.build("ARG X\nFROM $X\n"))
        .hasMessageContaining("Containerfile:2: FROM $X is empty after its variables are replaced");
  }

  @Test
  void basesArePulledWhenAskedFor() throws Exception {
    List<String> pulled = new ArrayList<>();
    Builder builder =
        lab.builder(
            (reference, platform, sink, progress) -> {
              pulled.add(reference.toString());
              return lab.copyBase(platform, sink, progress);
            });
    BuildRequestBuilder draft =
        BuildRequest.of(lab.context("FROM registry.example/os\nRUN true\n"));
    lab.build(builder, draft);
    lab.build(builder, draft);
    lab.build(builder, draft.pull(BuildRequest.Pull.ALWAYS));
    assertThat(pulled).containsExactly("registry.example/os:latest", "registry.example/os:latest");
  }

  @Test
  void shortNamesAreWhatTheMachineMakesOfThem() throws Exception {
    List<String> pulled = new ArrayList<>();
    ImagePuller puller =
        new ImagePuller() {
          @Override
          public Reference resolve(String name) {
            if (name.startsWith("many")) {
              throw Problem.input("\"" + name + "\" may be in several registries");
            }
            return Reference.parse("apps.example/team/" + name);
          }

          @Override
          public Manifest pull(
              Reference reference,
              slipway.oci.model.Platform platform,
              slipway.oci.copy.ImageSink sink,
              Progress progress)
              throws IOException {
            pulled.add(reference.toString());
            return lab.copyBase(platform, sink, progress);
          }
        };
    Builder builder = lab.builder(puller);
    // Not this one, which podman would not take either.
    Manifest.Image base = lab.store.image("base:1", slipway.oci.model.Platform.host());
    lab.store.tag(Reference.parse("docker.io/library/web:latest"), base.digest());
    String file =
        """
        FROM web
        COPY --from=tools:2 /etc/group /a
        RUN --mount=type=bind,from=more,target=/m cp /m/etc/group /b
        COPY --from=base:1 /etc/group /c
        COPY --from=%s /etc/group /d
        """
            .formatted(base.config().digest().hex().substring(0, 12));
    for (int i = 0; i < 2; i++) {
      lab.build(builder, BuildRequest.of(lab.context(file)));
    }
    assertThat(pulled)
        .containsExactlyInAnyOrder(
            "apps.example/team/web:latest",
            "apps.example/team/tools:2",
            "apps.example/team/more:latest");
    assertThatThrownBy(() -> lab.build(builder, BuildRequest.of(lab.context("FROM many\n"))))
        .hasMessageContaining("Containerfile:1: \"many\" may be in several registries");
  }

  @Test
  void troubleWithOldThingsDoesNotFailABuildThatIsDone() throws Exception {
    java.util.Random random = new java.util.Random(2);
    Builder builder =
        new Builder(
            lab.store,
            directory.resolve("build"),
            ImagePuller.NONE,
            java.time.Clock.systemUTC(),
            Map.of(),
            () -> {
              if (lab.store.find("localhost/done:1").isPresent()) {
                throw new java.io.UncheckedIOException(new IOException("a folder that is gone"));
              }
              return random.nextLong();
            });
    BuildRequestBuilder request =
        BuildRequest.of(lab.context("FROM scratch\nLABEL a=b\n"))
            .tags(List.of(Reference.parse("localhost/done:1")));
    Manifest.Image image = lab.build(builder, request);
    assertThat(lab.store.find("localhost/done:1").orElseThrow().digest()).isEqualTo(image.digest());
    assertThat(lab.notes).anyMatch(n -> n.startsWith("the build cache may grow beyond its bound"));
  }
}
