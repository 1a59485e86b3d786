package slipway.media;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import slipway.base.Problem;

/** What processor a machine has, and what goes with it in QEMU and in the packages around it. */
public enum Architecture {
  /** x86-64, on a PC. */
  AMD64(
      "x86_64",
      "q35",
      "Nehalem",
      "VGA",
      "tpm-crb",
      "ovmf",
      List.of(
          new Flash("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
          new Flash("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"),
          new Flash("/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"),
          new Flash("/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"))),

  /** 64-bit Arm, on a board that is QEMU's own and has UEFI alone. */
  ARM64(
      "aarch64",
      "virt",
      "cortex-a57",
      "virtio-gpu-pci",
      "tpm-tis-device",
      "qemu-efi-aarch64",
      List.of(
          new Flash("/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd"),
          new Flash(
              "/usr/share/edk2/aarch64/QEMU_EFI-pflash.raw",
              "/usr/share/edk2/aarch64/vars-template-pflash.raw"),
          new Flash(
              "/usr/share/edk2/aarch64/QEMU_CODE.fd", "/usr/share/edk2/aarch64/QEMU_VARS.fd")));

  /** Firmware and the template of its variables, as distributions install them. */
  record Flash(Path code, Path variables) {
    Flash(String code, String variables) {
      this(Path.of(code), Path.of(variables));
    }
  }

  private final String kernelName;
  private final String board;
  private final String emulated;
  private final String screen;
  private final String tpm;
  private final String firmwarePackage;
  private final List<Flash> firmware;

  Architecture(
      String kernelName,
      String board,
      String emulated,
      String screen,
      String tpm,
      String firmwarePackage,
      List<Flash> firmware) {
    this.kernelName = kernelName;
    this.board = board;
    this.emulated = emulated;
    this.screen = screen;
    this.tpm = tpm;
    this.firmwarePackage = firmwarePackage;
    this.firmware = firmware;
  }

  /** That of this computer; of one that machines cannot have, a PC's. */
  public static Architecture host() {
    return System.getProperty("os.arch").equals("aarch64") ? ARM64 : AMD64;
  }

  /**
   * In the words of OCI or of the kernel.
   *
   * @throws Problem of kind USAGE
   */
  public static Architecture parse(String word) {
    for (Architecture each : values()) {
      if (word.equals(each.label()) || word.equals(each.kernelName)) {
        return each;
      }
    }
    throw Problem.usage(
        "--arch \"" + word + "\" is none that machines have; there are amd64 and arm64");
  }

  /** OCI's word. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The kernel's and QEMU's word. */
  String kernelName() {
    return kernelName;
  }

  String program() {
    return "qemu-system-" + kernelName;
  }

  String board() {
    return board;
  }

  /** The processor that is quickest to emulate; what a guest has more of takes time. */
  String emulated() {
    return emulated;
  }

  /** The graphics card that every system has a driver for. */
  String screen() {
    return screen;
  }

  /** How its board has a TPM. */
  String tpm() {
    return tpm;
  }

  /**
   * The UEFI firmware that is installed here.
   *
   * @throws Problem of kind ENVIRONMENT when there is none
   */
  Flash uefi() {
    return firmware.stream()
        .filter(f -> Files.isReadable(f.code()) && Files.isReadable(f.variables()))
        .findFirst()
        .orElseThrow(
            () ->
                Problem.environment(
                    "there is no UEFI firmware for virtual machines here; install the package "
                        + firmwarePackage));
  }
}
