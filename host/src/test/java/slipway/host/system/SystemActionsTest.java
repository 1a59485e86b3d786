package slipway.host.system;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.base.Problem;

class SystemActionsTest {
  @TempDir Path run;

  /** In a chroot, or a container that runs no systemd. */
  @Test
  void withoutSystemdThereIsOneSentence() {
    SystemActions actions = SystemActions.systemd(run);
    assertThatThrownBy(actions::startFinalizer)
        .isInstanceOf(Problem.class)
        .hasMessage(
            "systemd does not run here, which would make a staged version the one that boots");
    assertThatThrownBy(actions::reboot)
        .isInstanceOf(Problem.class)
        .hasMessage("systemd does not run here, which would reboot: reboot it yourself");
  }
}
