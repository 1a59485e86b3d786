package slipway.disk.format;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.UUID;
import slipway.archive.tar.Metadata;
import slipway.archive.tar.TarHeaderWriter;
import slipway.linux.posix.OsPath;
import slipway.oci.model.Digest;

/**
 * An appliance for VMware and VirtualBox: a tar with the machine's description, the digests and the
 * disk as {@link StreamVmdk}, in that order. Beside the result lies the disk while it is written.
 *
 * @param name of the files in it and of the machine, letters, digits and dashes
 * @param contentId of the disk
 * @param machine its id for VirtualBox
 */
public record Ova(String name, int contentId, UUID machine) implements ImageFormat {
  @Override
  public void write(Path raw, Path result) throws IOException {
    Path disk = result.resolveSibling(name + ".vmdk");
    try {
      new StreamVmdk(contentId).write(raw, disk);
      pack(disk, Files.size(raw), result);
    } finally {
      Files.deleteIfExists(disk);
    }
  }

  /**
   * Writes the appliance around a disk that is compressed already.
   *
   * @param disk a {@link StreamVmdk}
   * @param capacity bytes of the disk in it
   */
  public void pack(Path disk, long capacity, Path result) throws IOException {
    String description = description(Files.size(disk), capacity);
    String digests =
        digest(name + ".ovf", Digest.sha256(description.getBytes(UTF_8)).hex())
            + digest(name + ".vmdk", FileDigest.sha256(disk));
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(result), 1 << 20)) {
      TarHeaderWriter tar = new TarHeaderWriter(out);
      text(tar, out, name + ".ovf", description);
      text(tar, out, name + ".mf", digests);
      header(tar, name + ".vmdk", Files.size(disk));
      Files.copy(disk, out);
      tar.pad(Files.size(disk));
      tar.end();
    }
  }

  private static String digest(String file, String hex) {
    return "SHA256(" + file + ")= " + hex + "\n";
  }

  private static void text(TarHeaderWriter tar, OutputStream out, String file, String text)
      throws IOException {
    byte[] bytes = text.getBytes(UTF_8);
    header(tar, file, bytes.length);
    out.write(bytes);
    tar.pad(bytes.length);
  }

  private static void header(TarHeaderWriter tar, String file, long size) throws IOException {
    tar.write(OsPath.of(file), '0', Metadata.file(0644), size, OsPath.of(""), 0);
  }

  private String description(long size, long capacity) throws IOException {
    String text = template();
    Map<String, Object> values =
        Map.of("NAME", name, "SIZE", size, "CAPACITY", capacity, "MACHINE", machine);
    for (Map.Entry<String, Object> each : values.entrySet()) {
      text = text.replace("%" + each.getKey() + "%", each.getValue().toString());
    }
    return text;
  }

  private static String template() throws IOException {
    try (InputStream in = Ova.class.getResourceAsStream("machine.ovf")) {
      if (in == null) {
        throw new FileNotFoundException("machine.ovf is missing; install Slipway again");
      }
      return new String(in.readAllBytes(), UTF_8);
    }
  }
}
