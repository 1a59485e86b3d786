package slipway.host.install;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import slipway.base.Limit;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.RawText;
import slipway.disk.BootableImage;
import slipway.disk.DeviceInstall;
import slipway.disk.config.DiskConfig;
import slipway.disk.config.RootFileSystem;
import slipway.host.system.HostEnvironment;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.RootedFile;
import slipway.oci.copy.ImageSource;
import slipway.oci.copy.Transfer;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;
import slipway.oci.transport.TransportRef;
import slipway.sysroot.state.ContainerReference;

/** {@code bootc install}. */
public final class Installer {
  private final HostEnvironment host;

  public Installer(HostEnvironment host) {
    this.host = host;
  }

  /**
   * What to install.
   *
   * @param source where the image is read from, with its transport; null for the running
   *     container's
   * @param target what the machine follows; null for the image's own name
   * @param rootfs file system of the root; null for what the image says
   * @param stateroot name of the stateroot
   * @param added kernel arguments
   * @param deleted kernel arguments, or keys of them, that the image brings and the machine does
   *     not get
   * @param rootKeys a file of SSH keys that may log in as root; null for none
   */
  public record Options(
      @Nullable String source,
      @Nullable String target,
      @Nullable RootFileSystem rootfs,
      String stateroot,
      List<String> added,
      List<String> deleted,
      @Nullable Path rootKeys) {
    public Options {
      added = List.copyOf(added);
      deleted = List.copyOf(deleted);
    }
  }

  /** The disk that is installed to, as {@link DeviceInstall.Request} has it. */
  public record Disk(Path device, boolean file, boolean wipe, long rootSize) {}

  /** An image and the name that it is known by, if it has one. */
  private record Origin(ContainerReference place, Optional<String> name) {}

  /**
   * {@code bootc install to-disk}.
   *
   * @throws Problem of kind USAGE when nothing says which image is meant or what to follow
   */
  public void toDisk(Options options, Disk disk) throws IOException {
    Origin origin = origin(options.source());
    Reference target = target(options, origin);
    DiskConfig customizations = keys(options.rootKeys());
    try (ImageSource source = host.images().open(origin.place())) {
      Manifest.Image manifest = Transfer.resolve(source, null, Platform.host());
      DeviceInstall.run(
          new DeviceInstall.Request(
              new BootableImage(
                  source, manifest, ImageConfig.parse(Transfer.config(source, manifest)), target),
              disk.device(),
              disk.file(),
              disk.wipe(),
              options.rootfs(),
              disk.rootSize(),
              options.stateroot(),
              options.added(),
              options.deleted(),
              customizations),
          host.progress());
    }
    host.out().accept("Installation complete!");
  }

  private Origin origin(@Nullable String source) throws IOException {
    if (source != null) {
      return switch (TransportRef.parse(source)) {
        case TransportRef.Registry r ->
            new Origin(
                ContainerReference.registry(r.reference().toString()),
                Optional.of(r.reference().toString()));
        case TransportRef other -> {
          String text = other.toString();
          int colon = text.indexOf(':');
          yield new Origin(
              ContainerReference.unverified(text.substring(0, colon), text.substring(colon + 1)),
              Optional.empty());
        }
      };
    }
    return container();
  }

  /** The container that this runs in, as podman tells it (podman-run(1), /run/.containerenv). */
  private Origin container() throws IOException {
    Optional<byte[]> file =
        RootedFile.read(
            OsPath.of(host.run()),
            OsPath.of(".containerenv"),
            RootedFile.Links.BENEATH,
            "/run/.containerenv");
    String text = file.map(RawText::decode).orElse("");
    String id = value(text, "imageid");
    if (id.isEmpty()) {
      throw Problem.usage(
          "nothing says which image to install: this is no privileged container of podman; name the"
              + " image by --source-imgref, such as docker://HOST/NAME:TAG");
    }
    String name = value(text, "image");
    return new Origin(
        ContainerReference.unverified("containers-storage", "@" + id),
        name.isEmpty() || id.startsWith(name) ? Optional.empty() : Optional.of(name));
  }

  private static String value(String text, String key) {
    String start = key + "=";
    return text.lines()
        .filter(l -> l.startsWith(start))
        .map(l -> l.substring(start.length()).replace("\"", "").strip())
        .findFirst()
        .orElse("");
  }

  private static Reference target(Options options, Origin origin) {
    String name = options.target() == null ? origin.name().orElse(null) : options.target();
    if (name == null) {
      throw Problem.usage(
          "nothing says what the machine follows for its updates; name it by --target-imgref, such"
              + " as HOST/NAME:TAG");
    }
    try {
      return Reference.parse(name).orLatest();
    } catch (Problem e) {
      throw new Problem(Problem.Kind.USAGE, "--target-imgref: " + e.sentence(), e);
    }
  }

  /** Written at boot while the file is missing, as the reference does it (tmpfiles.d(5)). */
  private static DiskConfig keys(@Nullable Path file) throws IOException {
    if (file == null) {
      return DiskConfig.EMPTY;
    }
    if (!Files.isRegularFile(file)) {
      throw Problem.usage(
          "--root-ssh-authorized-keys: there is no file " + Printable.text(file.toString()));
    }
    byte[] keys;
    try (InputStream in = Files.newInputStream(file)) {
      keys = Limit.SMALL_FILE_BYTES.read(in, file.toString());
    }
    String line = "d /root/.ssh 700 root root -\nf~ /root/.ssh/authorized_keys 600 root root - ";
    return DiskConfig.EMPTY.withFile(
        new DiskConfig.CustomFile(
            "/etc/tmpfiles.d/bootc-root-ssh.conf",
            line + Base64.getEncoder().encodeToString(keys) + "\n",
            0644,
            "root",
            "root"));
  }
}
