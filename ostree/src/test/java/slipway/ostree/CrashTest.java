package slipway.ostree;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Progress;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.process.Command;
import slipway.ostree.container.KilledImport;
import slipway.ostree.object.Checksum;
import slipway.ostree.repo.Repository;
import slipway.ostree.repo.Transaction;

/** Kills a process that imports and prunes, at random moments, and looks at what it leaves. */
class CrashTest {
  @TempDir Path dir;

  @Test
  @Tag("slow")
  void aKilledImportLeavesACleanRepository() throws Exception {
    killAndCheck(4, 20_260_102);
  }

  @Test
  @Tag("soak")
  void manyKilledImportsLeaveACleanRepository() throws Exception {
    killAndCheck(60, System.nanoTime());
  }

  private void killAndCheck(int kills, long seed) throws Exception {
    Path path = dir.resolve("repo");
    Repository repository = Repository.create(path, Repository.Mode.BARE);
    Random random = new Random(seed);
    for (int kill = 0; kill < kills; kill++) {
      Set<String> before = repository.refs("").keySet();
      Path started = dir.resolve("started-" + kill);
      Process child = start(path, started, kill * 100);
      while (Files.notExists(started)) {
        assertThat(child.isAlive()).as("the child runs").isTrue();
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
      }
      LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(random.nextInt(2_500_000)));
      child.destroyForcibly();
      child.waitFor();
      check(repository, "seed " + seed + " kill " + kill);
      // Whoever had an image before has one now.
      assertThat(repository.refs("ostree/container/image").keySet())
          .containsAll(before.stream().filter(r -> r.contains("/image/")).toList());
    }
    try (Transaction transaction = repository.begin()) {
      transaction.commit();
    }
    assertThat(Posix.list(OsPath.of(path.resolve("tmp")))).containsExactly(OsPath.of("cache"));
  }

  private static Process start(Path repository, Path started, int round) throws Exception {
    return new ProcessBuilder(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-Xmx256m",
                "-cp",
                System.getProperty("java.class.path"),
                KilledImport.class.getName(),
                repository.toString(),
                started.toString(),
                Integer.toString(round)))
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  private static void check(Repository repository, String when) throws Exception {
    Command.Result fsck = Command.of("ostree", "--repo=" + repository.path(), "fsck").tryRun();
    assertThat(fsck.status()).as(when + ": " + fsck.stderr()).isZero();
    assertThat(repository.fsck(Progress.NONE).errors()).as(when).isEmpty();
    for (Checksum commit : repository.refs("").values()) {
      repository.readTree(commit);
    }
  }
}
