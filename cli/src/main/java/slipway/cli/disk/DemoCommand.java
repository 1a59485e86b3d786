package slipway.cli.disk;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.builder.engine.Builder;
import slipway.builder.session.BuildRequest;
import slipway.builder.session.ImagePuller;
import slipway.cli.command.Product;
import slipway.cli.command.State;
import slipway.cli.image.ImagesCommand;
import slipway.cli.output.OutputFile;
import slipway.cli.output.Steps;
import slipway.cli.output.Terminal;
import slipway.cli.output.TerminalProgress;
import slipway.disk.DiskBuilder;
import slipway.disk.DiskRequest;
import slipway.disk.DiskType;
import slipway.disk.FileAccess;
import slipway.disk.config.DiskConfig;
import slipway.disk.config.RootFileSystem;
import slipway.distro.BaseImage;
import slipway.distro.BaseRequest;
import slipway.linux.lock.ScratchFolder;
import slipway.linux.posix.Posix;
import slipway.media.Accelerator;
import slipway.media.Firmware;
import slipway.media.PortForward;
import slipway.media.VirtualMachine;
import slipway.media.VmSpec;
import slipway.oci.copy.ImageSink;
import slipway.oci.copy.Transfer;
import slipway.oci.model.Manifest;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;
import slipway.oci.registry.RegistryClient;
import slipway.oci.registry.RegistryOptions;
import slipway.oci.store.LocalStore;
import slipway.registry.RegistryServer;

/** {@code slipway demo}: the whole story on one terminal. */
@Command(
    name = "demo",
    mixinStandardHelpOptions = true,
    description =
        "Build, boot, upgrade and roll back a machine; needs root. All starts from a Containerfile."
            + " The demo's own images, registry and disk are removed at the end; the base image"
            + " stays.",
    footer = "slipway demo --firmware bios")
public final class DemoCommand implements Callable<Integer> {
  private static final Reference BASE = Reference.parse("localhost/debian-bootc:trixie");
  private static final String REPOSITORY = "web:stable";

  /** Where demos keep what is theirs, below the state. */
  private static final String WORK = "demo";

  /** The host's loopback as QEMU's user network shows it to the guest. */
  private static final String HOST_IN_GUEST = "10.0.2.2";

  /** Of the guest's own time without progress; a busy machine takes as long as it takes. */
  private static final Duration BOOT_LIMIT = Duration.ofMinutes(8);

  private static final int STEPS = 14;

  @Mixin State state = new State();

  @Option(
      names = "--firmware",
      paramLabel = "bios|uefi",
      defaultValue = "uefi",
      description = "default: ${DEFAULT-VALUE}")
  Firmware firmware = Firmware.UEFI;

  @Option(
      names = "--rootfs",
      paramLabel = "ext4|xfs|btrfs",
      defaultValue = "ext4",
      description = "default: ${DEFAULT-VALUE}")
  String rootfs = "ext4";

  @Option(
      names = "--accel",
      paramLabel = "auto|kvm|tcg",
      defaultValue = "auto",
      description = "default: ${DEFAULT-VALUE}")
  Accelerator accelerator = Accelerator.AUTO;

  @Option(
      names = "--keep",
      paramLabel = "DIR",
      description = "keep the disk, its key and the serial log in this folder")
  @Nullable Path keep;

  @Option(names = "--json", description = "print the table of steps as JSON at the end")
  boolean json;

  @Spec CommandSpec spec;

  @Override
  public Integer call() throws Exception {
    if (keep != null) {
      OutputFile.checkFolder(keep, "--keep");
    }
    if (Posix.geteuid() != 0) {
      throw Problem.denied("the demo builds images and disks, which needs root: run it with sudo");
    }
    RootFileSystem fs = RootFileSystem.parse(rootfs);
    if (keep != null) {
      Files.createDirectories(keep);
    }
    Progress progress = TerminalProgress.forStderr(System.err, !Terminal.stderrIsTerminal());
    Steps steps = new Steps(spec.commandLine().getOut(), STEPS);
    try (LocalStore users = state.store();
        ScratchFolder work = work(progress);
        LocalStore own = LocalStore.open(work.path().resolve("store"))) {
      new Story(users, own, work.path(), fs, progress, steps).tell();
    } finally {
      TerminalProgress.finish(progress);
    }
    steps.table(json);
    return 0;
  }

  /** Beside the store rather than in a folder like /tmp, for disks and images are large. */
  private ScratchFolder work(Progress progress) throws IOException {
    Path parent = Files.createDirectories(state.directory().resolve(WORK));
    return ScratchFolder.create(parent, "run-", progress::note);
  }

  /**
   * One telling, with what its steps share. Its images go to a store of their own: the user's may
   * have others of these names.
   */
  private final class Story {
    private final LocalStore users;
    private final LocalStore store;
    private final Path work;
    private final RootFileSystem fs;
    private final Progress progress;
    private final Steps steps;
    private final HttpClient http =
        HttpClient.newBuilder().connectTimeout(Duration.ofMinutes(1)).build();

    Story(
        LocalStore users,
        LocalStore own,
        Path work,
        RootFileSystem fs,
        Progress progress,
        Steps steps) {
      this.users = users;
      this.store = own;
      this.work = work;
      this.fs = fs;
      this.progress = progress;
      this.steps = steps;
    }

    void tell() throws Exception {
      steps.run("build the base image if it is missing", this::base);
      steps.run("build examples/web, version 1", () -> web(1));
      try (RegistryServer registry =
          steps.run("start a registry on loopback", this::startRegistry)) {
        int port = registry.address().getPort();
        steps.run("push version 1", () -> push(1, port));
        Path key = key();
        Path disk = steps.run("make a qcow2 disk", () -> disk(port, key));
        try (VirtualMachine machine =
            steps.run(
                "boot it (" + firmware.name().toLowerCase(Locale.ROOT) + ")",
                () -> boot(disk, key))) {
          live(machine, port);
        }
        keep(disk, key);
      }
    }

    private void live(VirtualMachine machine, int port) throws Exception {
      steps.run("fetch its page", () -> page(machine, 1));
      steps.run(
          "change a file in /etc",
          () -> {
            must(
                machine,
                "echo 'mine, not the image'\\''s' > /etc/motd && echo kept > /var/lib/demo-note");
            return new Steps.Outcome<>(null, "/etc/motd is ours now");
          });
      steps.run("build and push version 2", () -> both(port));
      steps.run("bootc upgrade", () -> upgrade(machine));
      steps.run("reboot, fetch version 2", () -> reboot(machine, 2));
      steps.run("the change in /etc is still there", () -> survived(machine));
      steps.run("bootc rollback, reboot, fetch version 1", () -> rollback(machine));
      steps.run(
          "shut down",
          () -> {
            machine.ssh("systemctl poweroff");
            machine.awaitOff(BOOT_LIMIT);
            return new Steps.Outcome<>(null, "off");
          });
    }

    private Steps.Outcome<Manifest.Image> base() throws IOException {
      BaseRequest request =
          new BaseRequest(
              "trixie",
              Platform.host(),
              BASE,
              null,
              BaseImage.defaultKernel(Platform.host()),
              List.of(),
              false,
              Product.jars(),
              users,
              state.directory(),
              null);
      BaseImage.Result result = BaseImage.ensure(request, progress, InstantSource.system());
      try (ImageSink sink = store.sink(BASE)) {
        Transfer.copy(
            users.source(),
            result.image().digest().toString(),
            sink,
            BASE.tag(),
            Transfer.Options.all(),
            progress);
      }
      return new Steps.Outcome<>(
          result.image(),
          (result.built() ? "built, " : "there already, ")
              + TerminalProgress.bytes(ImagesCommand.size(result.image())));
    }

    private Reference name(int version) {
      return Reference.parse("localhost/web:" + version);
    }

    private Steps.Outcome<Manifest.Image> web(int version) {
      Path context = Product.example("web");
      BuildRequest request =
          BuildRequest.of(context)
              .tags(List.of(name(version)))
              .arguments(Map.of("VERSION", Integer.toString(version)))
              .build();
      Builder builder =
          new Builder(
              store,
              state.buildDirectory(),
              ImagePuller.NONE,
              Clock.systemUTC(),
              System.getenv(),
              new SecureRandom());
      Manifest.Image image = builder.build(request, progress, progress::note);
      return new Steps.Outcome<>(
          image, name(version) + ", " + TerminalProgress.bytes(ImagesCommand.size(image)));
    }

    private Steps.Outcome<RegistryServer> startRegistry() {
      RegistryServer server =
          RegistryServer.start(
              work.resolve("registry"), new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      return new Steps.Outcome<>(server, "127.0.0.1:" + server.address().getPort());
    }

    private Steps.Outcome<Manifest> push(int version, int port) throws IOException {
      Reference target = Reference.parse("127.0.0.1:" + port + "/" + REPOSITORY);
      Manifest image = store.find(name(version).toString()).orElseThrow();
      try (RegistryClient registry =
          new RegistryClient(target, RegistryOptions.anonymous(System.getenv()))) {
        Transfer.copy(
            store.source(),
            image.digest().toString(),
            registry,
            target.tag(),
            Transfer.Options.all(),
            progress);
      }
      return new Steps.Outcome<>(image, target + " is " + image.digest().brief());
    }

    private Steps.Outcome<Manifest> both(int port) throws IOException {
      web(2);
      return push(2, port);
    }

    private Path key() {
      Path key = work.resolve("id_ed25519");
      slipway.linux.process.Command.of(
              "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "demo", "-f", key.toString())
          .run();
      return key;
    }

    private Steps.Outcome<Path> disk(int port, Path key) throws IOException {
      Manifest.Image image = store.image(name(1).toString(), Platform.host());
      String registry = HOST_IN_GUEST + ":" + port;
      DiskConfig config =
          DiskConfig.EMPTY
              .withUser(
                  DiskConfig.User.withKey("root", Files.readString(Path.of(key + ".pub")).strip()))
              .withFile(
                  new DiskConfig.CustomFile(
                      "/etc/containers/registries.conf.d/demo.conf",
                      "[[registry]]\nlocation = \"" + registry + "\"\ninsecure = true\n",
                      0644,
                      "root",
                      "root"))
              .withKernelArguments("mitigations=off", "quiet");
      Path disk =
          DiskBuilder.build(
                  new DiskRequest(
                      store.source(),
                      image,
                      store.config(image),
                      Reference.parse(registry + "/" + REPOSITORY),
                      List.of(DiskType.QCOW2),
                      fs,
                      null,
                      config,
                      0,
                      FileAccess.PRIVATE,
                      work),
                  progress)
              .getFirst();
      return new Steps.Outcome<>(
          disk, fs.label() + ", " + TerminalProgress.bytes(Files.size(disk)));
    }

    private Steps.Outcome<VirtualMachine> boot(Path disk, Path key) throws Exception {
      VirtualMachine machine =
          VirtualMachine.start(
              VmSpec.of(disk)
                  .withFirmware(firmware)
                  .withAccelerator(accelerator)
                  .withForwards(List.of(new PortForward(0, 22), new PortForward(0, 80)))
                  .withSsh("root", key)
                  .withSerialLog(work.resolve("serial.log")));
      try {
        machine.awaitSsh(BOOT_LIMIT);
      } catch (Exception e) {
        machine.close();
        throw e;
      }
      return new Steps.Outcome<>(machine, "logged in, by " + machine.accelerator());
    }

    private Steps.Outcome<String> page(VirtualMachine machine, int version) throws Exception {
      // The unit may start a moment after sshd.
      must(machine, "systemctl start web.service && systemctl is-active web.service");
      HttpRequest request =
          HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + machine.port(80) + "/"))
              .timeout(Duration.ofMinutes(2))
              .build();
      String body =
          machine.await(
              "does not show its page",
              BOOT_LIMIT,
              () -> {
                try {
                  return VirtualMachine.Attempt.worked(
                      http.send(request, HttpResponse.BodyHandlers.ofString()).body().strip());
                } catch (IOException e) {
                  return VirtualMachine.Attempt.failed(String.valueOf(e.getMessage()));
                }
              });
      if (!body.contains("version " + version + "<")) {
        throw new Problem(
            Problem.Kind.CORRUPT, "expected version " + version + ", the page says: " + body);
      }
      return new Steps.Outcome<>(body, body.replaceAll("<[^>]*>", ""));
    }

    private Steps.Outcome<String> upgrade(VirtualMachine machine) {
      String text = must(machine, "bootc upgrade 2>&1");
      String layers = text.lines().filter(l -> l.contains("layers")).findFirst().orElse("staged");
      return new Steps.Outcome<>(text, layers.strip());
    }

    private Steps.Outcome<String> reboot(VirtualMachine machine, int version) throws Exception {
      machine.reboot(BOOT_LIMIT);
      return page(machine, version);
    }

    private Steps.Outcome<String> survived(VirtualMachine machine) {
      String text = must(machine, "cat /etc/motd /var/lib/demo-note").strip();
      if (!text.equals("mine, not the image's\nkept")) {
        throw new Problem(
            Problem.Kind.CORRUPT, "the local changes were lost, /etc/motd says: " + text);
      }
      return new Steps.Outcome<>(text, "/etc/motd and /var kept");
    }

    private Steps.Outcome<String> rollback(VirtualMachine machine) throws Exception {
      must(machine, "bootc rollback");
      return reboot(machine, 1);
    }

    private String must(VirtualMachine machine, String command) {
      slipway.linux.process.Command.Result result = machine.ssh(command);
      if (result.status() != 0) {
        throw new Problem(
            Problem.Kind.ENVIRONMENT,
            "in the machine, "
                + command
                + " ended with status "
                + result.status()
                + ": "
                + result.text().strip()
                + " "
                + result.stderr().strip());
      }
      return result.text();
    }

    private void keep(Path disk, Path key) throws IOException {
      Path folder = keep;
      if (folder == null) {
        return;
      }
      for (Path file : List.of(disk, key, work.resolve("serial.log"))) {
        Files.move(
            file,
            folder.resolve(java.util.Objects.requireNonNull(file.getFileName())),
            java.nio.file.StandardCopyOption.REPLACE_EXISTING);
      }
      spec.commandLine().getOut().println("Kept in " + Printable.text(folder.toString()));
    }
  }
}
