package slipway.media;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import slipway.base.Printable;
import slipway.base.Problem;

/**
 * The command line of QEMU for a machine (QEMU manual, "Invocation"). What the words for software
 * translation are worth was measured: several threads and a large translation buffer halve the boot
 * time, an old processor model saves a tenth, because the guest then has less state to save.
 */
final class QemuArguments {
  private QemuArguments() {}

  /**
   * The whole command line.
   *
   * @param accelerator not AUTO
   * @param state directory of the machine's own files; UEFI variables are made there, and what a
   *     cloud tells the machine
   * @param qmp socket that somebody listens on for the control connection, or null for none
   * @param serial QEMU's word for what the first serial port is, such as {@code stdio}
   */
  static List<String> of(
      VmSpec spec, Accelerator accelerator, Path state, @Nullable Path qmp, String serial)
      throws IOException {
    return of(spec, accelerator, state, escape(state) + "/", qmp, serial);
  }

  /**
   * The same, started anywhere.
   *
   * @param sockets where those lie that others make: see {@link SoftwareTpm#arguments}
   */
  private static List<String> of(
      VmSpec spec,
      Accelerator accelerator,
      Path state,
      String sockets,
      @Nullable Path qmp,
      String serial)
      throws IOException {
    Architecture architecture = spec.architecture();
    List<String> all = new ArrayList<>();
    all.addAll(List.of(architecture.program(), "-nodefaults", "-no-user-config", "-nographic"));
    all.addAll(List.of("-machine", architecture.board(), "-m", spec.memoryMiB() + "M"));
    all.addAll(List.of("-smp", Integer.toString(cpus(spec, accelerator))));
    all.addAll(accelerator(accelerator, architecture));
    if (spec.firmware() == Firmware.UEFI) {
      all.addAll(uefi(architecture, state));
    } else if (architecture != Architecture.AMD64) {
      throw Problem.usage(
          "no machine of " + architecture.label() + " has a BIOS; take --firmware uefi");
    }
    all.addAll(drive(spec));
    CloudData cloud = spec.cloud();
    CloudData.Wiring wiring = cloud == null ? CloudData.Wiring.NONE : cloud.prepare(state);
    BootMedium medium = spec.medium();
    if (medium != null) {
      all.addAll(medium.arguments(architecture));
    }
    all.addAll(network(spec, wiring.network()));
    all.addAll(wiring.arguments());
    all.addAll(List.of("-device", "virtio-rng-pci"));
    if (spec.tpm()) {
      all.addAll(SoftwareTpm.arguments(architecture, sockets));
    }
    all.addAll(List.of("-serial", serial));
    if (qmp != null) {
      all.addAll(
          List.of(
              "-chardev", "socket,id=qmp,path=" + escape(qmp), "-mon", "chardev=qmp,mode=control"));
    }
    all.addAll(spec.arguments());
    return all;
  }

  /** The same for a machine on this terminal: serial port and QEMU's monitor share it. */
  static List<String> inForeground(VmSpec spec, Accelerator accelerator, Path state)
      throws IOException {
    Path log = spec.serialLog();
    if (log == null) {
      return of(spec, accelerator, state, null, "mon:stdio");
    }
    List<String> all = new ArrayList<>(of(spec, accelerator, state, null, "chardev:terminal"));
    all.addAll(
        List.of(
            "-chardev",
            "stdio,id=terminal,mux=on,signal=off,logappend=on,logfile=" + escape(log),
            "-mon",
            "chardev=terminal,mode=readline"));
    return all;
  }

  /**
   * The same for a machine that outlives this process. Its sockets are named without a folder, for
   * QEMU is started in the machine's: a socket's path has room for 107 bytes.
   *
   * @param state the machine's folder, see {@link NamedMachine}
   * @param vnc whether a screen is shown on a free port of 127.0.0.1 from 5900 on
   */
  static List<String> detached(VmSpec spec, Accelerator accelerator, Path state, boolean vnc)
      throws IOException {
    List<String> all = new ArrayList<>(of(spec, accelerator, state, "", null, "chardev:serial0"));
    // A terminal is what -nographic is for, and QEMU refuses it without one.
    int graphic = all.indexOf("-nographic");
    all.remove(graphic);
    all.addAll(graphic, vnc ? List.of("-vnc", "127.0.0.1:0,to=99") : List.of("-display", "none"));
    if (vnc) {
      all.addAll(
          List.of(
              "-device",
              spec.architecture().screen(),
              "-device",
              "qemu-xhci",
              "-device",
              "usb-tablet"));
      all.addAll(List.of("-device", "usb-kbd"));
    }
    all.addAll(
        List.of(
            "-chardev",
            "socket,id=serial0,server=on,wait=off,path="
                + NamedMachine.CONSOLE
                + ",logappend=on,logfile="
                + escape(state.resolve(NamedMachine.LOG)),
            "-chardev",
            "socket,id=qmp,server=on,wait=off,path=" + NamedMachine.CONTROL,
            "-mon",
            "chardev=qmp,mode=control",
            "-pidfile",
            NamedMachine.PROCESS,
            "-daemonize"));
    return all;
  }

  /**
   * By emulation one, although two are faster: JVMs in guests whose processors are emulated in
   * parallel were seen to crash in code that they had just compiled (QEMU 7.2 and 10).
   */
  private static int cpus(VmSpec spec, Accelerator accelerator) {
    if (spec.cpus() > 0) {
      return spec.cpus();
    }
    return accelerator == Accelerator.TCG ? 1 : 2;
  }

  static List<String> accelerator(Accelerator accelerator, Architecture architecture) {
    return switch (accelerator) {
      case KVM -> List.of("-accel", "kvm", "-cpu", "host");
      case TCG ->
          List.of("-accel", "tcg,thread=multi,tb-size=512", "-cpu", architecture.emulated());
      case AUTO -> throw new IllegalArgumentException("choose before");
    };
  }

  /** The firmware and the machine's own variables, copied from the template at the first start. */
  private static List<String> uefi(Architecture architecture, Path state) throws IOException {
    Architecture.Flash found = architecture.uefi();
    Path variables = state.resolve("uefi-variables.fd");
    if (!Files.exists(variables)) {
      Files.copy(found.variables(), variables);
    }
    return List.of(
        "-drive",
        "if=pflash,unit=0,format=raw,readonly=on,file=" + escape(found.code()),
        "-drive",
        "if=pflash,unit=1,format=raw,file=" + escape(variables));
  }

  private static List<String> drive(VmSpec spec) throws IOException {
    DiskFormat given = spec.format();
    DiskFormat format = given == null ? DiskFormat.of(spec.disk()) : given;
    VmSpec.Base base = spec.base();
    String options =
        "if=none,id=disk0,cache=writeback,discard=unmap,format="
            + format.label()
            + ",file="
            + escape(spec.disk());
    if (base == null) {
      format.check(spec.disk());
    } else {
      base.format().check(base.disk());
      options +=
          ",backing.driver="
              + base.format().label()
              + ",backing.file.driver=file,backing.file.filename="
              + escape(base.disk());
    }
    int sector =
        base == null
            ? SectorSize.of(spec.disk(), format)
            : SectorSize.of(base.disk(), base.format());
    return List.of(
        "-drive",
        spec.snapshot() ? options + ",snapshot=on" : options,
        "-device",
        // 0 is what QEMU gives to a kernel that the caller's arguments name.
        "virtio-blk-pci,drive=disk0,bootindex=1" + sectors(spec, sector));
  }

  private static String sectors(VmSpec spec, int bytes) {
    if (bytes == SectorSize.USUAL) {
      return "";
    }
    if (spec.firmware() == Firmware.BIOS && spec.medium() == null) {
      throw Problem.usage(
          Printable.text(spec.disk().toString())
              + " has sectors of "
              + bytes
              + " bytes, and no BIOS starts from such a disk; take --firmware uefi");
    }
    return ",logical_block_size=" + bytes + ",physical_block_size=" + bytes;
  }

  /** A user-mode network. */
  private static List<String> network(VmSpec spec, String more) {
    BootMedium medium = spec.medium();
    StringBuilder options = new StringBuilder("user,id=net0").append(more);
    options.append(medium == null ? "" : medium.network());
    options.append(spec.isolated() ? ",restrict=on" : "");
    for (PortForward forward : spec.forwards()) {
      options.append(",hostfwd=tcp:127.0.0.1:");
      options.append(forward.host()).append("-:").append(forward.guest());
    }
    String card = "virtio-net-pci,netdev=net0" + BootMedium.card(medium);
    return List.of("-netdev", options.toString(), "-device", card);
  }

  /** A comma in a value is written twice (QEMU manual, "-drive"). */
  static String escape(Path path) {
    return path.toAbsolutePath().toString().replace(",", ",,");
  }
}
