package slipway.builder.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.builder.session.BuildRequest;
import slipway.builder.session.BuildRequestBuilder;
import slipway.builder.session.ImagePuller;
import slipway.linux.lock.Flock;
import slipway.oci.model.Manifest;
import slipway.oci.model.Reference;

/** What a build leaves behind that fails, is stopped or is killed. */
class BuildEndTest extends BaseCase {
  private static Set<Path> files(Path directory) throws IOException {
    try (Stream<Path> all = Files.walk(directory)) {
      return new TreeSet<>(all.filter(Files::isRegularFile).toList());
    }
  }

  /** What goes on behind a failed build would meet the end of the process. */
  @Test
  @Tag("slow")
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
  @Tag("slow")
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
  @Tag("slow")
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
