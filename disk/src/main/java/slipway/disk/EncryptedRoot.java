package slipway.disk;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import slipway.base.Cleanup;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.base.RawText;
import slipway.disk.filesystem.FileSystems;
import slipway.linux.process.Command;
import slipway.system.kargs.KernelArguments;

/**
 * A partition that is encrypted by LUKS2 and that the TPM of this machine alone opens, by the
 * machine's cryptsetup(8) and systemd-cryptenroll(1). The key that it is made with is random, lives
 * as long as the installation, and its slot is wiped before anything is written to the partition;
 * no other key is left, none to recover it by either.
 */
final class EncryptedRoot implements AutoCloseable {
  private static final int KEY_BYTES = 32;

  /** Of cryptsetup(8): there is no such device. */
  private static final int NO_DEVICE = 4;

  private final String name;
  private final UUID id;
  private final Tools tools;
  private final Progress progress;
  private final Cleanup cleanup;

  /**
   * What does it.
   *
   * @param path where its programs are, as in PATH
   * @param tpms what the kernel says of TPMs, {@code /sys/class/tpm}
   */
  record Tools(String path, Path tpms) {
    /** Those of this machine. */
    static Tools ofMachine() {
      return new Tools(
          System.getenv().getOrDefault("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
          Path.of("/sys/class/tpm"));
    }

    private Command command(String program, String... arguments) {
      return Command.of(place(program)).with(arguments).environment("PATH", path);
    }

    private String place(String program) {
      return Stream.of(path.split(":"))
          .map(folder -> Path.of(folder, program))
          .filter(Files::isExecutable)
          .findFirst()
          .map(Path::toString)
          .orElse(program);
    }

    /**
     * Refuses, before anything is erased, a machine that cannot do it.
     *
     * @throws Problem of kind ENVIRONMENT
     */
    void require() throws IOException {
      FileSystems.requireTools(List.of("cryptsetup", "systemd-cryptenroll"), path);
      if (!hasTpm()) {
        throw Problem.environment(
            "--block-setup tpm2-luks: this machine has no TPM 2.0, which would hold the key of its"
                + " root; switch it on in the firmware, or give --block-setup direct");
      }
    }

    private boolean hasTpm() throws IOException {
      if (!Files.isDirectory(tpms)) {
        return false;
      }
      try (DirectoryStream<Path> all = Files.newDirectoryStream(tpms)) {
        for (Path each : all) {
          Path version = each.resolve("tpm_version_major");
          if (Files.exists(version)
              && RawText.decode(Files.readAllBytes(version)).strip().equals("2")) {
            return true;
          }
        }
      }
      return false;
    }
  }

  private EncryptedRoot(UUID id, Tools tools, Progress progress) {
    this.id = id;
    this.name = "slipway-" + id;
    this.tools = tools;
    this.progress = progress;
    this.cleanup = Cleanup.register("the encrypted device " + name, this::detach);
  }

  /**
   * Encrypts a partition, binds it to the TPM and opens it.
   *
   * @param partition a block device
   * @param id of the encrypted partition
   * @param work a folder of this process' own, for a key that is of no use afterwards
   * @param progress is told when it cannot be closed
   */
  static EncryptedRoot create(Path partition, UUID id, Path work, Tools tools, Progress progress)
      throws IOException {
    byte[] random = new byte[KEY_BYTES];
    new SecureRandom().nextBytes(random);
    String key = HexFormat.of().formatHex(random);
    tools
        .command("cryptsetup", "luksFormat", "--batch-mode", "--type", "luks2")
        .with("--uuid", id.toString(), "--key-file", "-", partition.toString())
        .stdin(key)
        .run();
    EncryptedRoot root = new EncryptedRoot(id, tools, progress);
    try {
      tools
          .command("cryptsetup", "open", "--type", "luks2", "--key-file", "-")
          .with(partition.toString(), root.name)
          .stdin(key)
          .run();
      root.bind(partition, key, work);
      return root;
    } catch (IOException | RuntimeException e) {
      root.close();
      throw e;
    }
  }

  /** Gives the TPM a key, and takes away all others. */
  private void bind(Path partition, String key, Path work) throws IOException {
    Path file =
        Files.createFile(
            work.resolve("luks-key"),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    try {
      Files.writeString(file, key);
      tools
          .command("systemd-cryptenroll", "--wipe-slot=all", "--tpm2-device=auto")
          .with("--unlock-key-file=" + file, partition.toString())
          .run();
    } finally {
      Files.delete(file);
    }
  }

  /** The device that shows what is in it. */
  Path device() {
    return Path.of("/dev/mapper", name);
  }

  /** By which the initramfs opens it, without asking anybody. */
  KernelArguments arguments() {
    return arguments(id);
  }

  /** The same for one of a certain id. */
  static KernelArguments arguments(UUID id) {
    return KernelArguments.of("luks.uuid=" + id, "luks.options=tpm2-device=auto,headless=true");
  }

  private void detach() {
    Command.Result result = tools.command("cryptsetup", "close", name).tryRun();
    // One that was not opened is there neither.
    if (result.status() != 0 && result.status() != NO_DEVICE) {
      progress.note(
          device()
              + " stays open, something on it is in use: close it by cryptsetup close "
              + name
              + " before the disk is used otherwise");
    }
  }

  @Override
  public void close() throws IOException {
    cleanup.close();
  }
}
