package slipway.builder.engine;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;
import slipway.builder.session.BuildRequest;
import slipway.linux.mount.Mount;
import slipway.linux.process.Command;
import slipway.oci.copy.ImageSink;
import slipway.oci.copy.Transfer;
import slipway.oci.model.Reference;

/** A build whose disk becomes full says so, where, and what to do. */
@Timeout(120)
class FullDiskBuildTest {
  @TempDir Path directory;

  private Path context(int megabytes) throws Exception {
    byte[] noise = new byte[megabytes << 20];
    new Random(1).nextBytes(noise);
    Path context = Files.createDirectories(directory.resolve("context"));
    Files.write(context.resolve("big"), noise);
    Command.of("tar", "-C", context.toString(), "-cf", context + "/big.tar", "big").run();
    return context;
  }

  private static void refuses(Lab lab, Path context, String line, String step) throws Exception {
    Files.writeString(context.resolve("Containerfile"), "FROM base:1\n" + line + "\n");
    assertThatThrownBy(() -> lab.build(BuildRequest.of(context)))
        .as(line)
        .isInstanceOf(Problem.class)
        .hasMessageContaining(step)
        .hasMessageMatching(
            ".*no space is left on the file system of "
                + lab.directory
                + "/(build|store); make room there, for example with slipway system prune, or keep"
                + " the state elsewhere with --root");
  }

  @Test
  void steps() throws Exception {
    Path context = context(12);
    Path state = Files.createDirectory(directory.resolve("state"));
    try (Mount disk = Mount.of("tmpfs", state, "tmpfs", 0, "size=12m");
        Lab lab = Lab.withBase(state)) {
      refuses(lab, context, "COPY big /x", "Containerfile:2: no space");
      refuses(lab, context, "ADD big.tar /x/", "Containerfile:2: no space");
      refuses(lab, context, "RUN cat /dev/zero >/x", "Containerfile:2: RUN cat");
      refuses(lab, context, "RUN --mount=type=bind,target=/m,rw true", "Containerfile:2: no space");
    }
  }

  @Test
  void inodes() throws Exception {
    Path context = context(1);
    Path state = Files.createDirectory(directory.resolve("state"));
    try (Mount disk = Mount.of("tmpfs", state, "tmpfs", 0, "size=64m,nr_inodes=1000");
        Lab lab = Lab.withBase(state)) {
      refuses(
          lab,
          context,
          "RUN i=0; while echo >/f$i; do i=$((i+1)); done; exit 1",
          "Containerfile:2: RUN i=0");
    }
  }

  @Test
  void blobs() throws Exception {
    Path context = context(8);
    Path state = Files.createDirectory(directory.resolve("state"));
    try (Mount disk = Mount.of("tmpfs", state, "tmpfs", 0, "size=14m");
        Lab lab = Lab.withBase(state)) {
      refuses(lab, context, "COPY big /x", "cannot write a blob to ");
    }
  }

  @Test
  void bases() throws Exception {
    Path context = context(8);
    Lab other = Lab.withBase(Files.createDirectory(directory.resolve("other")));
    Path state = Files.createDirectory(directory.resolve("state"));
    try (other;
        Mount disk = Mount.of("tmpfs", state, "tmpfs", 0, "size=14m");
        Lab lab = Lab.withBase(state)) {
      Files.writeString(context.resolve("Containerfile"), "FROM base:1\nCOPY big /x\n");
      other.build(
          BuildRequest.of(context).tags(java.util.List.of(Reference.parse("localhost/big:1"))));
      try (ImageSink sink = lab.store.sink(Reference.parse(Lab.BASE))) {
        Transfer.copy(
            other.store.source(),
            "localhost/big:1",
            sink,
            Lab.BASE,
            Transfer.Options.all(),
            lab.progress());
      }
      refuses(lab, context, "RUN true", "Containerfile:2: no space");
    }
  }
}
