package slipway.cli.disk;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.cli.command.State;
import slipway.cli.output.OutputFile;
import slipway.cli.output.Terminal;
import slipway.media.Accelerator;
import slipway.media.Architecture;
import slipway.media.BootMedium;
import slipway.media.CloudData;
import slipway.media.DiskFormat;
import slipway.media.Firmware;
import slipway.media.MachineRecord;
import slipway.media.MachineRecordBuilder;
import slipway.media.Machines;
import slipway.media.NamedMachine;
import slipway.media.PortForward;
import slipway.media.VirtualMachine;
import slipway.media.VmSpec;
import slipway.oci.model.Platform;

/** {@code slipway vm}: virtual machines. */
@Command(
    name = "vm",
    mixinStandardHelpOptions = true,
    description = "Run disks and images in virtual machines.",
    subcommands = {
      VmCommand.Run.class,
      MachineCommand.Start.class,
      MachineCommand.Ssh.class,
      MachineCommand.AtConsole.class,
      MachineCommand.Listed.class,
      MachineCommand.Ip.class,
      MachineCommand.Wait.class,
      MachineCommand.Stop.class,
      MachineCommand.Rm.class
    })
public final class VmCommand implements Callable<Integer> {
  @Override
  public Integer call() {
    throw Problem.usage(
        "which vm command? there are: slipway vm run, start, ssh, console, list, ip, wait, stop, rm");
  }

  /** {@code slipway vm run DISK|IMAGE}: here until it is switched off, or with a name. */
  @Command(
      name = "run",
      mixinStandardHelpOptions = true,
      description =
          "Start a disk, or an image of the local store, in QEMU with its serial console on this"
              + " terminal; Ctrl-A X ends it. With --detach or --name it goes on by itself: slipway"
              + " vm list shows such machines.",
      footer = {
        "slipway vm run --forward 8080:80 out/qcow2/disk.qcow2",
        "slipway vm run --detach --name web localhost/web:1",
        "slipway vm run -d --cloud ec2 --key me.pub --user debian localhost/web:1",
        "slipway vm run -d --name box --cdrom out/bootiso/install.iso --disk-size 8G"
      })
  public static final class Run implements Callable<Integer> {
    /** With less the firmware or a kernel stops without a word. */
    private static final int LEAST_MEMORY = 128;

    /** 16 TiB, more than any machine has that runs this. */
    private static final int MOST_MEMORY = 1 << 24;

    @Option(
        names = "--arch",
        paramLabel = "amd64|arm64",
        description = "the machine's processor (default: this computer's); another is emulated")
    @Nullable String arch;

    @Option(
        names = "--firmware",
        paramLabel = "bios|uefi",
        defaultValue = "uefi",
        description = "default: ${DEFAULT-VALUE}")
    Firmware firmware = Firmware.UEFI;

    @Option(
        names = "--accel",
        paramLabel = "auto|kvm|tcg",
        defaultValue = "auto",
        description =
            "auto takes KVM only where a guest really runs on it (default: ${DEFAULT-VALUE})")
    Accelerator accelerator = Accelerator.AUTO;

    @Option(
        names = "--memory",
        paramLabel = "SIZE",
        defaultValue = "2048",
        description = "RAM in MiB, or a size such as 2G (default: ${DEFAULT-VALUE})")
    String memory = "2048";

    @Option(
        names = {"--cpus", "--vcpus"},
        paramLabel = "N",
        description = "processors (default: 2, and 1 without KVM)")
    @Nullable Integer cpus;

    @Option(
        names = {"-p", "--forward"},
        paramLabel = "HOST:GUEST",
        description = "TCP port of the guest that answers on 127.0.0.1; may be repeated")
    List<String> forwards = List.of();

    @Option(
        names = "--ssh-port",
        paramLabel = "PORT",
        description = "port on 127.0.0.1 that leads to the guest's SSH (default: a free one)")
    int sshPort;

    @Option(
        names = "--serial-log",
        paramLabel = "FILE",
        description = "keep what the serial console says in a file, too")
    @Nullable Path serialLog;

    @Option(
        names = "--snapshot",
        description =
            "throw the guest's writes away at the end; of a machine with a name, with the machine."
                + " An image's disk always stays as it is")
    boolean snapshot;

    @Option(
        names = {"-d", "--detach"},
        description = "leave the machine running and print its name")
    boolean detach;

    @Option(
        names = "--name",
        paramLabel = "NAME",
        description =
            "keep the machine under a name; without --detach this terminal is its console at once")
    @Nullable String name;

    @Option(
        names = "--user",
        paramLabel = "USER",
        defaultValue = "root",
        description =
            "who slipway vm ssh logs in as (default: ${DEFAULT-VALUE}, who gets the machine's key)")
    String user = "root";

    @Option(names = "--vnc", description = "show a screen by VNC, on a port that vm list tells")
    boolean vnc;

    @Option(
        names = "--tpm",
        description =
            "give the machine a TPM 2.0 of its own, which swtpm plays; what it remembers goes with"
                + " the machine")
    boolean tpm;

    @Option(
        names = "--virt-install",
        description = "print the command that makes this machine by libvirt, and start nothing")
    boolean virtInstall;

    @Mixin CloudOptions cloud = new CloudOptions();

    @Mixin MediumOptions medium = new MediumOptions();

    @Mixin State state = new State();

    @Option(
        names = "--format",
        paramLabel = "raw|qcow2",
        description = "of the disk (default: what its name says: .raw, .img, .qcow2)")
    @Nullable DiskFormat format;

    @Parameters(
        arity = "0..1",
        paramLabel = "DISK|IMAGE",
        description = "raw or qcow2 image, or the name or id of an image in the local store")
    String source = "";

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws IOException, InterruptedException {
      if (cpus != null && cpus < 1) {
        throw Problem.usage("--cpus takes the number of processors, 1 or more, not " + cpus);
      }
      boolean named = detach || name != null;
      if (vnc && !named) {
        throw Problem.usage("--vnc is for machines that have a name; add --name or --detach");
      }
      long ownDisk = medium.ownDisk(source, named);
      if (ownDisk > 0 && (snapshot || format != null)) {
        throw Problem.usage(
            "--snapshot and --format are for a DISK that is there; --disk-size makes an empty one");
      }
      if (source.isEmpty() && ownDisk == 0) {
        throw Problem.usage(
            "DISK or IMAGE is missing; --disk-size gives the machine an empty disk instead");
      }
      int mebibytes = mebibytes(memory);
      List<PortForward> ports = new ArrayList<>();
      ports.add(new PortForward(sshPort, 22));
      for (String text : forwards) {
        ports.add(forward(text));
      }
      if (virtInstall && cloud.cloud != null) {
        throw Problem.usage(
            "--virt-install prints nothing of --cloud; virt-install has --cloud-init for nocloud");
      }
      if (virtInstall && !forwards.isEmpty()) {
        throw Problem.usage(
            "--virt-install prints nothing of --forward; libvirt forwards ports by portForward of"
                + " --network passt");
      }
      if (virtInstall && medium.isolated) {
        throw Problem.usage(
            "--virt-install prints nothing of --isolated; virt-install has --network none");
      }
      BootMedium start = medium.medium(firmware);
      Architecture architecture = arch == null ? Architecture.host() : Architecture.parse(arch);
      MachineDisk disk = ownDisk > 0 ? medium.emptyDisk() : disk(architecture);
      MachineRecord record =
          MachineRecordBuilder.builder()
              .source(ownDisk > 0 && start != null ? start.place() : source)
              .digest(disk.digest())
              .disk(disk.file().toAbsolutePath())
              .format(disk.format())
              .ownDisk(ownDisk)
              .overlay(ownDisk == 0 && (snapshot || disk.digest() != null))
              .architecture(architecture)
              .firmware(firmware)
              .accelerator(accelerator)
              .memoryMiB(mebibytes)
              .cpus(cpus == null ? 0 : cpus)
              .medium(start)
              .forwards(ports)
              .isolated(medium.isolated)
              .tpm(tpm)
              .user(user)
              .vnc(vnc)
              .cloud(cloud.of("slipway"))
              .created(Instant.now().truncatedTo(ChronoUnit.SECONDS).toString())
              .build();
      if (virtInstall) {
        String words = String.join(" ", record.virtInstall(name == null ? disk.shortName() : name));
        spec.commandLine().getOut().println(Printable.text(words));
        return 0;
      }
      return named ? keep(record, disk.shortName()) : attend(record);
    }

    /** A file where there is one or the word looks like one, else an image. */
    private MachineDisk disk(Architecture architecture) throws IOException {
      if (MachineDisk.isFile(source)) {
        Path file = Path.of(source);
        DiskFormat.requireReadable(file);
        return MachineDisk.of(file, format);
      }
      if (format != null) {
        throw Problem.usage("--format is for disks, and there is no disk " + source);
      }
      return MachineDisk.ofImage(source, Platform.ofLinux(architecture.label()), state);
    }

    private Integer keep(MachineRecord record, String shortName)
        throws IOException, InterruptedException {
      if (serialLog != null) {
        throw Problem.usage("--serial-log is for machines without a name; the others keep one");
      }
      Machines machines = MachineDisk.machines(state);
      String chosen = name == null ? machines.freeName(shortName) : name;
      CloudData told = record.cloud();
      NamedMachine machine =
          machines.create(
              chosen, told == null ? record : record.withCloud(told.withHost(hostName(chosen))));
      boolean started = false;
      try {
        machine.start();
        started = true;
      } finally {
        if (!started) {
          machine.remove(true);
        }
      }
      spec.commandLine().getOut().println(machine.name());
      spec.commandLine().getOut().flush();
      if (!detach) {
        ConsoleLink.attend(machine, spec.commandLine().getErr());
      }
      return 0;
    }

    private static String hostName(String machine) {
      return machine.replaceAll("[^A-Za-z0-9.-]", "-");
    }

    private Integer attend(MachineRecord record) throws IOException, InterruptedException {
      List<PortForward> ports = new ArrayList<>();
      for (PortForward forward : record.forwards()) {
        ports.add(forward.settled());
      }
      VmSpec machine =
          VmSpec.of(record.disk())
              .withFormat(record.format())
              .withArchitecture(record.architecture())
              .withFirmware(firmware)
              .withAccelerator(accelerator)
              .withSize(record.memoryMiB(), record.cpus())
              .withMedium(record.medium())
              .withForwards(ports)
              .withIsolated(record.isolated())
              .withTpm(record.tpm())
              .withSnapshot(record.overlay())
              .withCloud(record.cloud());
      if (Terminal.stderrIsTerminal()) {
        spec.commandLine().getErr().println(hint(ports));
      }
      int status =
          VirtualMachine.runInForeground(
              serialLog == null
                  ? machine
                  : machine.withSerialLog(OutputFile.check(serialLog, "--serial-log")));
      if (status != 0) {
        throw Problem.environment(
            "QEMU ended with status "
                + status
                + " instead of switching the machine off; what it said stands above"
                + (accelerator == Accelerator.KVM
                    ? "; where KVM does not work, --accel tcg does"
                    : ""));
      }
      return 0;
    }

    /** What somebody at the console has to know, before the machine fills the terminal. */
    public static String hint(List<PortForward> forwards) {
      return "Ctrl-A X ends the machine, Ctrl-A C leads to QEMU's monitor and back; "
          + forwards.stream()
              .map(f -> "127.0.0.1:" + f.host() + " leads to its port " + f.guest())
              .collect(Collectors.joining(", "));
    }

    /** A number alone counts MiB, as QEMU's -m does. */
    public static int mebibytes(String text) {
      long size =
          text.matches("[0-9]{1,9}")
              ? Long.parseLong(text)
              : DiskCommand.Build.bytes(text, "--memory") >> 20;
      if (size < LEAST_MEMORY || size > MOST_MEMORY) {
        throw Problem.usage(
            "--memory "
                + text
                + " is not from "
                + LEAST_MEMORY
                + " MiB to 16 TiB; a number counts MiB, and 2G is a size, too");
      }
      return (int) size;
    }

    private static PortForward forward(String text) {
      if (!text.contains(":")) {
        throw Problem.usage(
            "--forward "
                + text
                + " lacks a port; expected HOST:GUEST, such as 8080:80 for the guest's port 80");
      }
      return PortForward.parse(text);
    }
  }
}
