package slipway.sysroot.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import slipway.base.Problem;
import slipway.linux.process.Command;
import slipway.sysroot.DeploySpec;
import slipway.sysroot.Finalization;
import slipway.sysroot.Sysroot;
import slipway.system.kargs.KernelArguments;

/** New deployments that have some tries, begun and ended together with the boot menu. */
class BootTrialTest {
  private static final String UNIT = "usr/lib/systemd/system/slipway-healthy.service";
  private static final String ENABLED =
      "usr/etc/systemd/system/default.target.wants/slipway-healthy.service";

  private Machine machine;
  private Deployment first;
  private Sysroot sysroot;

  @BeforeEach
  void start() throws IOException {
    machine = new Machine();
    first =
        machine
            .init()
            .deploy(
                DeploySpec.install(
                    "default",
                    machine.commit(Machine.files("1", "one")),
                    Origin.NONE,
                    KernelArguments.of("root=UUID=1", "rw")));
    sysroot = machine.openBooted(first);
    first = sysroot.booted().orElseThrow();
  }

  @AfterEach
  void stop() throws IOException {
    machine.close();
  }

  /** An image that says of itself when it is well. */
  static Map<String, String> assessed(String version, String kernel) {
    Map<String, String> files = Machine.files(version, kernel);
    files.put(UNIT, "[Service]\n");
    files.put(ENABLED, "");
    return files;
  }

  private Finalization upgrade(Map<String, String> files) throws IOException {
    sysroot.stage(DeploySpec.upgrade(first, machine.commit(files), Origin.NONE), false);
    return sysroot.finalizeStaged();
  }

  private Path block() {
    return machine.root().resolve("boot/loader/grubenv");
  }

  private List<String> variables() {
    return Command.of("grub-editenv", block().toString(), "list").run().text().lines().toList();
  }

  @Test
  void beginsWithTheMenuAndIsReadByGrub() throws IOException {
    Finalization done = upgrade(assessed("2", "two"));
    String name = "default/" + done.deployment().id();
    assertThat(done.trial()).isEqualTo(new BootTrial(name, 3, 3, 3));
    assertThat(sysroot.trials().current()).contains(done.trial());
    assertThat(variables())
        .contains("boot_success=0", "boot_counter=3", "slipway_deployment=" + name);
    assertThat(Files.readString(block()).indexOf("##")).as("all in one sector").isLessThan(512);
    machine.judge();
  }

  @Test
  void beginsAlsoWhereTheEntriesStayAsTheyAre() throws IOException {
    upgrade(assessed("1", "one"));
    Deployment second = sysroot.deployments().getFirst();
    first = sysroot.booted().orElseThrow();
    sysroot.trials().end();
    Map<String, String> menu = machine.listing("boot/loader/entries");
    Map<String, String> files = assessed("1", "one");
    files.put("usr/bin/hello", "another\n");
    assertThat(upgrade(files).trial()).isNotNull();
    assertThat(machine.listing("boot/loader/entries").keySet()).isEqualTo(menu.keySet());
    assertThat(sysroot.deployments().getFirst().checksum()).isNotEqualTo(second.checksum());
    machine.judge();
  }

  private void restart() throws IOException {
    sysroot = machine.openBooted(sysroot.deployments().getFirst());
    first = sysroot.booted().orElseThrow();
  }

  private List<String> commits() {
    return sysroot.deployments().stream().map(d -> d.checksum().hex()).toList();
  }

  /** The newest may fail, and the one that runs has not shown yet that it does not. */
  @Test
  void aFailingOneGoesBackToTheLastThatWasProven() throws IOException {
    String one = first.checksum().hex();
    upgrade(assessed("2", "two"));
    restart();
    String two = first.checksum().hex();
    sysroot.stage(
        DeploySpec.upgrade(first, machine.commit(assessed("3", "three")), Origin.NONE), false);
    assertThat(commits()).as("nothing goes before the shutdown").containsExactly(two, one);
    Finalization third = sysroot.finalizeStaged();
    String three = third.deployment().checksum().hex();
    assertThat(commits()).containsExactly(three, one, two);
    assertThat(third.trial()).isNotNull();
    machine.judge();
    restart();
    sysroot.trials().end();
    upgrade(assessed("4", "four"));
    assertThat(commits()).as("3 is proven").hasSize(2).endsWith(three);
  }

  /** No trial, and nothing else in the menu differs. */
  @Test
  void anotherToolsKeyAloneChangesTheMenu() throws IOException {
    sysroot.changeSettings(settings -> settings.withTries(0));
    upgrade(Machine.files("1", "one"));
    restart();
    for (String value : List.of("a", "b")) {
      sysroot.stage(
          DeploySpec.restart(first, first.kargs(), Map.of("x-tool", value), first), false);
      sysroot.finalizeStaged();
      assertThat(Files.readString(machine.root().resolve("boot/loader/entries/ostree-2.conf")))
          .contains("x-tool " + value + "\n");
    }
    machine.judge();
  }

  @Test
  void nobodyIsTriedWhoWouldNotEndIt() throws IOException {
    assertThat(upgrade(Machine.files("2", "two")).trial()).as("no unit").isNull();
    assertThat(block()).doesNotExist();

    Map<String, String> disabled = assessed("3", "three");
    disabled.remove(ENABLED);
    assertThat(upgrade(disabled).trial()).as("not enabled").isNull();

    Path etc = sysroot.path(sysroot.booted().orElseThrow()).resolve("etc/systemd/system");
    Files.createDirectories(etc);
    for (String unit : List.of("slipway-healthy.service", "boot-complete.target")) {
      Files.createSymbolicLink(etc.resolve(unit), Path.of("/dev/null"));
      assertThat(upgrade(assessed("4", unit)).trial()).as("masked by root").isNull();
      Files.delete(etc.resolve(unit));
    }
    sysroot.changeSettings(settings -> settings.withTries(0));
    assertThat(upgrade(assessed("5", "five")).trial()).as("not wanted").isNull();
    sysroot.changeSettings(settings -> settings.withTries(7));
    assertThat(upgrade(assessed("6", "six")).trial().left()).isEqualTo(7);
    machine.judge();
  }

  @Test
  void goesOnWithItsDeploymentAndEndsWithAnother() throws IOException {
    upgrade(assessed("2", "two"));
    BootTrial begun = sysroot.trials().current().orElseThrow();
    sysroot.trials().count(begun, 2);
    BootTrial counted = sysroot.trials().current().orElseThrow();
    assertThat(counted).isEqualTo(begun.withLeft(2));
    assertThatThrownBy(() -> sysroot.trials().count(begun, 1)).isInstanceOf(Problem.class);

    List<Deployment> order = sysroot.deployments();
    sysroot.setBootOrder(order, Sysroot.Before.NOTHING);
    assertThat(sysroot.trials().current()).as("the same menu, written again").contains(counted);
    sysroot.setBootOrder(order.reversed(), Sysroot.Before.NOTHING);
    assertThat(sysroot.trials().current()).isEmpty();
    assertThat(block()).doesNotExist();
    sysroot.setBootOrder(order, Sysroot.Before.NOTHING);
    assertThat(sysroot.trials().current()).as("it was over").isEmpty();
    machine.judge();
  }

  @Test
  void grubCountsAndTheSystemSeesIt() throws IOException {
    upgrade(assessed("2", "two"));
    assertThat(sysroot.trials().current().orElseThrow().countedByLoader()).isFalse();
    Command.of("grub-editenv", block().toString(), "set", "boot_counter=2").run();
    assertThat(sysroot.trials().current().orElseThrow().countedByLoader()).isTrue();
    sysroot.trials().count(sysroot.trials().current().orElseThrow(), 2);
    assertThat(sysroot.trials().current().orElseThrow().countedByLoader()).isFalse();
    Command.of("grub-editenv", block().toString(), "set", "boot_counter=-1").run();
    assertThat(sysroot.trials().current().orElseThrow().isUsedUp()).isTrue();
  }

  @Test
  void itsEndIsSeenEvenWhereTheFileIsNotGoneYet() throws IOException {
    upgrade(assessed("2", "two"));
    Path kept = machine.root().resolve("boot/kept");
    Files.createLink(kept, block());
    sysroot.trials().end();
    assertThat(block()).doesNotExist();
    String left = Command.of("grub-editenv", kept.toString(), "list").run().text();
    assertThat(left.lines()).contains("boot_success=1");
    assertThat(left).doesNotContain("boot_counter");
    assertThat(sysroot.trials().current()).isEmpty();
    sysroot.trials().end();
  }

  @Test
  void damageIsNoTrial() throws IOException {
    upgrade(assessed("2", "two"));
    byte[] whole = Files.readAllBytes(block());
    List<byte[]> damaged = new ArrayList<>();
    damaged.add(new byte[0]);
    damaged.add(new byte[1024]);
    damaged.add("# GRUB Environment Block\nboot_success=0\n".getBytes(StandardCharsets.US_ASCII));
    damaged.add(
        new String(whole, StandardCharsets.US_ASCII)
            .replace("boot_counter=3", "boot_counter=x")
            .getBytes(StandardCharsets.US_ASCII));
    damaged.add(
        new String(whole, StandardCharsets.US_ASCII)
            .replace("boot_success=0", "boot_success=1")
            .getBytes(StandardCharsets.US_ASCII));
    damaged.add(
        new String(whole, StandardCharsets.US_ASCII)
            .replace("deployment=default", "deployment=otherxx")
            .getBytes(StandardCharsets.US_ASCII));
    for (byte[] each : damaged) {
      Files.write(block(), each);
      assertThat(sysroot.trials().current()).isEmpty();
      // The menu is written all the same, by us and read by ostree.
      machine.judge();
    }
    sysroot.setBootOrder(sysroot.deployments(), Sysroot.Before.NOTHING);
    assertThat(block()).doesNotExist();
  }

  @Test
  void whetherTheLoaderCountsIsNotedBesideIt() throws IOException {
    Path mark = machine.root().resolve("boot/loader/slipway-counts");
    upgrade(assessed("2", "two"));
    assertThat(mark).exists();
    Files.createDirectories(machine.root().resolve("boot/grub"));
    Files.writeString(
        machine.root().resolve("boot/grub/grub.cfg"),
        "load_env --file=/loader/grubenv boot_counter\n");
    assertThat(upgrade(assessed("3", "three")).trial()).isNotNull();
    assertThat(mark).doesNotExist();
    sysroot.trials().end();
    assertThat(machine.root().resolve("boot/loader").toFile().list()).containsExactly("entries");
  }

  @Test
  void aNumberOfTriesThatIsNoneIsRefused() throws IOException {
    for (int number : List.of(-1, 10)) {
      assertThatThrownBy(() -> MachineSettings.NONE.withTries(number))
          .isInstanceOf(Problem.class)
          .hasMessage("a deployment can have 0 to 9 tries, not " + number);
    }
    Files.writeString(MachineSettings.path(machine.root()), "[health]\ntries=many\n");
    assertThatThrownBy(() -> MachineSettings.read(machine.root()))
        .isInstanceOf(Problem.class)
        .hasMessage("ostree/slipway.conf: tries is \"many\", not 0 to 9");
    assertThat(upgrade(assessed("2", "two")).trial()).as("the update comes all the same").isNull();
  }
}
