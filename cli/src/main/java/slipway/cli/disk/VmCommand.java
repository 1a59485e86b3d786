package slipway.cli.disk;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import slipway.base.Problem;
import slipway.cli.output.OutputFile;
import slipway.cli.output.Terminal;
import slipway.media.Accelerator;
import slipway.media.DiskFormat;
import slipway.media.Firmware;
import slipway.media.PortForward;
import slipway.media.VirtualMachine;
import slipway.media.VmSpec;

/** {@code slipway vm}: virtual machines. */
@Command(
    name = "vm",
    mixinStandardHelpOptions = true,
    description = "Run a disk in a virtual machine.",
    subcommands = VmCommand.Run.class)
public final class VmCommand implements Callable<Integer> {
  @Override
  public Integer call() {
    throw Problem.usage("which vm command? there is: slipway vm run");
  }

  /** {@code slipway vm run DISK}: until the machine is switched off. */
  @Command(
      name = "run",
      mixinStandardHelpOptions = true,
      description =
          "Start a disk in QEMU with its serial console on this terminal; Ctrl-A X ends it.",
      footer = "slipway vm run --forward 8080:80 out/qcow2/disk.qcow2")
  public static final class Run implements Callable<Integer> {
    /** With less the firmware or a kernel stops without a word. */
    private static final int LEAST_MEMORY = 128;

    /** 16 TiB, more than any machine has that runs this. */
    private static final int MOST_MEMORY = 1 << 24;

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
        names = "--cpus",
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

    @Option(names = "--snapshot", description = "throw the guest's writes away at the end")
    boolean snapshot;

    @Option(
        names = "--format",
        paramLabel = "raw|qcow2",
        description = "of the disk (default: what its name says: .raw, .img, .qcow2)")
    @Nullable DiskFormat format;

    @Parameters(paramLabel = "DISK", description = "raw or qcow2 image")
    Path disk = Path.of("");

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws IOException, InterruptedException {
      if (cpus != null && cpus < 1) {
        throw Problem.usage("--cpus takes the number of processors, 1 or more, not " + cpus);
      }
      int mebibytes = mebibytes(memory);
      DiskFormat.requireReadable(disk);
      List<PortForward> all = new ArrayList<>();
      all.add(new PortForward(sshPort, 22).settled());
      for (String text : forwards) {
        all.add(forward(text).settled());
      }
      VmSpec machine =
          VmSpec.of(disk)
              .withFormat(format)
              .withFirmware(firmware)
              .withAccelerator(accelerator)
              .withSize(mebibytes, cpus == null ? 0 : cpus)
              .withForwards(all)
              .withSnapshot(snapshot);
      if (Terminal.stderrIsTerminal()) {
        spec.commandLine().getErr().println(hint(all));
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
