package slipway.container;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.linux.posix.OsPath;
import slipway.system.accounts.ImageAccounts;

class ContainerRuntimeTest {
  @TempDir Path directory;

  /** On a busy machine the kernel may not be done with a container's last process. */
  @Test
  void controlGroupsThatWereNotRemovedAreNoFailureOfTheCommand() throws Exception {
    Path program = directory.resolve("runc");
    Files.writeString(
        program,
        """
        #!/bin/sh
        while [ "$1" != --log ]; do shift; done
        echo '{"level":"error","msg":"Failed to remove paths: map[:/sys/fs/cgroup/none/x]"}' > "$2"
        exit 3
        """);
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
    Path bundle = Files.createDirectory(directory.resolve("bundle"));
    ContainerSpec spec =
        new ContainerSpec(
            OsPath.of(directory),
            List.of("false"),
            List.of(),
            "/",
            new ImageAccounts.Identity(0, 0, List.of(), "/root"),
            new ContainerSpec.Network.None(),
            false,
            List.of(),
            "x",
            RunLimits.USUAL);
    int status =
        new ContainerRuntime(program)
            .run(spec, bundle, directory.resolve("state"), "x", line -> {});
    assertThat(status).isEqualTo(3);
  }
}
