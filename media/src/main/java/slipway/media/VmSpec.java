package slipway.media;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A virtual machine as a value; each {@code with} method returns a copy.
 *
 * @param disk a raw or qcow2 image
 * @param format of the disk, or null for what its name says
 * @param memoryMiB RAM in MiB
 * @param cpus number of virtual processors; 0 for what suits the accelerator
 * @param forwards ports of the guest that answer on 127.0.0.1; one to port 22 is needed for ssh
 * @param sshUser who logs in
 * @param sshKey private key file of {@code sshUser}, or null when nobody logs in
 * @param serialLog file that the first serial port is appended to, or null
 * @param snapshot whether writes of the guest are thrown away when the machine ends
 * @param stateDirectory holds UEFI variables and sockets; null for a temporary one that goes with
 *     the machine
 * @param arguments more arguments for QEMU, at the end
 */
public record VmSpec(
    Path disk,
    @Nullable DiskFormat format,
    Firmware firmware,
    Accelerator accelerator,
    int memoryMiB,
    int cpus,
    List<PortForward> forwards,
    String sshUser,
    @Nullable Path sshKey,
    @Nullable Path serialLog,
    boolean snapshot,
    @Nullable Path stateDirectory,
    List<String> arguments) {
  public VmSpec {
    forwards = List.copyOf(forwards);
    arguments = List.copyOf(arguments);
  }

  /** A machine with 2 GiB of RAM, BIOS, and ssh on a free port. */
  public static VmSpec of(Path disk) {
    return new VmSpec(
        disk,
        null,
        Firmware.BIOS,
        Accelerator.AUTO,
        2048,
        0,
        List.of(new PortForward(0, 22)),
        "root",
        null,
        null,
        false,
        null,
        List.of());
  }

  /** With a format that is sure, whatever the name. */
  public VmSpec withFormat(@Nullable DiskFormat other) {
    return new VmSpec(
        disk,
        other,
        firmware,
        accelerator,
        memoryMiB,
        cpus,
        forwards,
        sshUser,
        sshKey,
        serialLog,
        snapshot,
        stateDirectory,
        arguments);
  }

  public VmSpec withFirmware(Firmware other) {
    return new VmSpec(
        disk,
        format,
        other,
        accelerator,
        memoryMiB,
        cpus,
        forwards,
        sshUser,
        sshKey,
        serialLog,
        snapshot,
        stateDirectory,
        arguments);
  }

  public VmSpec withAccelerator(Accelerator other) {
    return new VmSpec(
        disk,
        format,
        firmware,
        other,
        memoryMiB,
        cpus,
        forwards,
        sshUser,
        sshKey,
        serialLog,
        snapshot,
        stateDirectory,
        arguments);
  }

  /**
   * @param mebibytes RAM
   * @param processors virtual processors; 0 for what suits the accelerator
   */
  public VmSpec withSize(int mebibytes, int processors) {
    return new VmSpec(
        disk,
        format,
        firmware,
        accelerator,
        mebibytes,
        processors,
        forwards,
        sshUser,
        sshKey,
        serialLog,
        snapshot,
        stateDirectory,
        arguments);
  }

  /** With other forwards instead of the default one. */
  public VmSpec withForwards(List<PortForward> other) {
    return new VmSpec(
        disk,
        format,
        firmware,
        accelerator,
        memoryMiB,
        cpus,
        other,
        sshUser,
        sshKey,
        serialLog,
        snapshot,
        stateDirectory,
        arguments);
  }

  /** With a user and the private key that logs in. */
  public VmSpec withSsh(String user, Path privateKey) {
    return new VmSpec(
        disk,
        format,
        firmware,
        accelerator,
        memoryMiB,
        cpus,
        forwards,
        user,
        privateKey,
        serialLog,
        snapshot,
        stateDirectory,
        arguments);
  }

  public VmSpec withSerialLog(Path file) {
    return new VmSpec(
        disk,
        format,
        firmware,
        accelerator,
        memoryMiB,
        cpus,
        forwards,
        sshUser,
        sshKey,
        file,
        snapshot,
        stateDirectory,
        arguments);
  }

  public VmSpec withSnapshot(boolean throwAway) {
    return new VmSpec(
        disk,
        format,
        firmware,
        accelerator,
        memoryMiB,
        cpus,
        forwards,
        sshUser,
        sshKey,
        serialLog,
        throwAway,
        stateDirectory,
        arguments);
  }

  public VmSpec withStateDirectory(Path directory) {
    return new VmSpec(
        disk,
        format,
        firmware,
        accelerator,
        memoryMiB,
        cpus,
        forwards,
        sshUser,
        sshKey,
        serialLog,
        snapshot,
        directory,
        arguments);
  }

  /** With more arguments for QEMU. */
  public VmSpec withArguments(String... more) {
    List<String> all = new ArrayList<>(arguments);
    all.addAll(List.of(more));
    return new VmSpec(
        disk,
        format,
        firmware,
        accelerator,
        memoryMiB,
        cpus,
        forwards,
        sshUser,
        sshKey,
        serialLog,
        snapshot,
        stateDirectory,
        all);
  }
}
