package slipway.media;

import io.soabase.recordbuilder.core.RecordBuilder;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A virtual machine as a value; each {@code with} method returns a copy.
 *
 * @param disk a raw or qcow2 image
 * @param format of the disk, or null for what its name says
 * @param base what a qcow2 disk of this product's own making is laid over, or null; what the disk
 *     says of that does not count
 * @param architecture its processor
 * @param memoryMiB RAM in MiB
 * @param cpus number of virtual processors; 0 for what suits the accelerator
 * @param medium what it starts from where nothing starts from the disk, or null
 * @param forwards ports of the guest that answer on 127.0.0.1; one to port 22 is needed for ssh
 * @param isolated whether the guest reaches nobody; the forwarded ports lead to it all the same
 * @param tpm whether it has a TPM 2.0, which goes with the state directory
 * @param sshUser who logs in
 * @param sshKey private key file of {@code sshUser}, or null when nobody logs in
 * @param serialLog file that the first serial port is appended to, or null
 * @param snapshot whether writes of the guest are thrown away when the machine ends
 * @param cloud what the machine is told about itself, or null
 * @param stateDirectory holds UEFI variables, what a TPM remembers, and sockets; null for a
 *     temporary one that goes with the machine
 * @param arguments more arguments for QEMU, at the end
 */
@RecordBuilder
public record VmSpec(
    Path disk,
    @Nullable DiskFormat format,
    @Nullable Base base,
    Architecture architecture,
    Firmware firmware,
    Accelerator accelerator,
    int memoryMiB,
    int cpus,
    @Nullable BootMedium medium,
    List<PortForward> forwards,
    boolean isolated,
    boolean tpm,
    String sshUser,
    @Nullable Path sshKey,
    @Nullable Path serialLog,
    boolean snapshot,
    @Nullable CloudData cloud,
    @Nullable Path stateDirectory,
    List<String> arguments)
    implements VmSpecBuilder.With {
  public VmSpec {
    forwards = List.copyOf(forwards);
    arguments = List.copyOf(arguments);
  }

  /** A disk beneath another. */
  public record Base(Path disk, DiskFormat format) {}

  /** A machine of this computer's processor, 2 GiB of RAM, BIOS, and ssh on a free port. */
  public static VmSpec of(Path disk) {
    return VmSpecBuilder.builder()
        .disk(disk)
        .architecture(Architecture.host())
        .firmware(Firmware.BIOS)
        .accelerator(Accelerator.AUTO)
        .memoryMiB(2048)
        .forwards(List.of(new PortForward(0, 22)))
        .sshUser("root")
        .arguments(List.of())
        .build();
  }

  /**
   * @param mebibytes RAM
   * @param processors virtual processors; 0 for what suits the accelerator
   */
  public VmSpec withSize(int mebibytes, int processors) {
    return with(v -> v.memoryMiB(mebibytes).cpus(processors));
  }

  /** With a user and the private key that logs in. */
  public VmSpec withSsh(String user, Path privateKey) {
    return with(v -> v.sshUser(user).sshKey(privateKey));
  }

  /** With more arguments for QEMU. */
  public VmSpec withMore(String... more) {
    return withArguments(Stream.concat(arguments.stream(), Stream.of(more)).toList());
  }
}
