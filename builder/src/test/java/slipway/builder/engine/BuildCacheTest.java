package slipway.builder.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import slipway.builder.session.BuildRequest;
import slipway.oci.model.Manifest;

/** Which steps come from the cache, and what builds at the same time do to each other. */
class BuildCacheTest extends BaseCase {
  @Test
  void theSameBuildAgainIsTheSameImageFromTheCache() throws Exception {
    Path context = lab.fiveSteps();
    Manifest.Image first = lab.build(BuildRequest.of(context));
    assertThat(lab.cached()).isZero();
    Files.setLastModifiedTime(context.resolve("file"), FileTime.fromMillis(1));
    Manifest.Image second = lab.build(BuildRequest.of(context));
    assertThat(lab.cached()).isEqualTo(4);
    assertThat(second.digest()).isEqualTo(first.digest());
  }

  @Test
  void aChangeRunsWhatFollowsAgain() throws Exception {
    Path context = lab.fiveSteps();
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
    Path context = lab.fiveSteps();
    Manifest.Image first = lab.build(BuildRequest.of(context).sourceDateEpoch(1_700_000_000L));
    assertThat(lab.store.prune().blobs()).isPositive();
    Manifest.Image second = lab.build(BuildRequest.of(context).sourceDateEpoch(1_700_000_000L));
    assertThat(lab.cached()).isEqualTo(4);
    assertThat(second.digest()).isEqualTo(first.digest());
    slipway.linux.posix.Posix.removeTree(
        slipway.linux.posix.OsPath.of(directory.resolve("build/snapshots")));
    lab.notes.clear();
    Files.writeString(context.resolve("Containerfile"), Lab.FIVE_STEPS + "RUN cat /both > /more\n");
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
  void twoBuildsOfTheSameDoTheWorkOnce() throws Exception {
    Path context =
        lab.context(
            "FROM base:1\nRUN --mount=type=cache,target=/c echo x >> /c/count; cat /c/count > /n\n");
    List<Manifest.Image> images = together(4, () -> lab.build(BuildRequest.of(context)));
    assertThat(images.stream().map(Manifest.Image::digest).distinct()).hasSize(1);
    assertThat(lab.text(images.getFirst(), "n")).isEqualTo("x\n");
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
  @Tag("slow")
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
}
