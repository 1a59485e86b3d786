package slipway.host.update;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.host.system.HostMachine;
import slipway.host.system.PrivateMounts;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.UnixException;
import slipway.linux.process.Command;
import slipway.oci.model.Digest;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The progress that other programs read, against what its published schema asks for. */
class ProgressStreamTest {
  private static final Digest IMAGE = Digest.sha256(new byte[0]);

  private final List<String> lines = Collections.synchronizedList(new ArrayList<>());
  private final List<String> notes = Collections.synchronizedList(new ArrayList<>());
  private HostMachine machine;

  @BeforeEach
  void start() throws IOException {
    machine = new HostMachine();
    machine.publish(HostMachine.NAME, HostMachine.Image.of("1"));
    machine.install();
    machine.publish(HostMachine.NAME, HostMachine.Image.of("2"));
  }

  @AfterEach
  void stop() throws IOException {
    machine.close();
  }

  private ProgressStream collecting() {
    return new ProgressStream(
        line -> lines.add(new String(line, StandardCharsets.UTF_8)), notes::add, 60_000);
  }

  private List<JsonNode> events() {
    assertThat(lines).allMatch(line -> line.indexOf('\n') == line.length() - 1);
    return lines.stream().map(line -> JsonMapper.shared().readTree(line)).toList();
  }

  /** Names and kinds of fields, as {@code progress-v0.schema.json} has them; all are required. */
  private static Map<String, String> schema(String type) {
    Map<String, String> task =
        new TreeMap<>(
            Map.of(
                "type", "string",
                "task", "string",
                "description", "string",
                "id", "string",
                "stepsCached", "count",
                "steps", "count",
                "stepsTotal", "count"));
    return switch (type) {
      case "Start" -> Map.of("type", "string", "version", "string");
      case "ProgressBytes" -> {
        task.putAll(
            Map.of(
                "bytesCached", "count",
                "bytes", "count",
                "bytesTotal", "count",
                "subtasks", "SubTaskBytes"));
        yield task;
      }
      case "ProgressSteps" -> {
        task.put("subtasks", "SubTaskStep");
        yield task;
      }
      case "SubTaskBytes" ->
          Map.of(
              "subtask", "string",
              "description", "string",
              "id", "string",
              "bytesCached", "count",
              "bytes", "count",
              "bytesTotal", "count");
      case "SubTaskStep" ->
          Map.of(
              "subtask", "string",
              "description", "string",
              "id", "string",
              "completed", "boolean");
      default -> throw new AssertionError("no event is called " + type);
    };
  }

  private static void judge(JsonNode node, String type) {
    Map<String, String> schema = schema(type);
    assertThat(node.propertyNames()).containsExactlyInAnyOrderElementsOf(schema.keySet());
    schema.forEach(
        (name, kind) -> {
          JsonNode value = node.get(name);
          switch (kind) {
            case "string" -> assertThat(value.isString()).as(name).isTrue();
            case "boolean" -> assertThat(value.isBoolean()).as(name).isTrue();
            case "count" -> {
              assertThat(value.isIntegralNumber()).as(name).isTrue();
              assertThat(value.asLong()).as(name).isNotNegative();
            }
            default -> {
              assertThat(value.isArray()).as(name).isTrue();
              value.forEach(subtask -> judge(subtask, kind));
            }
          }
        });
  }

  @Test
  void everyLineOfAnUpgradeIsOfThePublishedSchema() throws IOException {
    try (ProgressStream stream = collecting()) {
      machine.host(stream).upgrade(Host.UpgradeOptions.NONE);
    }
    List<JsonNode> events = events();
    events.forEach(event -> judge(event, event.get("type").asString()));
    assertThat(events.getFirst().get("version").asString()).isEqualTo("0.1.0");
    assertThat(events.stream().skip(1).map(e -> e.get("task").asString()).distinct())
        .containsExactly("pulling", "importing", "staging");
    JsonNode pulled =
        events.stream()
            .filter(e -> e.path("task").asString("").equals("pulling"))
            .toList()
            .getLast();
    assertThat(pulled.get("bytes").asLong())
        .isPositive()
        .isEqualTo(pulled.get("bytesTotal").asLong());
    assertThat(pulled.get("steps").asLong()).isEqualTo(1);
    assertThat(pulled.get("stepsTotal").asLong()).isEqualTo(1);
    assertThat(pulled.get("stepsCached").asLong()).isEqualTo(1);
    assertThat(pulled.get("bytesCached").asLong()).isPositive();
    assertThat(pulled.get("subtasks").size()).isEqualTo(1);
    JsonNode last = events.getLast();
    assertThat(last.get("steps").asLong()).isEqualTo(3);
    assertThat(last.get("stepsTotal").asLong()).isEqualTo(3);
    assertThat(last.get("subtasks")).hasSize(4).allMatch(s -> s.get("completed").asBoolean());
    assertThat(notes).isEmpty();
  }

  @Test
  void nothingToDoSaysNothing() throws IOException {
    machine.host().upgrade(Host.UpgradeOptions.NONE);
    try (ProgressStream stream = collecting()) {
      machine.host(stream).upgrade(Host.UpgradeOptions.NONE);
    }
    assertThat(lines).isEmpty();
  }

  /** What of a layer is there already counts as such, unless the whole layer comes after all. */
  @Test
  void partsOfALayerThatAreThereCountAsCached() {
    try (ProgressStream stream = collecting()) {
      Progress progress =
          stream.pulling(IMAGE, 1, 50, Map.of("abc", 1_000L, "def", 500L), Progress.NONE);
      try (Progress.Task task = progress.start("layer abc", 300)) {
        task.advance(300);
      }
      try (Progress.Task task = progress.start("layer def", 100)) {
        task.advance(40);
      }
      try (Progress.Task task = progress.start("layer def", 500)) {
        task.advance(500);
      }
      stream.imported(IMAGE);
    }
    JsonNode pulled = events().get(lines.size() - 2);
    assertThat(pulled.get("bytes").asLong()).isEqualTo(300 + 40 + 500);
    assertThat(pulled.get("bytesTotal").asLong()).isEqualTo(300 + 40 + 500);
    assertThat(pulled.get("bytesCached").asLong()).isEqualTo(50 + 700);
    assertThat(pulled.get("steps").asLong()).isEqualTo(2);
    assertThat(pulled.get("stepsTotal").asLong()).isEqualTo(2);
    assertThat(pulled.get("subtasks").size()).isEqualTo(2);
  }

  @Test
  void bytesAreToldFiveTimesASecondAtMost() {
    long begin = System.nanoTime();
    try (ProgressStream stream = collecting()) {
      Progress progress = stream.pulling(IMAGE, 0, 0, Map.of("abc", 100_000L), Progress.NONE);
      try (Progress.Task task = progress.start("layer abc", 100_000)) {
        for (int i = 0; i < 100_000; i++) {
          task.advance(1);
        }
      }
      stream.imported(IMAGE);
    }
    long periods = (System.nanoTime() - begin) / 200_000_000L;
    // Beside them the start, the last of the bytes and the import.
    assertThat(lines).hasSizeBetween(3, (int) periods + 1 + 3);
    assertThat(events().get(lines.size() - 2).get("bytes").asLong()).isEqualTo(100_000);
  }

  // ---- descriptors ----

  private static int fifo(Path directory) throws UnixException {
    Path path = directory.resolve("fifo");
    Command.of("mkfifo", path.toString()).run();
    // For both, so that opening waits for nobody.
    return Posix.open(OsPath.of(path), Posix.O_RDWR | Posix.O_NONBLOCK, 0);
  }

  private static int end(Path directory, int flags) throws UnixException {
    return Posix.open(OsPath.of(directory.resolve("fifo")), flags, 0);
  }

  private void upgradeTelling(int fd) throws IOException {
    try (ProgressStream stream = ProgressStream.open(fd, Map.of(), notes::add)) {
      machine.host(stream).upgrade(Host.UpgradeOptions.NONE);
    }
    assertThat(machine.heard()).contains("Queued for next boot: " + HostMachine.NAME);
  }

  @Test
  void writesToADescriptor(@TempDir Path directory) throws IOException {
    int reader = fifo(directory);
    int writer = end(directory, Posix.O_WRONLY);
    try {
      upgradeTelling(writer);
      byte[] bytes = new byte[64 * 1024];
      int length = Posix.read(reader, bytes, 0, bytes.length);
      new String(bytes, 0, length, StandardCharsets.UTF_8)
          .lines()
          .forEach(l -> lines.add(l + "\n"));
      assertThat(events().getLast().get("task").asString()).isEqualTo("staging");
    } finally {
      Posix.close(reader);
      Posix.close(writer);
    }
  }

  /** The process started anew inherits no descriptor: it opens that of the one that started it. */
  @Test
  void writesToADescriptorOfTheProcessThatStartedIt(@TempDir Path directory) throws IOException {
    int reader = fifo(directory);
    int writer = end(directory, Posix.O_WRONLY);
    try (ProgressStream stream = ofStarter(writer)) {
      stream.imported(IMAGE);
    }
    byte[] bytes = new byte[64 * 1024];
    int length = Posix.read(reader, bytes, 0, bytes.length);
    assertThat(new String(bytes, 0, length, StandardCharsets.UTF_8)).contains("\"importing\"");
    Posix.close(reader);
    Posix.close(writer);
  }

  /** Opening such a pipe for writing waits until somebody opens it for reading. */
  @Test
  void aReaderThatIsGoneBeforeTheProcessIsStartedAnewStopsNothing(@TempDir Path directory)
      throws IOException {
    int reader = fifo(directory);
    int writer = end(directory, Posix.O_WRONLY);
    Posix.close(reader);
    try (ProgressStream stream = ofStarter(writer)) {
      stream.imported(IMAGE);
      assertThat(notes).containsExactly("the progress is told to nobody: its reader is gone");
    } finally {
      Posix.close(writer);
    }
  }

  @Test
  void waitsForTheReaderOfAPipeOfTheProcessThatStartedIt(@TempDir Path directory)
      throws IOException {
    int reader = fifo(directory);
    int filler = end(directory, Posix.O_WRONLY | Posix.O_NONBLOCK);
    int writer = end(directory, Posix.O_WRONLY);
    byte[] bytes = new byte[64 * 1024];
    Posix.write(filler, bytes, 0, bytes.length);
    try (ProgressStream stream = ofStarter(writer)) {
      stream.imported(IMAGE);
      Posix.read(reader, bytes, 0, bytes.length);
    }
    int length = Posix.read(reader, bytes, 0, bytes.length);
    assertThat(new String(bytes, 0, length, StandardCharsets.UTF_8)).contains("\"importing\"");
    assertThat(notes).isEmpty();
    Posix.close(filler);
    Posix.close(reader);
    Posix.close(writer);
  }

  private ProgressStream ofStarter(int fd) {
    String self = Long.toString(ProcessHandle.current().pid());
    return ProgressStream.open(fd, Map.of(PrivateMounts.STARTER, self), notes::add);
  }

  @Test
  void aReaderThatIsGoneStopsNothing(@TempDir Path directory) throws IOException {
    int reader = fifo(directory);
    int writer = end(directory, Posix.O_WRONLY);
    Posix.close(reader);
    try {
      upgradeTelling(writer);
      assertThat(notes).singleElement().asString().startsWith("the progress is told no longer: ");
    } finally {
      Posix.close(writer);
    }
  }

  @Test
  @Tag("slow")
  void aReaderThatReadsNothingStopsNothing(@TempDir Path directory) throws IOException {
    int reader = fifo(directory);
    int filler = end(directory, Posix.O_WRONLY | Posix.O_NONBLOCK);
    int writer = end(directory, Posix.O_WRONLY);
    assertThatThrownBy(() -> Posix.write(filler, new byte[1 << 20], 0, 1 << 20))
        .isInstanceOf(UnixException.class);
    upgradeTelling(writer);
    assertThat(notes).isEmpty();
    Posix.close(filler);
    // The thread waits there still; without a reader its wait ends.
    Posix.close(reader);
    Posix.close(writer);
  }

  @Test
  void refusesWhatIsNoDescriptorToWriteTo(@TempDir Path directory) throws IOException {
    refuse(1, "0, 1 and 2 have another use");
    refuse(-1, "0, 1 and 2 have another use");
    refuse(99_999, "no such open descriptor");
    int both = fifo(directory);
    int reader = end(directory, Posix.O_RDONLY);
    try {
      refuse(reader, "not open for writing; open it, as in " + reader + ">FILE");
    } finally {
      Posix.close(both);
      Posix.close(reader);
    }
  }

  private void refuse(int fd, String message) {
    assertThatThrownBy(() -> ProgressStream.open(fd, Map.of(), notes::add))
        .isInstanceOf(Problem.class)
        .hasMessageStartingWith("--progress-fd " + fd + ": ")
        .hasMessageContaining(message)
        .extracting(e -> ((Problem) e).kind())
        .isEqualTo(Problem.Kind.USAGE);
  }
}
