package slipway.linux.mount;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.linux.process.Command;

/** What is mounted while work has mounts of its own. */
class MountNamespaceTest {
  /** So many at once that the JVM needs new threads to wait for them. */
  private static final int PROCESSES = 20;

  @TempDir Path directory;

  @Test
  void whatOthersHaveMountedIsNotHeldAfterTheWork() throws IOException {
    Path folder = Files.createDirectory(directory.resolve("somebody's"));
    String here = Files.readSymbolicLink(Path.of("/proc/self/ns/mnt")).toString();
    try (Mount somebodys = Mount.of("tmpfs", folder, "tmpfs", 0, "size=4k")) {
      MountNamespace.call("test", () -> endTogether(somebodys.target()));
    }
    List<Path> elsewhere = threads().stream().filter(t -> !namespace(t).equals(here)).toList();
    assertThat(elsewhere).as("threads that wait for processes").isNotEmpty();
    assertThat(elsewhere.stream().flatMap(this::mounts))
        .noneMatch(line -> line.contains(folder.toString()));
  }

  /** A thread that the work leaves behind may have to read what is mounted yet. */
  @Test
  void whoWorksOnHasTheMountsYet() throws Exception {
    Path folder = Files.createDirectory(directory.resolve("ours"));
    CountDownLatch over = new CountDownLatch(1);
    AtomicReference<Boolean> found = new AtomicReference<>();
    Thread left =
        MountNamespace.call(
            "test",
            () -> {
              Mount.of("tmpfs", folder, "tmpfs", 0, "size=4k");
              Files.createFile(folder.resolve("file"));
              return Thread.ofPlatform()
                  .name("left")
                  .start(
                      () -> {
                        try {
                          over.await();
                        } catch (InterruptedException e) {
                          throw new IllegalStateException(e);
                        }
                        found.set(Files.exists(folder.resolve("file")));
                      });
            });
    over.countDown();
    left.join();
    assertThat(found.get()).isTrue();
    assertThat(folder).isEmptyDirectory();
  }

  private static int endTogether(Path mounted) throws IOException, InterruptedException {
    Mount.of("tmpfs", mounted, "tmpfs", 0, "size=4k");
    List<Process> processes =
        IntStream.range(0, PROCESSES).mapToObj(i -> Command.of("cat").start()).toList();
    for (Process process : processes) {
      process.getOutputStream().close();
      process.waitFor();
    }
    return PROCESSES;
  }

  private static List<Path> threads() throws IOException {
    try (Stream<Path> threads = Files.list(Path.of("/proc/self/task"))) {
      return threads.toList();
    }
  }

  private static String namespace(Path thread) {
    try {
      return Files.readSymbolicLink(thread.resolve("ns/mnt")).toString();
    } catch (IOException e) {
      return "of a thread that has ended";
    }
  }

  private Stream<String> mounts(Path thread) {
    try {
      return Files.readString(thread.resolve("mountinfo")).lines();
    } catch (IOException e) {
      return Stream.of();
    }
  }
}
