package slipway.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import slipway.cloud.AwsStandIn;
import slipway.linux.process.Command;

/** Worked examples of documents, as {@code examples/scenarios} has them. */
class ScenariosTest {
  /** Each goes on from where the one before it leaves the machine. */
  private static final List<String> IN_A_MACHINE =
      List.of(
          "S35-file-systems",
          "S36-timer",
          "S20-no-automatic-updates",
          "S21-upgrade",
          "S27-boot-menu",
          "S22-rollback",
          "S26-etc-and-var",
          "S18-switch",
          "S32-push-and-update",
          "S37-automatic-update");

  /** Likewise, in another machine: what images may bring. */
  private static final List<String> OF_CONTENTS =
      List.of(
          "S26-data-and-opt",
          "S43-console",
          "S44-damaged-download",
          "S44-major-release",
          "S28-users",
          "S29-pull-secret");

  /** Likewise, in a machine of packages. */
  private static final List<String> IN_PLAIN_DEBIAN =
      List.of("S15-to-disk", "S16-to-filesystem", "S17-to-existing-root");

  /** Likewise, each in an empty folder of this computer, which starts machines itself. */
  private static final List<String> ON_THIS_COMPUTER =
      List.of(
          "S07-ami",
          "S08-raw",
          "S09-iso",
          "S10-qcow2",
          "S11-cloud",
          "S12-kickstart",
          "S13-usb-stick",
          "S14-network",
          "S34-web",
          "S40-kickstart-iso",
          "S41-unattended");

  /** Which of these are played, when not all; each with those whose files it takes. */
  private static final String CHOSEN = System.getenv("SLIPWAY_SCENARIOS");

  /** In a shell of this computer, which starts no machine. */
  private static final List<String> BY_PODMAN =
      List.of("S05-builder-image", "S06-qcow2", "S31-disk-images");

  private static final String USER = "joe";
  private static final String PASSWORD = "secret-of-joe";

  @TempDir Path dir;

  @Test
  @Tag("soak")
  void inAMachine() throws Exception {
    inOneMachine(IN_A_MACHINE);
  }

  @Test
  @Tag("soak")
  void ofContents() throws Exception {
    inOneMachine(OF_CONTENTS);
  }

  private void inOneMachine(List<String> names) throws Exception {
    try (Releases releases = Releases.start(dir);
        Served closed = Served.docker(dir, USER, PASSWORD);
        UpgradingMachine machine = UpgradingMachine.start(releases, 0, dir)) {
      play(names, new OneMachine(dir, releases, closed, machine));
      machine.goDown();
      assertThat(DiskCheck.ofCopy(machine.disk(), dir).rubbish()).isEmpty();
    }
  }

  @Test
  @Tag("soak")
  void inPlainDebian() throws Exception {
    try (Releases releases = Releases.start(dir);
        Conversion stage = Conversion.start(releases, dir)) {
      play(IN_PLAIN_DEBIAN, stage);
    }
  }

  @Test
  @Tag("soak")
  void onThisComputer() throws Exception {
    Cli cli = BaseImages.trixie();
    Path programs = Files.createDirectory(dir.resolve("bin"));
    for (String name : List.of("slipway", "bootc-image-builder", "mkksiso")) {
      Files.createSymbolicLink(programs.resolve(name), Cli.ROOT.resolve("slipway"));
    }
    try (AwsStandIn aws = new AwsStandIn()) {
      aws.keepsContent = false;
      List<String> names = CHOSEN == null ? ON_THIS_COMPUTER : List.of(CHOSEN.split(" +"));
      assertThat(ON_THIS_COMPUTER).containsAll(names);
      for (String name : names) {
        long start = System.nanoTime();
        String script = Scenario.SCRIPTS.resolve(name + ".sh").toString();
        System.out.print(
            // Each command is told, for the sake of a script that fails without a word.
            Command.of("bash", "-euxo", "pipefail", script)
                .directory(Files.createDirectory(dir.resolve(name)))
                .environment("PATH", programs + ":" + System.getenv("PATH"))
                .environment("SLIPWAY_STATE", cli.state().toString())
                .environment("scenarios", Scenario.SCRIPTS.toString())
                .environment("region", AwsStandIn.REGION)
                .environment("bucket", AwsStandIn.BUCKET)
                .environment("AWS_ENDPOINT_URL", aws.address().toString())
                .environment("AWS_EC2_METADATA_DISABLED", "true")
                .run()
                .text());
        passed(name, start);
      }
      assertThat(aws.amis).hasSize(names.contains("S07-ami") ? 1 : 0);
      assertThat(aws.objects).isEmpty();
    }
  }

  @Test
  @Tag("soak")
  void byPodman() throws Exception {
    try (PodmanShell shell = PodmanShell.start(dir)) {
      for (String name : BY_PODMAN) {
        shell.play(name);
        System.out.println("passed: " + name);
      }
    }
  }

  private static void play(List<String> names, Scenario.Stage stage) throws Exception {
    for (String name : names) {
      long start = System.nanoTime();
      Scenario.play(name, stage);
      passed(name, start);
    }
  }

  private static void passed(String name, long start) {
    System.out.println(
        "passed: " + name + ", " + (System.nanoTime() - start) / 1_000_000_000 + " s");
  }

  /** A machine that follows {@code web:stable}. */
  private record OneMachine(Path dir, Releases releases, Served closed, UpgradingMachine machine)
      implements Scenario.Stage {
    @Override
    public String head() {
      return "registry=" + releases.registryInGuest() + " private=" + closedInGuest() + "\n";
    }

    private String closedInGuest() {
      return Releases.inGuest(closed);
    }

    @Override
    public void follow(String[] words) throws Exception {
      switch (words[0]) {
        case "publish" -> publish(words);
        case "private" -> publishElsewhere(words);
        case "damage", "repair" -> releases.turnAByteOver();
        case "reboot" -> {
          machine.goDown();
          machine.boot();
        }
        case "restarted" -> {
          machine.boot();
          machine.sound();
        }
        default -> throw new AssertionError(String.join(" ", words));
      }
    }

    private void publish(String[] words) throws IOException {
      int version = Integer.parseInt(words[1]);
      String target = "web:" + words[2];
      if (words.length == 3) {
        releases.publish(version, target);
        return;
      }
      Path folder = Scenario.SCRIPTS.resolve(words[3]);
      releases.publishOnto(version, folder, target, secrets(folder));
    }

    private void publishElsewhere(String[] words) throws IOException {
      Path folder = Scenario.SCRIPTS.resolve(words[2]);
      releases.publishElsewhere(
          Integer.parseInt(words[1]),
          folder,
          closed.host(),
          credentials(closed.host()),
          secrets(folder));
    }

    /**
     * What a build is given that asks for credentials of the other registry. Not those that a build
     * of a run before had: a secret makes no other step of it.
     */
    private String[] secrets(Path folder) throws IOException {
      return Files.readString(folder.resolve("Containerfile")).contains("type=secret")
          ? new String[] {"--no-cache", "--secret", "id=creds,src=" + credentials(closedInGuest())}
          : new String[0];
    }

    /** As {@code podman login} writes them. */
    private Path credentials(String host) throws IOException {
      String pair = USER + ":" + PASSWORD;
      String encoded = Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8));
      return Files.writeString(
          dir.resolve("auth-" + host + ".json"),
          "{\"auths\": {\"%s\": {\"auth\": \"%s\"}}}\n".formatted(host, encoded));
    }

    @Override
    public void judge() {
      machine.agreed();
    }
  }

  /** A machine of packages that installs an image, and what starts from its disks. */
  private static final class Conversion implements Scenario.Stage, AutoCloseable {
    private final Path dir;
    private final Path key;
    private final PlainDebian plain;
    private final String image;
    private final List<UpgradingMachine> machines = new ArrayList<>();
    private boolean installed;

    private Conversion(Path dir, Path key, PlainDebian plain, String image) {
      this.dir = dir;
      this.key = key;
      this.plain = plain;
      this.image = image;
    }

    static Conversion start(Releases releases, Path dir) throws Exception {
      releases.publish(0);
      Path key = UpgradingMachine.key(dir);
      PlainDebian plain = new PlainDebian(dir, key);
      String name = releases.registryInGuest() + "/" + Releases.FOLLOWED;
      plain.make(releases.source(Releases.FOLLOWED), name);
      Conversion stage = new Conversion(dir, key, plain, name);
      stage.machines.add(UpgradingMachine.start(plain.spec()));
      return stage;
    }

    @Override
    public UpgradingMachine machine() {
      return machines.getLast();
    }

    @Override
    public String head() {
      return "image=" + image + "\n";
    }

    @Override
    public void follow(String[] words) throws Exception {
      switch (words[0]) {
        case "reboot" -> {
          machine().goDown();
          machine().close();
          machines.removeLast();
          machines.add(UpgradingMachine.start(plain.converted()));
          installed = true;
        }
        case "machine" -> {
          machine().must("sync");
          Path copy = Files.createDirectory(dir.resolve("of-" + words[1])).resolve("disk.raw");
          UpgradingMachine.copy(plain.disk(words[1]), copy);
          machines.add(
              UpgradingMachine.start(
                  UpgradingMachine.spec(copy, key).withMore(UpgradingMachine.letsIn(key))));
          installed = true;
        }
        case "back" -> {
          machine().goDown();
          machine().close();
          Files.delete(machine().disk());
          machines.removeLast();
          installed = false;
        }
        default -> throw new AssertionError(String.join(" ", words));
      }
    }

    @Override
    public void judge() {
      if (installed) {
        machine().sound();
      }
    }

    @Override
    public void close() throws Exception {
      for (UpgradingMachine machine : machines.reversed()) {
        machine.close();
      }
    }
  }

  /** So that none is forgotten. */
  @Test
  void everyScriptIsPlayedAndListed() throws Exception {
    List<String> played =
        Stream.of(IN_A_MACHINE, OF_CONTENTS, IN_PLAIN_DEBIAN, ON_THIS_COMPUTER, BY_PODMAN)
            .flatMap(List::stream)
            .toList();
    try (var files = Files.list(Scenario.SCRIPTS)) {
      assertThat(
              files
                  .map(f -> f.getFileName().toString())
                  .filter(f -> f.endsWith(".sh"))
                  .map(f -> f.replace(".sh", "")))
          .containsExactlyInAnyOrderElementsOf(played);
    }
    String list = Files.readString(Cli.ROOT.resolve("docs/scenarios.md"));
    for (String name : played) {
      assertThat(list).contains("`" + name + ".sh`");
    }
  }
}
