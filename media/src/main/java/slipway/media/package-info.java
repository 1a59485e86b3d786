/**
 * Virtual machines that run a disk. Entry: {@link slipway.media.VirtualMachine}; {@link
 * slipway.media.VmSpec} says what machine it is. What an unattended installation is told, {@code
 * kickstart} reads; neither uses the other.
 *
 * <pre>
 *  VmSpec ─▶ QemuArguments ─▶ qemu-system of the machine's Architecture, which dies with this process
 *    disk        virtio; DiskFormat says raw or qcow2, and is never guessed from the content
 *    firmware    SeaBIOS, OVMF or AAVMF with variables of its own
 *    tpm         SoftwareTpm: swtpm, which QEMU connects to
 *    KvmProbe    a tiny guest against the clock: Accelerator KVM or TCG
 *    forwards    127.0.0.1:PORT → port of the guest (PortForward)
 *
 *  VirtualMachine.start           in the background
 *    Console     serial port 1: the last 1 MiB; what others wait for is found in it
 *    QemuProcess one run of QEMU, with its Console and its Qmp
 *    Qmp         QEMU's control connection, over the socket qmp
 *    SavedState  processors, memory and devices in a file, to go on from
 *    GuestShell  ssh to the guest
 *    SshBanner   waits for an ssh server behind a forwarded port
 *    Patience    how long a wait may be: as long as the guest gets on
 *  VirtualMachine.runInForeground  the serial port is this terminal
 *
 *  Machines ─▶ NamedMachine        goes on when this process ends; QEMU answers at a socket
 *    MachineRecord                 what it is, in machine.json
 *
 *  STATE, given or slipway-vm-…
 *    uefi-variables.fd    copied from the template at the first start
 *    qmp                  while QEMU connects
 *    tpm/, tpm.*          SoftwareTpm
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package slipway.media;
