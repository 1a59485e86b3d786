package slipway.media;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Pattern;
import slipway.base.AtomicFile;
import slipway.base.Problem;
import slipway.linux.lock.ScratchFolder;
import slipway.linux.posix.Posix;
import slipway.linux.process.Command;

/**
 * Whether KVM runs an ordinary guest here. That {@code /dev/kvm} can be opened proves nothing:
 * inside some virtual machines it belongs to an implementation that interprets a guest's kernel
 * instruction by instruction, thousands of times slower, and gives up on some. So a tiny guest is
 * run against the clock.
 *
 * @param usable whether a guest ran
 * @param reason one sentence for people
 */
record KvmProbe(boolean usable, String reason) {
  private static final Duration LIMIT = Duration.ofSeconds(10);
  private static final Path DEVICE = Path.of("/dev/kvm");
  private static final Pattern FLAGS = Pattern.compile("(?m)^flags\\s*:.*\\b(vmx|svm)\\b");

  /** {@code isa-debug-exit} ends QEMU with twice the value written, plus one. */
  private static final int PASSED = (0x2a << 1) | 1;

  /** Some firmware reads whole cylinders. */
  private static final int DISK_BYTES = 1024 * 1024;

  /**
   * The boot sector, for the BIOS: builds page tables for the first 2 MiB, enters long mode, saves
   * and restores the floating-point state, does one {@code lock cmpxchg16b}, counts 50 million
   * rounds down with a memory access in each (well under a second on any processor, minutes when
   * interpreted), and writes 0x2a to port 0xf4.
   */
  private static final byte[] GUEST =
      HexFormat.of()
          .parseHex(
              "fafc6631c08ed88ec08ed0bc007cbf0010b9000cf366abc70600100320c70600200330c7"
                  + "06003083000f0116d07c0f20e0660d200600000f22e066b8001000000f22d866b9800000"
                  + "c00f320d00010f300f20c024fb660d030000800f22c0ea637c080066b810008ed88ec08e"
                  + "d00fae0425004000000fae0c250040000031c031d231c9bb01000000be0050000048c706"
                  + "0000000048c7460800000000f0480fc70e750fb980f0fa02010effc975fab02ae6f4f4eb"
                  + "fd909090000000000000000000000000009a200000000000009200001700b87c");

  /** The verdict for this machine, remembered in the run directory until the next boot. */
  public static KvmProbe ofThisMachine() {
    String user = System.getenv("XDG_RUNTIME_DIR");
    Path run = Path.of(Posix.geteuid() == 0 || user == null ? "/run" : user);
    return of(run.resolve("slipway"));
  }

  static KvmProbe of(Path runDirectory) {
    try {
      if (!Files.isReadable(DEVICE) || !Files.isWritable(DEVICE)) {
        return new KvmProbe(false, "/dev/kvm cannot be opened");
      }
      if (!FLAGS.matcher(Files.readString(Path.of("/proc/cpuinfo"))).find()) {
        return new KvmProbe(false, "the processor shows no virtualisation (neither vmx nor svm)");
      }
      return remembered(runDirectory);
    } catch (IOException e) {
      return new KvmProbe(false, "KVM cannot be examined: " + e.getMessage());
    }
  }

  private static KvmProbe remembered(Path runDirectory) throws IOException {
    Path file = runDirectory.resolve("kvm-verdict");
    String boot = Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip();
    if (Files.isRegularFile(file)) {
      List<String> lines = Files.readAllLines(file);
      if (lines.size() == 3 && lines.getFirst().equals(boot)) {
        return new KvmProbe(lines.get(1).equals("usable"), lines.get(2));
      }
    }
    KvmProbe verdict = run(Accelerator.KVM);
    if (Files.isWritable(runDirectory) || Files.isWritable(runDirectory.resolveSibling(""))) {
      AtomicFile.write(
          file, boot + "\n" + (verdict.usable ? "usable" : "unusable") + "\n" + verdict.reason);
    }
    return verdict;
  }

  /** Runs the guest; it is bounded by ten seconds. */
  static KvmProbe run(Accelerator accelerator) throws IOException {
    try (ScratchFolder folder = ScratchFolder.small("slipway-kvm-", note -> {})) {
      Path disk = folder.path().resolve("disk.img");
      byte[] image = Arrays.copyOf(GUEST, DISK_BYTES);
      image[510] = 0x55;
      image[511] = (byte) 0xaa;
      Files.write(disk, image);
      int status =
          Command.of("qemu-system-x86_64", "-nodefaults", "-no-user-config", "-nographic")
              .with("-machine", "q35", "-m", "32M")
              .with(
                  QemuArguments.accelerator(accelerator, Architecture.AMD64).toArray(String[]::new))
              .with("-drive", "if=ide,format=raw,file=" + disk.toString().replace(",", ",,"))
              .with("-device", "isa-debug-exit,iobase=0xf4,iosize=4")
              .timeout(LIMIT)
              .tryRun()
              .status();
      return status == PASSED
          ? new KvmProbe(true, "a test guest ran")
          : new KvmProbe(false, "a test guest ended with status " + status);
    } catch (Problem e) {
      return new KvmProbe(false, "a test guest failed: " + e.getMessage());
    }
  }
}
