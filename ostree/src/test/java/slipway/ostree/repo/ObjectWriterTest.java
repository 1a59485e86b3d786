package slipway.ostree.repo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import slipway.archive.tar.Metadata;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.ObjectType;
import slipway.ostree.object.Objects;

/** What the failure of one file, or the end of one thread, means to the others: nothing. */
@Timeout(120)
class ObjectWriterTest {
  private static final int LARGE = 3 << 20;

  @TempDir Path directory;
  private Repository repository;

  @BeforeEach
  void create() throws IOException {
    repository = Repository.create(directory.resolve("repo"), Repository.Mode.BARE_USER);
  }

  private static ObjectContent store(Transaction transaction, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return store(transaction, bytes.length, new ByteArrayInputStream(bytes));
  }

  private static ObjectContent store(Transaction transaction, long size, InputStream in)
      throws IOException {
    return transaction.store(OsPath.of("usr/file"), Metadata.file(0644), size, in);
  }

  /** Gives zeros and does something else when half of them are read. */
  private static final class Half extends InputStream {
    interface Event {
      void happen() throws IOException;
    }

    private final Event event;
    private int position;

    Half(Event event) {
      this.event = event;
    }

    @Override
    public int read() throws IOException {
      if (position++ == LARGE / 2) {
        event.happen();
      }
      return 0;
    }
  }

  private List<String> openFiles() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
      return files
          .map(
              f -> {
                try {
                  return Files.readSymbolicLink(f).toString();
                } catch (IOException e) {
                  return ""; // The folder's own descriptor is gone already.
                }
              })
          .filter(f -> f.startsWith(directory.toString()) && f.contains("/tmp-"))
          .toList();
    }
  }

  @Test
  void aBrokenLargeFileLeavesTheOthersAlone() throws IOException {
    ObjectContent before;
    ObjectContent after;
    try (Transaction transaction = repository.begin()) {
      before = store(transaction, "before");
      Half broken =
          new Half(
              () -> {
                throw new IOException("the connection broke");
              });
      assertThatThrownBy(() -> store(transaction, LARGE, broken))
          .isInstanceOf(IOException.class)
          .hasMessage("the connection broke");
      after = store(transaction, LARGE, new ByteArrayInputStream(new byte[LARGE]));
      transaction.commit();
    }
    assertThat(repository.has(before.checksum(), ObjectType.FILE)).isTrue();
    assertThat(repository.has(after.checksum(), ObjectType.FILE)).isTrue();
    assertThat(openFiles()).isEmpty();
  }

  /** What broke off takes no room, and may come again. */
  @Test
  void aBrokenLargeFileGivesItsRoomBack() throws IOException {
    try (Transaction transaction = repository.begin()) {
      long available = transaction.available();
      Half broken =
          new Half(
              () -> {
                throw new IOException("the connection broke");
              });
      assertThatThrownBy(() -> store(transaction, LARGE, broken)).isInstanceOf(IOException.class);
      while (transaction.available() != available) {
        Thread.yield();
      }
    }
  }

  @Test
  void anInterruptedThreadLeavesNoFileOpenAndNoPlaceTaken() throws IOException {
    ObjectContent kept;
    try (Transaction transaction = repository.begin()) {
      // More often than there are places.
      for (int i = 0; i < 100; i++) {
        Half interrupted = new Half(() -> Thread.currentThread().interrupt());
        assertThatThrownBy(() -> store(transaction, LARGE, interrupted))
            .isInstanceOf(Problem.class)
            .hasMessageContaining("interrupted");
        assertThat(Thread.interrupted()).isTrue();
      }
      kept = store(transaction, LARGE, new ByteArrayInputStream(new byte[LARGE]));
      assertThat(kept.checksum()).isNotNull();
      transaction.commit();
    }
    assertThat(repository.has(kept.checksum(), ObjectType.FILE)).isTrue();
    assertThat(openFiles()).isEmpty();
  }

  @Test
  void anInterruptedFlushDropsNothingOfOthers() throws Exception {
    try (Transaction transaction = repository.begin();
        ExecutorService other = Executors.newSingleThreadExecutor()) {
      ObjectContent theirs = other.submit(() -> store(transaction, "theirs")).get();
      Thread.currentThread().interrupt();
      assertThatThrownBy(transaction::flush)
          .isInstanceOf(Problem.class)
          .hasMessageContaining("interrupted");
      assertThat(Thread.interrupted()).isTrue();
      Checksum name = other.submit(theirs::checksum).get();
      transaction.commit();
      assertThat(repository.has(name, ObjectType.FILE)).isTrue();
    }
  }

  @Test
  void nobodyWaitsForAThreadThatReadsSlowly() throws Exception {
    CountDownLatch reading = new CountDownLatch(1);
    CountDownLatch arrived = new CountDownLatch(1);
    InputStream slow =
        new InputStream() {
          @Override
          public int read() throws IOException {
            reading.countDown();
            try {
              arrived.await();
            } catch (InterruptedException e) {
              throw new IOException(e);
            }
            return 'x';
          }
        };
    try (Transaction transaction = repository.begin();
        ExecutorService other = Executors.newSingleThreadExecutor()) {
      Future<ObjectContent> first = other.submit(() -> store(transaction, "theirs"));
      Future<ObjectContent> second = other.submit(() -> store(transaction, 3, slow));
      reading.await();
      assertThat(store(transaction, "ours").checksum()).isNotNull();
      assertThat(first.get().checksum()).isNotNull();
      arrived.countDown();
      Checksum name = second.get().checksum();
      transaction.commit();
      assertThat(repository.has(name, ObjectType.FILE)).isTrue();
      try (InputStream in = second.get().open()) {
        assertThat(in.readAllBytes()).asString(StandardCharsets.UTF_8).isEqualTo("xxx");
      }
    }
  }

  @Test
  void closingEndsWhatIsUnderWay() throws Exception {
    CountDownLatch half = new CountDownLatch(1);
    CountDownLatch closed = new CountDownLatch(1);
    Half late =
        new Half(
            () -> {
              half.countDown();
              try {
                closed.await();
              } catch (InterruptedException e) {
                throw new IOException(e);
              }
            });
    try (ExecutorService other = Executors.newSingleThreadExecutor()) {
      Transaction transaction = repository.begin();
      ObjectContent gathered = store(transaction, "never sent off");
      Future<ObjectContent> pumping = other.submit(() -> store(transaction, LARGE, late));
      half.await();
      Thread.currentThread().interrupt();
      transaction.close();
      assertThat(Thread.interrupted()).isTrue();
      closed.countDown();
      assertThatThrownBy(pumping::get).hasRootCauseMessage("the transaction has ended");
      assertThatThrownBy(gathered::checksum)
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("the object was not written");
    }
    assertThat(openFiles()).isEmpty();
    assertThat(repository.path().resolve("tmp")).isDirectoryNotContaining("glob:**slipway-*");
  }

  /** Others may count on a name that somebody has taken. */
  @Test
  void whatIsClaimedAndNotWrittenFailsTheTransaction() throws IOException {
    byte[] bytes = Objects.metadata(Objects.normalized(Metadata.directory(0711))).toBytes();
    try (Transaction transaction = repository.begin()) {
      long all = transaction.available();
      transaction.spend(all);
      assertThatThrownBy(() -> transaction.writeMetadata(OsPath.of("x"), ObjectType.DIRMETA, bytes))
          .isInstanceOf(Problem.class)
          .hasMessageContaining("free some space");
      transaction.spend(-all - bytes.length);
      assertThat(transaction.writeMetadata(OsPath.of("x"), ObjectType.DIRMETA, bytes)).isNotNull();
      assertThatThrownBy(transaction::commit)
          .isInstanceOf(Problem.class)
          .hasMessageContaining("free some space");
    }
  }
}
