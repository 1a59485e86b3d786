package slipway.media;

import io.soabase.recordbuilder.core.RecordBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import slipway.base.AtomicFile;
import slipway.base.Printable;
import slipway.base.Problem;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What a machine with a name is made of, as {@code machine.json} in its folder keeps it.
 *
 * @param source the image or the disk as the user named it
 * @param digest of the image, or null when a disk was named
 * @param disk the absolute path of the disk that it starts from
 * @param format of that disk
 * @param ownDisk bytes of the disk that the machine has in its folder, and that is empty at first;
 *     0 when a disk or an image was named
 * @param overlay whether the machine's writes go to a file of its own, and the disk stays as it is
 * @param accelerator as it was asked for
 * @param memoryMiB RAM in MiB
 * @param cpus number of virtual processors; 0 for what suits the accelerator
 * @param medium what it starts from where nothing starts from the disk, or null
 * @param forwards ports of the guest that answer on 127.0.0.1; one leads to 22
 * @param isolated whether the guest reaches nobody
 * @param tpm whether it has a TPM 2.0
 * @param user who logs in
 * @param vnc whether it has a screen
 * @param cloud what the machine is told about itself, or null
 * @param created when, in ISO 8601
 */
@RecordBuilder
public record MachineRecord(
    String source,
    @Nullable String digest,
    Path disk,
    DiskFormat format,
    long ownDisk,
    boolean overlay,
    Architecture architecture,
    Firmware firmware,
    Accelerator accelerator,
    int memoryMiB,
    int cpus,
    @Nullable BootMedium medium,
    List<PortForward> forwards,
    boolean isolated,
    boolean tpm,
    String user,
    boolean vnc,
    @Nullable CloudData cloud,
    String created)
    implements MachineRecordBuilder.With {
  private static final JsonMapper JSON = new JsonMapper();

  public MachineRecord {
    forwards = List.copyOf(forwards);
  }

  void write(Path file) throws IOException {
    ObjectNode node = JSON.createObjectNode();
    node.put("source", source).put("digest", digest).put("disk", disk.toString());
    node.put("format", format.label()).put("overlay", overlay);
    node.put("architecture", architecture.label());
    node.put("firmware", label(firmware)).put("accelerator", label(accelerator));
    node.put("memoryMiB", memoryMiB).put("cpus", cpus);
    ArrayNode ports = node.putArray("forwards");
    forwards.forEach(f -> ports.add(f.host() + ":" + f.guest()));
    node.put("isolated", isolated).put("tpm", tpm).put("ownDisk", ownDisk);
    if (medium != null) {
      medium.write(node.putObject("medium"));
    }
    node.put("user", user).put("vnc", vnc).put("created", created);
    if (cloud != null) {
      cloud.write(node.putObject("cloud"));
    }
    AtomicFile.write(file, JSON.writerWithDefaultPrettyPrinter().writeValueAsString(node) + "\n");
  }

  /**
   * @throws Problem of kind CORRUPT that names the file
   */
  static MachineRecord read(Path file) throws IOException {
    try {
      JsonNode node = JSON.readTree(Files.readString(file));
      List<PortForward> forwards = new ArrayList<>();
      node.required("forwards").forEach(f -> forwards.add(PortForward.parse(f.asString())));
      JsonNode digest = node.path("digest");
      return new MachineRecord(
          node.required("source").asString(),
          digest.isString() ? digest.asString() : null,
          Path.of(node.required("disk").asString()),
          constant(DiskFormat.class, node.required("format")),
          node.path("ownDisk").asLong(0),
          node.required("overlay").asBoolean(),
          architecture(node.path("architecture")),
          constant(Firmware.class, node.required("firmware")),
          constant(Accelerator.class, node.required("accelerator")),
          node.required("memoryMiB").asInt(),
          node.required("cpus").asInt(),
          BootMedium.read(node.path("medium")),
          forwards,
          node.path("isolated").asBoolean(false),
          node.path("tpm").asBoolean(false),
          node.required("user").asString(),
          node.required("vnc").asBoolean(),
          CloudData.read(node.path("cloud")),
          node.required("created").asString());
    } catch (JacksonException | IllegalArgumentException e) {
      throw Problem.corrupt(
          Printable.text(file.toString())
              + " is damaged; slipway vm rm removes the machine: "
              + Printable.text(String.valueOf(e.getMessage()).lines().findFirst().orElse("")));
    }
  }

  /**
   * The command of virt-install that makes the same machine by libvirt, which writes to a disk of
   * its own where this one does.
   *
   * @param name of the machine
   * @return its words
   */
  public List<String> virtInstall(String name) throws IOException {
    List<String> words =
        new ArrayList<>(
            List.of("virt-install", "--name", name, "--memory", Integer.toString(memoryMiB)));
    words.addAll(List.of("--vcpus", Integer.toString(cpus == 0 ? 2 : cpus)));
    words.addAll(medium == null ? List.of("--import") : medium.virtInstall());
    words.addAll(List.of("--disk", virtInstallDisk()));
    words.addAll(List.of("--os-variant", "linux2022", "--network", "user"));
    if (firmware == Firmware.UEFI) {
      words.addAll(List.of("--boot", "uefi"));
    }
    if (tpm) {
      words.addAll(
          List.of(
              "--tpm",
              "backend.type=emulator,backend.version=2.0,model="
                  + architecture.tpm().replace("-device", "")));
    }
    words.addAll(List.of("--graphics", vnc ? "vnc" : "none"));
    boolean foreign = architecture != Architecture.host();
    if (foreign) {
      words.addAll(List.of("--arch", architecture.kernelName()));
    }
    if (foreign || accelerator == Accelerator.TCG) {
      words.addAll(List.of("--virt-type", "qemu"));
    }
    return words;
  }

  private String virtInstallDisk() throws IOException {
    if (ownDisk > 0) {
      return "size=" + gibibytes(ownDisk);
    }
    String path = disk.toString().replace(",", ",,");
    int sector = SectorSize.of(disk, format);
    String sectors =
        sector == SectorSize.USUAL
            ? ""
            : ",blockio.logical_block_size=%1$d,blockio.physical_block_size=%1$d".formatted(sector);
    return overlay
        ? "size=%d,backing_store=%s,backing_format=%s%s"
            .formatted(gibibytes(format.size(disk)), path, format.label(), sectors)
        : path + ",format=" + format.label() + sectors;
  }

  private static long gibibytes(long bytes) {
    return Math.ceilDiv(bytes, 1L << 30);
  }

  /** Of a machine that was made when there was no other, this computer's. */
  private static Architecture architecture(JsonNode node) {
    return node.isMissingNode() ? Architecture.host() : constant(Architecture.class, node);
  }

  private static String label(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }

  private static <E extends Enum<E>> E constant(Class<E> type, JsonNode node) {
    return Enum.valueOf(type, node.asString().toUpperCase(Locale.ROOT));
  }
}
