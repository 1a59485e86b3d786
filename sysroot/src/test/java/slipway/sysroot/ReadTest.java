package slipway.sysroot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.sysroot.state.Deployment;
import slipway.sysroot.state.Machine;
import slipway.sysroot.state.Origin;
import slipway.system.kargs.KernelArguments;

/** What is read of a machine that changes meanwhile, or is damaged. */
class ReadTest {
  private static final Origin ORIGIN = Origin.ofRegistry("quay.io/example/os:latest");

  private Machine machine;

  @BeforeEach
  void start() throws IOException {
    machine = new Machine();
  }

  @AfterEach
  void stop() throws IOException {
    machine.close();
  }

  private Deployment deployFirst(Sysroot sysroot) throws IOException {
    return sysroot.deploy(
        DeploySpec.install(
            "default",
            machine.commit(Machine.files("1", "one")),
            ORIGIN,
            KernelArguments.of("root=UUID=1234", "rw")));
  }

  /** Nobody waits for the lock of a writer to learn what runs. */
  @Test
  void aMenuThatChangesWhileItIsReadIsReadAgain() throws Exception {
    Sysroot sysroot = machine.init();
    Deployment first = deployFirst(sysroot);
    sysroot.deploy(DeploySpec.upgrade(first, machine.commit(Machine.files("2", "two")), ORIGIN));
    FutureTask<Integer> changes =
        new FutureTask<>(
            () -> {
              for (int i = 0; i < 80; i++) {
                sysroot.setBootOrder(sysroot.deployments().reversed(), Sysroot.Before.NOTHING);
              }
              return 0;
            });
    Thread.ofPlatform().start(changes);
    try {
      while (!changes.isDone()) {
        assertThat(Sysroot.open(machine.root()).deployments()).hasSize(2);
      }
    } finally {
      changes.get();
    }
  }

  /** It names what is followed, and nothing else of the machine depends on it. */
  @Test
  void anOriginThatCannotBeReadSpoilsItsOwnDeploymentAlone() throws IOException {
    Sysroot sysroot = machine.init();
    Deployment first = deployFirst(sysroot);
    Path origin = Path.of(sysroot.path(first) + ".origin");
    try (FileChannel hole = FileChannel.open(origin, StandardOpenOption.WRITE)) {
      hole.write(ByteBuffer.wrap(new byte[1]), 3L << 30);
    }
    Deployment found = Sysroot.open(machine.root()).deployments().getFirst();
    assertThat(found.origin().damage()).startsWith(origin + ": more than 4 MiB");
    assertThat(found.origin().container()).isEmpty();
  }

  /** As an automount that fails. */
  @Test
  void aBootThatCannotBeLookedIntoIsNoEmptyMenu() throws IOException {
    deployFirst(machine.init());
    Path boot = machine.root().resolve("boot");
    Files.move(boot, machine.root().resolve("away"));
    Files.createSymbolicLink(boot, Path.of("boot"));
    assertThatThrownBy(() -> Sysroot.open(machine.root()))
        .isInstanceOf(Problem.class)
        .hasMessageContaining("the boot menu cannot be read: " + boot.resolve("loader"))
        .hasMessageContaining("Too many levels of symbolic links");
  }
}
