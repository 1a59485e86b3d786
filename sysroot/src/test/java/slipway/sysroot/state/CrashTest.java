package slipway.sysroot.state;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import slipway.linux.process.Command;
import slipway.ostree.object.Checksum;
import slipway.sysroot.DeploySpec;
import slipway.sysroot.Sysroot;
import slipway.system.boot.KernelLayout;
import slipway.system.kargs.KernelArguments;

/** Processes killed while they change the deployments: the machine has the old ones or the new. */
class CrashTest {
  private static final List<String> WORK = List.of("deploy", "finalize", "order");

  @Test
  @Tag("slow")
  void survivesKills() throws Exception {
    survive(6, 20261121L);
  }

  @Test
  @Tag("soak")
  void survivesManyKills() throws Exception {
    survive(300, System.nanoTime());
  }

  private static void survive(int rounds, long seed) throws Exception {
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    try (Machine machine = new Machine()) {
      Sysroot fresh = machine.init();
      Checksum one = machine.commit(Machine.files("1", "one"));
      List<Checksum> others =
          List.of(
              machine.commit(BootTrialTest.assessed("2", "two")),
              machine.commit(BootTrialTest.assessed("3", "one")),
              machine.commit(Machine.files("4", "four")));
      Deployment first =
          fresh.deploy(
              DeploySpec.install(
                  "default", one, Origin.NONE, KernelArguments.of("root=UUID=1", "rw")));
      Files.writeString(fresh.path(first).resolve("etc/marker"), "mine\n");
      machine.boot(first);
      long whole = 0;
      for (String work : WORK) {
        long begin = System.nanoTime();
        run(machine, others.getFirst(), work, 60_000);
        whole = Math.max(whole, (System.nanoTime() - begin) / 1_000_000);
      }
      int killed = 0;
      for (int round = 0; round < rounds; round++) {
        Checksum commit = others.get(random.nextInt(others.size()));
        List<Checksum> before = order(machine);
        String work = WORK.get(round % WORK.size());
        killed += run(machine, commit, work, random.nextLong(whole)) ? 1 : 0;
        check(machine, before, commit);
      }
      System.out.println(killed + " of " + rounds + " were killed before they were done");
      Sysroot sysroot = machine.openBooted(first);
      sysroot.cleanup(true);
      machine.judge();
    }
  }

  private static List<Checksum> order(Machine machine) throws IOException {
    return machine.open().deployments().stream().map(Deployment::checksum).toList();
  }

  /**
   * Runs the child and kills it after so many milliseconds of its work.
   *
   * @return whether it was killed before it was done
   */
  private static boolean run(Machine machine, Checksum commit, String work, long patience)
      throws Exception {
    Process child =
        Command.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                CrashChild.class.getName(),
                machine.root().toString(),
                machine.run().toString(),
                commit.hex(),
                work)
            .start();
    var lines = child.inputReader();
    assertThat(lines.readLine()).isEqualTo("ready");
    child.waitFor(patience, TimeUnit.MILLISECONDS);
    child.toHandle().destroyForcibly();
    child.waitFor();
    return lines.lines().noneMatch("done"::equals);
  }

  private static void check(Machine machine, List<Checksum> before, Checksum commit)
      throws IOException {
    Sysroot sysroot = Sysroot.open(machine.root(), RunState.read(machine.run(), machine.root()));
    assertThat(sysroot.deployments()).isNotEmpty();
    Deployment head = sysroot.deployments().getFirst();
    assertThat(before.contains(head.checksum()) || head.checksum().equals(commit)).isTrue();
    assertThat(sysroot.booted()).isPresent();
    // A trial comes with its menu, and is of no other.
    assertThat(BootTrial.read(machine.root())).isEqualTo(sysroot.trials().current());
    for (Deployment d : sysroot.deployments()) {
      Path directory = sysroot.path(d);
      assertThat(directory.resolve("usr/bin/hello")).exists();
      assertThat(directory.resolve("etc/marker")).hasContent("mine");
      Map<String, List<String>> keys = d.entry().keys();
      for (String key : List.of("linux", "initrd")) {
        Path file = machine.root().resolve("boot" + keys.get(key).getFirst());
        assertThat(file).isNotEmptyFile();
      }
      KernelLayout layout = KernelLayout.of(directory);
      assertThat(layout.bootChecksum()).isEqualTo(d.bootChecksum());
    }
    Command.of("ostree", "admin", "status", "--sysroot=" + machine.root()).run();
    Command.of("ostree", "fsck", "--quiet", "--repo=" + machine.root().resolve("ostree/repo"))
        .run();
  }
}
