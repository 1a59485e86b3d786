package slipway.sysroot.state;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import slipway.linux.process.Command;
import slipway.sysroot.BootTrials;
import slipway.sysroot.DeploySpec;
import slipway.sysroot.MirroredMenu;
import slipway.sysroot.NewSysroot;
import slipway.sysroot.Sysroot;
import slipway.system.kargs.KernelArguments;

/** A machine that systemd-boot starts, with a first deployment that runs. */
abstract class EspCase {
  Machine machine;
  Path esp;
  Deployment first;
  Sysroot sysroot;

  @BeforeEach
  void start() throws IOException {
    machine = new Machine();
    Sysroot made = NewSysroot.make(machine.root(), "default", true);
    made.deploy(
        DeploySpec.install(
            "default",
            machine.commit(Machine.files("1", "one")),
            Origin.NONE,
            KernelArguments.of("root=UUID=1", "rw")));
    esp = Files.createDirectories(machine.root().resolve(EspMenu.PLACE));
    new MirroredMenu(made).begin(esp);
    sysroot = machine.openBooted(made.deployments().getFirst());
    first = sysroot.booted().orElseThrow();
  }

  @AfterEach
  void stop() throws IOException {
    machine.close();
  }

  BootTrials trials() {
    return sysroot.trials();
  }

  List<String> entries() throws IOException {
    try (Stream<Path> all = Files.list(esp.resolve("loader/entries"))) {
      return all.map(p -> p.getFileName().toString()).sorted().toList();
    }
  }

  String entry(String name) throws IOException {
    return Files.readString(esp.resolve("loader/entries").resolve(name));
  }

  String loader() throws IOException {
    return Files.readString(esp.resolve("loader/loader.conf"));
  }

  List<String> kernels() throws IOException {
    try (Stream<Path> all = Files.list(esp.resolve("ostree"))) {
      return all.map(p -> p.getFileName().toString()).sorted().toList();
    }
  }

  void upgrade(Map<String, String> files) throws IOException {
    sysroot.stage(DeploySpec.upgrade(first, machine.commit(files), Origin.NONE), false);
    sysroot.finalizeStaged();
  }

  /** What systemd-boot would start (boot.c, "config_select_default_entry"): id, then tries. */
  String starts() throws IOException {
    String set = loader().replaceFirst("(?s)default ostree-(.)-.*", "$1");
    return entries().stream()
        .filter(name -> name.startsWith("ostree-" + set + "-"))
        .max(
            java.util.Comparator.comparing((String name) -> !name.contains("+0"))
                .thenComparing(name -> name.replaceFirst("[+.].*", "")))
        .orElseThrow();
  }

  String deploymentOf(String name) throws IOException {
    String link = BootEntry.parse(entry(name)).options().value("ostree").orElseThrow();
    return Files.readSymbolicLink(machine.root().resolve(link.substring(1)))
        .getFileName()
        .toString();
  }

  Path conf() {
    return esp.resolve("loader/loader.conf");
  }

  void freeze(boolean frozen) {
    Command.of("chattr", frozen ? "+i" : "-i", conf().toString()).run();
  }

  /** Puts the partition on a file system of its own. */
  void mountPartition(String size) {
    Command.of(
            "bash",
            "-ec",
            "cp -a \"$1\" \"$2\"; mount -t tmpfs -o size=$3 none \"$1\"; cp -a \"$2\"/. \"$1\"",
            "-",
            esp.toString(),
            machine.directory().resolve("copy").toString(),
            size)
        .run();
  }

  void unmountPartition() {
    Command.of("umount", esp.toString()).run();
  }

  static Map<String, String> large(String version) {
    Map<String, String> files = Machine.files(version, version);
    files.put("usr/lib/modules/6.1.0-test/vmlinuz", version.repeat(3 << 20));
    return files;
  }
}
