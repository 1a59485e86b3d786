package slipway.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SeccompProfileTest {
  @Test
  void theProfileIsPodmans() throws Exception {
    String shipped =
        SeccompProfile.shipped().forContainer("amd64", Set.of("CAP_SYS_CHROOT")).toString();
    assertThat(shipped)
        .contains("SCMP_ARCH_X86_64", "SCMP_ARCH_X32", "\"arch_prctl\"")
        .doesNotContain("s390_pci_mmio_read", "sync_file_range2\",\"x");
    var podman =
        SeccompProfile.of(
            "test",
            """
            {"defaultAction":"SCMP_ACT_ERRNO","defaultErrno":"ENOSYS","defaultErrnoRet":1,
             "archMap":[{"architecture":"SCMP_ARCH_AARCH64","subArchitectures":["SCMP_ARCH_ARM"]}],
             "syscalls":[
              {"names":["a"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_X","CAP_Y"]}},
              {"names":["b"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_X"]}},
              {"names":["c"],"action":"SCMP_ACT_ERRNO","excludes":{"caps":["CAP_X"]},"errno":"EPERM"},
              {"names":["d"],"action":"SCMP_ACT_ERRNO","excludes":{"caps":["CAP_Y"]},"errno":"EPERM"},
              {"names":["e"],"action":"SCMP_ACT_ALLOW","includes":{"arches":["amd64"]}},
              {"names":["f"],"action":"SCMP_ACT_ALLOW","includes":{"arches":["arm64"]}},
              {"names":["g"],"action":"SCMP_ACT_ALLOW","excludes":{"arches":["arm64"]}},
              {"names":["keyctl"],"action":"SCMP_ACT_ALLOW"},
              {"name":"h","action":"SCMP_ACT_ERRNO","errnoRet":95}]}
            """
                .getBytes(StandardCharsets.UTF_8));
    assertThat(podman.forContainer("aarch64", Set.of("CAP_X")).toString())
        .isEqualTo(
            "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,"
                + "\"architectures\":[\"SCMP_ARCH_AARCH64\",\"SCMP_ARCH_ARM\"],\"syscalls\":["
                + "{\"names\":[\"add_key\",\"keyctl\",\"request_key\"],"
                + "\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":1},"
                + "{\"names\":[\"b\"],\"action\":\"SCMP_ACT_ALLOW\"},"
                + "{\"names\":[\"d\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":1},"
                + "{\"names\":[\"f\"],\"action\":\"SCMP_ACT_ALLOW\"},"
                + "{\"names\":[\"h\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":95}]}");
    assertThatThrownBy(
            () ->
                SeccompProfile.of(
                        "x.json", "{\"defaultErrno\":\"EWHAT\"}".getBytes(StandardCharsets.UTF_8))
                    .forContainer("amd64", Set.of()))
        .hasMessage("the seccomp profile x.json answers with EWHAT; write its number instead");
  }
}
