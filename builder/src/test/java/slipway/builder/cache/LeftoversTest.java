package slipway.builder.cache;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.builder.engine.BuildProcess;
import slipway.builder.engine.Lab;
import slipway.linux.process.Command;

/** What a build leaves that is hard to remove does not stop the next. */
class LeftoversTest {
  @TempDir Path directory;

  private static final String DEEP =
      "d=dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd;"
          + " i=0; while [ $i -lt 300 ]; do mkdir $d; cd $d; i=$((i+1)); done";

  @Test
  void aTreeDeeperThanAPathCanSayIsRemoved() throws Exception {
    try (Lab lab = Lab.withBase(directory)) {
      try {
        lab.build("FROM base:1\nRUN " + DEEP + "; exit 1\n");
      } catch (Problem e) {
        assertThat(e).hasMessageContaining("failed with status 1");
      }
      assertThat(directory.resolve("build/work")).isEmptyDirectory();
      // A build that was killed leaves it for the next one.
      Path killed = Files.createDirectories(directory.resolve("build/work/dead"));
      Command.of("sh", "-c", "cd " + killed + "; " + DEEP).run();
      lab.build("FROM base:1\nRUN true\n");
      assertThat(directory.resolve("build/work")).isEmptyDirectory();
      assertThat(lab.notes).noneMatch(n -> n.contains("aside"));
    }
  }

  @Test
  void whatCannotBeRemovedIsSetAsideAndTold() throws Exception {
    try (Lab lab = Lab.withBase(directory)) {
      Path killed = Files.createDirectories(directory.resolve("build/work/dead/step"));
      Path file = Files.writeString(killed.resolve("file"), "x");
      // A mount point stands for all that unlink refuses; immutable flags need a file system.
      Command.of("mount", "--bind", file.toString(), file.toString()).run();
      try {
        lab.build("FROM base:1\nRUN true\n");
        assertThat(directory.resolve("build/work")).isEmptyDirectory();
        assertThat(lab.notes).filteredOn(n -> n.contains("build/aside")).hasSize(1);
        lab.build("FROM base:1\nRUN true\n");
        assertThat(lab.notes).filteredOn(n -> n.contains("build/aside")).hasSize(1);
      } finally {
        for (String at : mountsBelow(directory)) {
          Command.of("umount", at).run();
        }
      }
    }
  }

  /** Killed while a command runs and the layer before it is written: nobody could clear away. */
  @Test
  @Tag("slow")
  void theNextBuildRemovesWhatAKilledOneLeft() throws Exception {
    Lab.withBase(directory).close();
    Path context = Files.createDirectory(directory.resolve("context"));
    byte[] noise = new byte[32 << 20];
    new java.util.Random(1).nextBytes(noise);
    Files.write(context.resolve("big"), noise);
    Files.writeString(
        context.resolve("Containerfile"),
        "FROM base:1\nCOPY big /x\nRUN echo started && sleep 300\n");
    Process build = BuildProcess.start(directory, context);
    assertThat(build.inputReader().readLine()).isEqualTo("started");
    build.destroyForcibly().waitFor();
    assertThat(directory.resolve("build/work")).isNotEmptyDirectory();
    assertThat(directory.resolve("store/tmp")).isNotEmptyDirectory();
    try (Lab lab = new Lab(directory)) {
      lab.build("FROM base:1\nRUN true\n");
      assertThat(lab.notes).noneMatch(n -> n.contains("could not be removed"));
    }
    assertThat(directory.resolve("build/work")).isEmptyDirectory();
    assertThat(directory.resolve("store/tmp")).isEmptyDirectory();
  }

  private static java.util.List<String> mountsBelow(Path directory) throws Exception {
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/mounts"))) {
      return lines.map(l -> l.split(" ")[1]).filter(m -> m.startsWith(directory + "/")).toList();
    }
  }
}
