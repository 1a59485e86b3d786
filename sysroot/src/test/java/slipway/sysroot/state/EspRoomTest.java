package slipway.sysroot.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.sysroot.DeploySpec;
import slipway.sysroot.Sysroot;
import slipway.system.kargs.KernelArguments;

/** Whether a change of the boot menu finds room on the EFI system partition. */
class EspRoomTest extends EspCase {
  /** At each level of what is left there a change is made whole, or refused before it begins. */
  @Test
  void aFullPartitionTakesAChangeWholeOrNotAtAll() throws IOException {
    upgrade(Machine.files("2", "two"));
    mountPartition("1m");
    try {
      boolean taken = false;
      for (int blocks = 0; blocks < 6; blocks++) {
        fill(blocks);
        taken = isTakenOrRefused(this::rollback);
        isTakenOrRefused(this::stageAnArgument);
        sysroot.dropStaged(Sysroot.Before.NOTHING);
        assertThat(kernels()).hasSize(2);
        machine.judge();
      }
      assertThat(taken).as("with room for it").isTrue();
      fill(0);
      assertThat(isTakenOrRefused(this::stageAnArgument)).isFalse();
      assertThatThrownBy(this::rollback)
          .hasMessageMatching("/boot/efi is full: it has 0 KiB for a boot menu of 8 KiB; .*");
    } finally {
      unmountPartition();
    }
  }

  /** What nobody could know before it was written goes again. */
  @Test
  void ofAMenuThatCouldNotBeWrittenNothingStays() throws IOException {
    upgrade(Machine.files("2", "two"));
    Map<String, String> boot = machine.listing("boot");
    Map<String, String> links = machine.listing("ostree");
    String starts = starts();
    mountPartition("1m,nr_inodes=14");
    try {
      while (true) {
        Files.createTempFile(esp, "filling", "");
      }
    } catch (IOException e) {
      assertThatThrownBy(this::rollback).isInstanceOf(IOException.class);
      assertThat(entries()).containsExactly("ostree-a-1.conf", "ostree-a-2.conf");
      assertThat(starts()).isEqualTo(starts);
    } finally {
      unmountPartition();
    }
    assertThat(machine.listing("boot")).isEqualTo(boot);
    assertThat(machine.listing("ostree")).isEqualTo(links);
    machine.judge();
  }

  private interface Change {
    void make() throws IOException;
  }

  private void rollback() throws IOException {
    sysroot.setBootOrder(sysroot.deployments().reversed(), Sysroot.Before.NOTHING);
  }

  private void stageAnArgument() throws IOException {
    Deployment booted = sysroot.booted().orElseThrow();
    sysroot.stage(
        DeploySpec.restart(booted, KernelArguments.of("root=UUID=1", "quiet"), Map.of(), booted),
        false);
  }

  private boolean isTakenOrRefused(Change change) throws IOException {
    String before = entries() + loader();
    Map<String, String> boot = machine.listing("boot");
    try {
      change.make();
      return true;
    } catch (Problem e) {
      assertThat(e.kind()).isEqualTo(Problem.Kind.ENVIRONMENT);
      assertThat(entries() + loader()).isEqualTo(before);
      assertThat(machine.listing("boot")).isEqualTo(boot);
      assertThat(sysroot.staged()).isEmpty();
      return false;
    }
  }

  /** Leaves so many blocks of the partition free. */
  private void fill(int blocks) throws IOException {
    Path filling = esp.resolve("filling");
    Files.deleteIfExists(filling);
    long free = Files.getFileStore(esp).getUsableSpace();
    Files.write(filling, new byte[(int) (free - 4096L * blocks)]);
  }
}
