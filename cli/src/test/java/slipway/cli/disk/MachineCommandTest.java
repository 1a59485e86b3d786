package slipway.cli.disk;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.cli.Ran;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Machines that start from an empty disk, which is all that the verbs need. */
class MachineCommandTest {
  @TempDir Path directory;
  private Path disk;

  @BeforeEach
  void makeDisk() throws Exception {
    disk = Files.write(directory.resolve("empty.raw"), new byte[1 << 20]);
  }

  @AfterEach
  void nothingRuns() throws Exception {
    for (JsonNode machine : list()) {
      assertThat(vm("rm", "--force", machine.path("name").asString()).status()).isZero();
    }
  }

  private Ran vm(String verb, String... words) throws Exception {
    List<String> all = new ArrayList<>(List.of("vm", verb));
    all.addAll(List.of("--root", directory.resolve("state").toString()));
    all.addAll(List.of(words));
    return Ran.of("slipway", all);
  }

  private Ran run(String... words) throws Exception {
    List<String> all = new ArrayList<>(List.of(words));
    all.addAll(List.of("--firmware", "bios", "--accel", "tcg", "--memory", "128"));
    all.add(disk.toString());
    return vm("run", all.toArray(String[]::new));
  }

  private JsonNode list() throws Exception {
    return new JsonMapper().readTree(vm("list", "--json").out());
  }

  @Test
  void aMachineIsStartedListedStoppedAndRemoved() throws Exception {
    assertThat(list()).isEmpty();
    Ran started = run("--detach", "--snapshot", "--forward", "0:80", "--vnc");
    assertThat(started.out()).isEqualTo("empty\n");
    assertThat(run("-d", "--snapshot").out()).isEqualTo("empty-2\n");
    assertThat(vm("list").out().lines().map(l -> l.replaceAll(" .*", "")))
        .containsExactly("NAME", "empty", "empty-2");
    JsonNode machine = list().get(0);
    assertThat(machine.path("state").asString()).isEqualTo("running");
    assertThat(machine.path("from").asString()).isEqualTo(disk.toString());
    assertThat(machine.path("vncPort").asInt()).isBetween(5900, 5999);
    int port = machine.path("forwards").get(1).path("port").asInt();
    assertThat(vm("ip", "--port", "80", "empty").out()).isEqualTo("127.0.0.1:" + port + "\n");
    assertThat(vm("ip", "empty").out()).hasLineCount(2);
    assertThat(vm("ip", "--port", "81", "empty").err()).contains("--forward");
    assertThat(vm("stop", "--force", "empty").status()).isZero();
    assertThat(list().get(0).path("state").asString()).isEqualTo("off");
    for (String verb : List.of("ip", "ssh", "console")) {
      Ran refused = vm(verb, "empty");
      assertThat(refused.err()).contains("slipway vm start empty");
      assertThat(refused.status()).isEqualTo(1);
    }
    assertThat(vm("start", "empty").status()).isZero();
    assertThat(vm("rm", "empty").err()).contains("slipway vm stop empty");
    assertThat(vm("rm", "-f", "empty", "empty-2").out()).isEqualTo("empty\nempty-2\n");
    assertThat(disk).hasSize(1 << 20);
  }

  @Test
  void aMachineThatQemuRefusesIsNotThere() throws Exception {
    Ran first = run("-d", "--name", "one");
    assertThat(first.status()).isZero();
    // The disk is locked by the first.
    Ran second = run("-d", "--name", "two");
    assertThat(second.status()).isEqualTo(1);
    assertThat(second.err()).contains("lock");
    assertThat(list()).hasSize(1);
  }

  @Test
  void virtInstallsLineStartsNothing() throws Exception {
    Ran ran = run("--virt-install", "--name", "web");
    assertThat(ran.out())
        .startsWith("virt-install --name web --memory 128 --vcpus 2 --import --disk " + disk);
    assertThat(list()).isEmpty();
  }

  @Test
  void wordsAreFilesOrImages() throws Exception {
    assertThat(MachineDisk.isFile("localhost/web:1")).isFalse();
    assertThat(MachineDisk.isFile("web")).isFalse();
    assertThat(MachineDisk.isFile("./web")).isTrue();
    assertThat(MachineDisk.isFile("web.qcow2")).isTrue();
    assertThat(MachineDisk.isFile(disk.toString())).isTrue();
    Ran none = vm("run", "--detach", "localhost/none:1");
    assertThat(none.err()).contains("no image \"localhost/none:1\"");
    assertThat(run("--vnc").err()).contains("--name or --detach");
  }

  @Test
  void aCloudTellsTheMachineWhatItIs() throws Exception {
    Path key = directory.resolve("id");
    String line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO me@here";
    Files.writeString(key, "-----BEGIN OPENSSH PRIVATE KEY-----\n");
    assertThat(run("-d", "--cloud", "ec2", "--key", key.toString()).err())
        .contains("is a private key, and there is no " + key + ".pub");
    Files.writeString(directory.resolve("id.pub"), line + "\n");
    Path data = Files.writeString(directory.resolve("data"), "#cloud-config\n");
    String[] words = {"--key", key.toString(), "--user-data", data.toString()};
    assertThat(
            run("-d", "--name", "in_ec2", "--cloud", "ec2", words[0], words[1], words[2], words[3])
                .err())
        .isEmpty();
    Path served = directory.resolve("state/vm/machines/in_ec2/ec2/served/latest");
    assertThat(served.resolve("user-data")).hasContent("#cloud-config");
    assertThat(served.resolve("meta-data/local-hostname")).hasContent("in-ec2");
    assertThat(served.resolve("meta-data/public-keys/0/openssh-key")).hasContent(line);
    Path own = directory.resolve("state/vm/machines/in_ec2/id_ed25519.pub");
    assertThat(served.resolve("meta-data/public-keys/1/openssh-key"))
        .hasContent(Files.readString(own).strip());
    String instance = Files.readString(served.resolve("meta-data/instance-id"));
    assertThat(vm("stop", "--force", "in_ec2").status()).isZero();
    assertThat(vm("start", "in_ec2").err()).isEmpty();
    assertThat(served.resolve("meta-data/instance-id")).hasContent(instance);
    assertThat(vm("stop", "--force", "in_ec2").status()).isZero();
    assertThat(run("-d", "--name", "seeded", "--cloud", "nocloud").err()).isEmpty();
    assertThat(directory.resolve("state/vm/machines/seeded/seed.img")).isNotEmptyFile();
  }

  @Test
  void anEmptyDiskStandsForADisk() throws Exception {
    List<String> small = List.of("--accel", "tcg", "--memory", "128");
    List<String> words = new ArrayList<>(List.of("--detach", "--disk-size", "8G", "--isolated"));
    words.add("--tpm");
    words.addAll(small);
    words.addAll(List.of("--usb", disk.toString()));
    assertThat(vm("run", words.toArray(String[]::new)).out()).isEqualTo("empty\n");
    JsonNode machine = list().get(0);
    assertThat(machine.path("from").asString()).isEqualTo(disk.toString());
    assertThat(machine.path("medium").asString()).isEqualTo(disk.toString());
    assertThat(machine.path("disk").asString()).endsWith("machines/empty/disk.qcow2");
    assertThat(machine.path("isolated").asBoolean()).isTrue();
    assertThat(machine.path("tpm").asBoolean()).isTrue();
    assertThat(directory.resolve("state/vm/machines/empty/tpm")).isNotEmptyDirectory();
    assertThat(vm("stop", "--force", "empty").status()).isZero();
    assertThat(vm("wait", "empty").status()).isZero();
    assertThat(vm("wait", "--console", "x", "empty").err()).contains("slipway vm start empty");
    assertThat(vm("wait", "--console", "", "empty").err()).contains("--console is empty");
    assertThat(vm("wait", "--failure", "error", "empty").err()).contains("needs --console");
    assertThat(vm("rm", "empty").status()).isZero();
    assertThat(disk).hasSize(1 << 20);
  }

  @Test
  void mediaAreHeldToEachOther() throws Exception {
    String file = disk.toString();
    assertThat(vm("run").err()).contains("--disk-size gives the machine an empty disk");
    assertThat(run("-d", "--disk-size", "1G").err()).contains("instead of DISK or IMAGE");
    assertThat(vm("run", "--disk-size", "1G").err()).contains("--name or --detach");
    assertThat(vm("run", "-d", "--disk-size", "1K").err()).contains("from 1 MiB to 16 TiB");
    assertThat(run("-d", "--usb", file, "--cdrom", file).err()).contains("exclude each other");
    assertThat(run("-d", "--usb", file).err()).contains("leave out --firmware bios");
    assertThat(run("-d", "--cdrom", file + ".none").err())
        .contains("no disk image " + file + ".none");
    assertThat(run("-d", "--pxe", directory.toString()).err()).contains("is a folder");
    assertThat(run("--virt-install", "--pxe", "http://10.0.2.2/x").err()).contains("--pxe");
    assertThat(run("--virt-install", "--forward", "8080:80").err()).contains("portForward");
    assertThat(run("--virt-install", "--isolated").err()).contains("--network none");
    for (String more : List.of("--snapshot", "--format=raw")) {
      assertThat(vm("run", "-d", "--disk-size", "1G", more).err()).contains("DISK that is there");
    }
    assertThat(list()).isEmpty();
  }

  @Test
  void aCloudsOptionsAreHeldToEachOther() throws Exception {
    assertThat(run("-d", "--key", "x").err()).contains("add --cloud ec2 or --cloud nocloud");
    assertThat(run("-d", "--user-data", "x").err()).contains("--user-data is told by a cloud");
    assertThat(run("-d", "--cloud", "ec2", "--key", disk.toString()).err())
        .contains("holds no SSH public key");
    assertThat(run("-d", "--cloud", "ec2", "--user-data", directory.toString()).err())
        .contains("--user-data " + directory + " cannot be read");
    assertThat(run("-d", "--cloud", "ec2", "--user-data", disk.toString()).err())
        .contains("more than 16384 bytes");
    assertThat(run("--cloud", "ec2", "--virt-install").err()).contains("--cloud-init");
    assertThat(list()).isEmpty();
  }
}
