package slipway.sysroot;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Xattrs;
import slipway.sysroot.state.Deployment;
import slipway.sysroot.state.Machine;
import slipway.sysroot.state.Origin;
import slipway.system.kargs.KernelArguments;

/** The labels of what a deployment copies, by the image's policy. */
class LabelsTest {
  private static final OsPath LABEL = OsPath.of("security.selinux");

  private static String label(Path path) throws IOException {
    byte[] value = Xattrs.lgetxattr(OsPath.of(path), LABEL);
    return value == null ? "none" : new String(value, StandardCharsets.UTF_8);
  }

  private static Path deploy(Machine machine, String mode) throws IOException {
    Map<String, String> files = Machine.files("1", "one");
    files.put("var/lib/first/file", "x");
    files.put("usr/etc/selinux/config", "SELINUX=" + mode + "\nSELINUXTYPE=t\n");
    files.put(
        "usr/etc/selinux/t/contexts/files/file_contexts",
        """
        /usr/etc(/.*)?   system_u:object_r:usr_t:s0
        /etc(/.*)?       system_u:object_r:etc_t:s0
        /etc/hosts  --   system_u:object_r:net_conf_t:s0
        /var(/.*)?       system_u:object_r:var_t:s0
        /var/lib/first/.*  <<none>>
        """);
    Deployment deployment =
        machine
            .init()
            .deploy(
                DeploySpec.install(
                    "default",
                    machine.commit(files),
                    Origin.ofRegistry("quay.io/example/os:latest"),
                    KernelArguments.of("rw")));
    return machine.root().resolve(deployment.directory());
  }

  @Test
  void whatIsCopiedHasTheLabelOfItsPlace() throws IOException {
    try (Machine machine = new Machine()) {
      Path deployment = deploy(machine, "enforcing");
      assertThat(label(deployment.resolve("etc"))).isEqualTo("system_u:object_r:etc_t:s0\0");
      assertThat(label(deployment.resolve("etc/motd"))).isEqualTo("system_u:object_r:etc_t:s0\0");
      assertThat(label(deployment.resolve("etc/hosts")))
          .isEqualTo("system_u:object_r:net_conf_t:s0\0");
      Path var = machine.root().resolve("ostree/deploy/default/var");
      assertThat(label(var)).isEqualTo("system_u:object_r:var_t:s0\0");
      assertThat(label(var.resolve("lib/first"))).isEqualTo("system_u:object_r:var_t:s0\0");
      assertThat(label(var.resolve("lib/first/file"))).isEqualTo("none");
      machine.judge();
    }
  }

  @Test
  void withoutSelinuxNothingIsLabelled() throws IOException {
    try (Machine machine = new Machine()) {
      Path deployment = deploy(machine, "disabled");
      assertThat(label(deployment.resolve("etc/hosts"))).isEqualTo("none");
      assertThat(label(machine.root().resolve("ostree/deploy/default/var"))).isEqualTo("none");
    }
  }
}
