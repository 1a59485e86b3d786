package slipway.sysroot;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Xattrs;
import slipway.linux.process.Command;
import slipway.sysroot.state.Deployment;
import slipway.sysroot.state.Machine;
import slipway.sysroot.state.Origin;
import slipway.sysroot.write.SysrootLabels;
import slipway.system.kargs.KernelArguments;

/** The labels of what a deployment copies, by the image's policy. */
class LabelsTest {
  private static final OsPath LABEL = OsPath.of("security.selinux");

  private static String label(Path path) throws IOException {
    byte[] value = Xattrs.lgetxattr(OsPath.of(path), LABEL);
    return value == null ? "none" : new String(value, StandardCharsets.UTF_8);
  }

  private static Path deploy(Machine machine, String mode) throws IOException {
    return deploy(machine, machine.init(), image(mode, "1", "one"));
  }

  private static Map<String, String> image(String mode, String version, String kernel) {
    Map<String, String> files = Machine.files(version, kernel);
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
    return files;
  }

  private static Path deploy(Machine machine, Sysroot sysroot, Map<String, String> files)
      throws IOException {
    Deployment deployment =
        sysroot.deploy(
            DeploySpec.install(
                "default",
                machine.commit(files),
                Origin.ofRegistry("quay.io/example/os:latest"),
                KernelArguments.of("rw")));
    return machine.root().resolve(deployment.directory());
  }

  /**
   * What lies on a root, but for objects and what leads to them: they have their commit's labels,
   * and these commits none.
   */
  private static Map<String, String> labels(Path root) throws IOException {
    Map<String, String> found = new TreeMap<>();
    try (Stream<Path> all = Files.walk(root)) {
      for (Path path : (Iterable<Path>) all::iterator) {
        String name = root.relativize(path).toString();
        boolean isObject =
            name.endsWith(".file")
                || name.matches("ostree/deploy/[^/]*/deploy/[^/]*(?<!\\.origin)(/(?!etc).*)?")
                || name.matches("boot/ostree/[^/]*/.*");
        if (!isObject) {
          found.put(name, label(path).replaceFirst("system_u:object_r:(.*):s0\0", "$1"));
        }
      }
    }
    return found;
  }

  @Test
  void allThatAnInstallationWroteIsLabelledAndWhatIsAddedToo() throws IOException {
    try (Machine machine = new Machine()) {
      Sysroot sysroot = machine.init();
      Map<String, String> files = image("enforcing", "1", "one");
      files.merge(
          "usr/etc/selinux/t/contexts/files/file_contexts",
          """
          /           -d  system_u:object_r:root_t:s0
          /[^/]*          system_u:object_r:top_t:s0
          /usr(/.*)?      system_u:object_r:usr_t:s0
          /boot(/.*)?     system_u:object_r:boot_t:s0
          """,
          (policy, more) -> more + policy.replaceFirst("(?m)^/var/lib/first/.*\n", ""));
      Path deployment = deploy(machine, sysroot, files);
      Path root = machine.root();
      Files.writeString(root.resolve(".note"), "x");
      Path added = deployment.resolve("etc/shadow");
      Files.writeString(added, "x");
      Files.writeString(root.resolve("ostree/deploy/default/var/lib/key"), "x");
      SysrootLabels.apply(
          root, sysroot.repository().readTree(sysroot.deployments().getFirst().checksum()));
      String etc = root.relativize(deployment) + "/etc";
      Map<String, String> found = labels(root);
      assertThat(found)
          .containsEntry("", "root_t")
          .containsEntry(".note", "top_t")
          .containsEntry("boot", "boot_t")
          .containsEntry("boot/loader", "boot_t")
          .containsEntry("boot/loader.1/entries/ostree-1.conf", "boot_t")
          .containsEntry("ostree/repo/config", "usr_t")
          .containsEntry("ostree/deploy/default/var/lib/key", "var_t")
          .containsEntry(root.relativize(deployment) + ".origin", "etc_t")
          .containsEntry(etc + "/hosts", "net_conf_t")
          .containsEntry(etc + "/shadow", "etc_t")
          .doesNotContainValue("none");
      assertThat(found.get("ostree/deploy/default/backing/" + deployment.getFileName()))
          .isEqualTo("usr_t");
      machine.judge();

      files = image("enforcing", "2", "two");
      Path second = deploy(machine, sysroot, files);
      Map<String, String> after = labels(root);
      // The kernel of this machine labels nothing.
      after.keySet().removeIf(name -> name.startsWith("ostree/repo/"));
      after.keySet().removeIf(name -> name.contains("/etc"));
      assertThat(after)
          .containsEntry("boot/loader.0/entries/ostree-1.conf", "boot_t")
          .containsEntry("boot/loader", "boot_t")
          .containsEntry("ostree/boot.0", "usr_t")
          .containsEntry("ostree/boot.0.1/default", "usr_t")
          .containsEntry(root.relativize(second) + ".origin", "usr_t")
          .doesNotContainValue("none");
    }
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
  void anOldFileThatCannotBeChangedKeepsNothingAway() throws IOException {
    try (Machine machine = new Machine()) {
      Sysroot sysroot = machine.init();
      deploy(machine, sysroot, image("enforcing", "1", "one"));
      Path etc = Files.createDirectories(machine.root().resolve("etc"));
      Path fixed = Files.writeString(etc.resolve("resolv.conf"), "x");
      Path other = Files.writeString(etc.resolve("sometext"), "x");
      Path full = Files.writeString(etc.resolve("full"), "x");
      fillWithAttributes(full);
      Command.of("chattr", "+i", fixed.toString()).run();
      try {
        SysrootLabels.apply(
            machine.root(),
            sysroot.repository().readTree(sysroot.deployments().getFirst().checksum()));
      } finally {
        Command.of("chattr", "-i", fixed.toString()).run();
      }
      assertThat(label(fixed)).isEqualTo("none");
      assertThat(label(full)).as("on ext4 it has no room").isIn("none", label(other));
      assertThat(label(other)).isEqualTo("system_u:object_r:etc_t:s0\0");
    }
  }

  /** Until its file system takes no more, as ext4 soon does. */
  private static void fillWithAttributes(Path file) {
    try {
      for (int i = 0; i < 1000; i++) {
        Xattrs.lsetxattr(OsPath.of(file), OsPath.of("user.a" + i), new byte[16]);
      }
    } catch (IOException e) {
      // That is it.
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
