package slipway.host.kickstart;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import slipway.base.FileReason;
import slipway.base.Limit;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.host.system.HostEnvironment;
import slipway.linux.mount.Mount;
import slipway.linux.mount.MountNamespace;
import slipway.linux.mount.Mounts;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.RootedFile;
import slipway.linux.process.Command;

/**
 * Where a kickstart file is, by the words of the kernel argument {@code inst.ks=}
 * (anaconda-boot-options): an address, a file of the live system, one of the medium or of another
 * drive.
 *
 * @param medium where the medium is mounted
 * @param drive the medium's name in /dev
 */
record KickstartLocation(HostEnvironment host, Path medium, String drive) {
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  /** What it is called when no name is given. */
  private static final String USUAL = "/ks.cfg";

  /**
   * Its bytes.
   *
   * @throws Problem that says where nothing was found
   */
  byte[] read(String where) throws IOException {
    String shown = "inst.ks=" + Printable.text(where);
    if (where.startsWith("http://") || where.startsWith("https://")) {
      host.system().online();
      return fetch(where, shown);
    }
    if (where.isEmpty() || where.equals("cdrom")) {
      return file(medium, USUAL, shown);
    }
    if (where.startsWith("cdrom:")) {
      return file(medium, pathOf(where.substring("cdrom:".length())), shown);
    }
    if (where.startsWith("file:") || where.startsWith("/")) {
      String path = where.replaceFirst("^file:(//)?", "");
      return file(host.root(), path, shown);
    }
    if (where.startsWith("hd:")) {
      String[] parts = where.substring("hd:".length()).split(":", -1);
      return ofDrive(parts[0], parts.length < 2 ? USUAL : parts[parts.length - 1], shown);
    }
    throw Problem.input(
        shown + " begins with none of http://, https://, file:, cdrom: and hd:DRIVE:");
  }

  private static String pathOf(String path) {
    return path.isEmpty() ? USUAL : path;
  }

  private static byte[] file(Path root, String path, String shown) throws IOException {
    return RootedFile.read(OsPath.of(root), OsPath.of(path), RootedFile.Links.IN_ROOT, shown)
        .orElseThrow(() -> Problem.notFound(shown + ": there is no such file"));
  }

  private byte[] ofDrive(String name, String path, String shown) throws IOException {
    Path device = device(name, shown);
    if (isOfMedium(String.valueOf(device.getFileName()))) {
      return file(medium, pathOf(path), shown);
    }
    Path at = Files.createDirectories(host.run().resolve("slipway-kickstart/drive"));
    String type = Command.of("blkid", "-o", "value", "-s", "TYPE").with(device.toString()).output();
    return MountNamespace.call(
        "kickstart",
        () -> {
          long flags = Mounts.MS_RDONLY | Mounts.MS_NODEV | Mounts.MS_NOSUID | Mounts.MS_NOEXEC;
          try (Mount mounted = Mount.of(device.toString(), at, type, flags, null)) {
            return file(mounted.target(), pathOf(path), shown);
          }
        });
  }

  /**
   * Whether it is the medium or a partition of it. On a stick the label of an ISO may be found at
   * the partition that the ISO has in its own table, which the kernel does not mount beside the
   * whole.
   */
  private boolean isOfMedium(String name) {
    return name.equals(drive)
        || Files.exists(host.root().resolve("sys/block").resolve(drive).resolve(name));
  }

  /** LABEL=, UUID= or a name in /dev, as the kernel calls it. */
  private Path device(String name, String shown) throws IOException {
    String link =
        name.startsWith("LABEL=")
            ? "disk/by-label/" + escaped(name.substring("LABEL=".length()))
            : name.startsWith("UUID=")
                ? "disk/by-uuid/" + name.substring("UUID=".length())
                : name.replaceFirst("^/dev/", "");
    Path path = host.root().resolve("dev").resolve(link);
    if (link.contains("..") || !Files.exists(path)) {
      throw Problem.notFound(shown + ": there is no drive " + Printable.text(name));
    }
    return path.toRealPath();
  }

  /** As udev writes labels (udev_util_encode_string). */
  private static String escaped(String label) {
    return label.replace("/", "\\x2f").replace(" ", "\\x20");
  }

  static byte[] fetch(String where, String shown) throws IOException {
    URI address;
    try {
      address = URI.create(where);
    } catch (IllegalArgumentException e) {
      throw new Problem(Problem.Kind.INPUT, shown + " is no address", e);
    }
    try (HttpClient client =
        HttpClient.newBuilder()
            .connectTimeout(PATIENCE)
            .followRedirects(HttpClient.Redirect.NORMAL)
            .build()) {
      HttpResponse<InputStream> response =
          client.send(
              HttpRequest.newBuilder(address).timeout(PATIENCE).build(),
              HttpResponse.BodyHandlers.ofInputStream());
      try (InputStream in = response.body()) {
        if (response.statusCode() != 200) {
          throw Problem.notFound(shown + ": the server answers " + response.statusCode());
        }
        return Limit.SMALL_FILE_BYTES.read(in, shown);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Problem(Problem.Kind.ENVIRONMENT, shown + ": interrupted", e);
    } catch (IOException e) {
      throw new Problem(
          Problem.Kind.ENVIRONMENT, shown + " cannot be fetched: " + FileReason.of(e), e);
    } catch (IllegalArgumentException e) {
      throw new Problem(Problem.Kind.INPUT, shown + " is no address", e);
    }
  }
}
