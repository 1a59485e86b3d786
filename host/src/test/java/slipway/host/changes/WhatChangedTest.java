package slipway.host.changes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.host.system.HostMachine;
import slipway.host.update.Host;
import slipway.linux.process.Command;
import slipway.oci.model.Manifest;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class WhatChangedTest {
  private static final String NAME = HostMachine.NAME;
  private static final String STATUS = "usr/lib/sysimage/dpkg/status";

  private HostMachine machine;
  private Manifest.Image first;

  @BeforeEach
  void start() throws IOException {
    machine = new HostMachine();
    first =
        machine.publish(
            NAME,
            HostMachine.Image.of("1")
                .file(STATUS, installed("bash", "5.2-1") + installed("vim", "9.0"))
                .file("usr/lib/systemd/system/web.service", "[Service]\nExecStart=/a\n")
                .file("usr/bin/old", "old")
                .file("usr/share/was-file", "x")
                .file("usr/lib/bootc/kargs.d/1.toml", "kargs = [\"quiet\"]"));
    machine.install();
  }

  @AfterEach
  void stop() throws IOException {
    machine.close();
  }

  private static String installed(String name, String version) {
    return "Package: "
        + name
        + "\nStatus: install ok installed\nDescription: it\n Version: not this\nVersion: "
        + version
        + "\n\n";
  }

  private Manifest.Image stage() throws IOException {
    Manifest.Image second =
        machine.publish(
            NAME,
            HostMachine.Image.of("2")
                .file(STATUS, installed("bash", "5.2-2") + installed("nginx", "1.28"))
                .file("usr/lib/systemd/system/web.service", "[Service]\nExecStart=/b\n")
                .file("usr/lib/systemd/system/web.timer", "[Timer]\n")
                .file("usr/share/was-file/now-folder", "x")
                .file("usr/share/x\nPackages: no change", "x")
                .file("usr/lib/bootc/kargs.d/1.toml", "kargs = [\"debug\"]"));
    machine.host().upgrade(Host.UpgradeOptions.NONE);
    return second;
  }

  private Changes between(String from, String to) throws IOException {
    return WhatChanged.between(machine.environment(), from, to);
  }

  @Test
  void tellsWhatTheNextBootBringsAndWhatTheLastOneBrought() throws IOException {
    Manifest.Image second = stage();
    Changes next = between(null, null);
    String text =
        """
        From booted: 1, %s
        To staged: 2, %s
        Packages: 3
          ~ bash 5.2-1 -> 5.2-2
          + nginx 1.28
          - vim 9.0
        Kernel arguments: 1
          + debug
        Units: 2
          ~ /usr/lib/systemd/system/web.service
          + /usr/lib/systemd/system/web.timer
        Files: """
            .formatted(first.digest(), second.digest());
    assertThat(next.text()).startsWith(text).contains("\\nPackages: no change");
    assertThat(next.text().lines().filter(l -> l.startsWith("Packages: "))).hasSize(1);
    assertThat(next.files())
        .containsEntry("/usr/bin/old", Alteration.REMOVED)
        .containsEntry("/usr/bin", Alteration.REMOVED)
        .containsEntry("/usr/share/was-file", Alteration.CHANGED)
        .containsEntry("/usr/share/was-file/now-folder", Alteration.ADDED)
        .containsEntry("/" + STATUS, Alteration.CHANGED)
        .doesNotContainKey("/usr/share/base");
    machine.reboot();
    Changes last = between(null, null);
    assertThat(last.from().name()).isEqualTo("rollback");
    assertThat(last.to().name()).isEqualTo("booted");
    assertThat(last.packages()).isEqualTo(next.packages());
    // The other way round, by digest and index.
    assertThat(between("0", "1").packages()).isEqualTo(between("booted", "rollback").packages());
    Changes back = between("booted", first.digest().toString().substring(0, 15));
    assertThat(back.packages()).contains(new Changes.PackageChange("vim", null, "9.0"));
    assertThat(back.units()).containsEntry("/usr/lib/systemd/system/web.timer", Alteration.REMOVED);
  }

  /** Every file that diff(1) finds different, and no other. */
  @Test
  void findsTheFilesThatDiffFinds() throws IOException {
    stage();
    Changes changes = between("booted", "staged");
    var deployments = machine.root().resolve("ostree/deploy/default/deploy");
    String[] commits =
        java.nio.file.Files.list(deployments)
            .filter(java.nio.file.Files::isDirectory)
            .map(java.nio.file.Path::toString)
            .toArray(String[]::new);
    assertThat(commits).hasSize(2);
    long differ =
        Command.of("diff", "-rq", "--no-dereference", commits[0] + "/usr", commits[1] + "/usr")
            .tryRun()
            .text()
            .lines()
            .filter(l -> l.endsWith(" differ"))
            .count();
    assertThat(
            changes.files().entrySet().stream()
                .filter(
                    e ->
                        e.getValue() == Alteration.CHANGED
                            && !e.getKey().equals("/usr/share/was-file")))
        .hasSize((int) differ);
  }

  @Test
  void writesAllOfItAsJson() throws IOException {
    stage();
    JsonNode json = JsonMapper.shared().readTree(between(null, null).json());
    assertThat(json.at("/from/version").asString()).isEqualTo("1");
    assertThat(json.at("/packages/0/name").asString()).isEqualTo("bash");
    assertThat(json.at("/packages/1/from").isNull()).isTrue();
    assertThat(json.at("/kernelArguments/0/argument").asString()).isEqualTo("debug");
    assertThat(json.at("/kernelArguments/0/change").asString()).isEqualTo("added");
    assertThat(json.at("/units").size()).isEqualTo(2);
    assertThat(json.at("/files").size()).isEqualTo(between(null, null).files().size());
  }

  @Test
  void saysWhichVersionsThereAre() throws IOException {
    assertThatThrownBy(() -> between(null, null))
        .isInstanceOf(Problem.class)
        .hasMessage("there is nothing to compare with: the machine has one version only");
    assertThatThrownBy(() -> between("staged", null))
        .hasMessage("nothing is staged; bootc status shows what there is");
    assertThatThrownBy(() -> between("rollback", null))
        .hasMessage("there is no deployment to roll back to; bootc status shows what there is");
    assertThatThrownBy(() -> between("7", null))
        .hasMessage(
            "no deployment is \"7\"; name one by its index, 0, by its commit or its image's digest:"
                + " bootc status -v shows them");
  }

  @Test
  void readsThePackagesThatAreInstalled() throws IOException {
    String status =
        installed("a", "1")
            + "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n"
            + "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2\n\n"
            + "Package: libc6\nStatus: hold ok installed\nArchitecture: i386\nVersion: 3\n\n"
            + "no field\n: no name\nPackage: half";
    assertThat(DpkgStatus.parse(new ByteArrayInputStream(status.getBytes(StandardCharsets.UTF_8))))
        .isEqualTo(Map.of("a", "1", "libc6", "2", "libc6:i386", "3"));
  }
}
