package slipway.host.update;

import java.io.IOException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import slipway.host.system.HostMachine;
import slipway.oci.model.Manifest;
import slipway.sysroot.state.Deployment;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A machine that was installed from an image, and what its tests do with it. */
abstract class HostCase {
  static final String NAME = HostMachine.NAME;
  static final Host.UpgradeOptions CHECK = new Host.UpgradeOptions(true, false, false, false, null);

  HostMachine machine;
  Manifest.Image first;
  Deployment installed;

  @BeforeEach
  void start() throws IOException {
    machine = new HostMachine();
    first = machine.publish(NAME, HostMachine.Image.of("1"));
    installed = machine.install();
  }

  @AfterEach
  void stop() throws IOException {
    machine.close();
  }

  static String leftOut(Object digests) {
    return "notice: Unattended updates leave out "
        + digests
        + " until a newer image appears; bootc upgrade brings it all the same.";
  }

  JsonNode status() throws IOException {
    return JsonMapper.shared().readTree(machine.host().status(Host.Format.JSON, false, false));
  }

  void upgrade() throws IOException {
    machine.host().upgrade(Host.UpgradeOptions.NONE);
  }
}
