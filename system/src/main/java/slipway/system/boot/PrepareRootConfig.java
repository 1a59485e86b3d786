package slipway.system.boot;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import slipway.base.KeyFile;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.RootedFile;
import slipway.system.files.ImageFiles;

/**
 * What the initramfs is to do with a deployment: {@code ostree/prepare-root.conf}
 * (ostree-prepare-root(1)).
 *
 * @param readonlySysroot whether {@code /sysroot} is mounted read-only
 * @param transientEtc whether {@code /etc} is thrown away at reboot
 * @param transientRoot whether a writable overlay that lasts until reboot covers the root
 */
public record PrepareRootConfig(
    Composefs composefs, boolean readonlySysroot, boolean transientEtc, boolean transientRoot) {
  /** How a deployment's root is mounted from its composefs image. */
  public enum Composefs {
    NO,
    /** When an image is there. */
    MAYBE,
    YES,
    /** With fs-verity on every file. */
    VERITY,
    /** And the image's digest signed. */
    SIGNED;

    /** Whether a deployment needs an image. */
    public boolean wanted() {
      return this != NO;
    }

    /** Whether the image names the fs-verity digest of every file. */
    public boolean checked() {
      return this == VERITY || this == SIGNED;
    }
  }

  /** Where the file stands in a deployment; the first that exists is the whole configuration. */
  private static final List<String> PATHS =
      List.of(
          "etc/ostree/prepare-root.conf",
          "usr/etc/ostree/prepare-root.conf",
          "usr/lib/ostree/prepare-root.conf");

  /**
   * Reads the configuration of a deployment, with links as the machine will see them; defaults when
   * it has none.
   */
  public static PrepareRootConfig read(Path deployment) throws IOException {
    for (String path : PATHS) {
      Optional<byte[]> text =
          RootedFile.read(
              OsPath.of(deployment),
              OsPath.of(path),
              RootedFile.Links.IN_ROOT,
              "the image's /" + path);
      if (text.isPresent()) {
        return parse(new String(text.get(), StandardCharsets.UTF_8), "/" + path);
      }
    }
    return parse("", "prepare-root.conf");
  }

  /** As {@link #read(Path)}, of an image of which no deployment is made yet. */
  public static PrepareRootConfig read(ImageFiles files) throws IOException {
    for (String path : PATHS) {
      Optional<String> text = files.text(path);
      if (text.isPresent()) {
        return parse(text.get(), "/" + path);
      }
    }
    return parse("", "prepare-root.conf");
  }

  /**
   * Parses the file.
   *
   * @throws Problem of kind INPUT that names the wrong key
   */
  public static PrepareRootConfig parse(String text, String name) {
    KeyFile file = KeyFile.parse(text, name);
    Composefs composefs = composefs(file.get("composefs", "enabled").orElse("no"), name);
    boolean transientRoot =
        file.getBoolean("root", "transient", false)
            || file.getBoolean("root", "transient-ro", false);
    return new PrepareRootConfig(
        composefs,
        file.getBoolean("sysroot", "readonly", composefs.wanted()),
        file.getBoolean("etc", "transient", false),
        transientRoot);
  }

  /**
   * Requires that a machine would start from a deployment that is made here. No file here has
   * fs-verity enabled, and an initramfs that demands it mounts no root.
   *
   * @throws Problem of kind INPUT
   */
  public void requireStartable() {
    if (composefs.checked()) {
      throw Problem.input(
          "the image's prepare-root.conf has [composefs] enabled="
              + composefs.name().toLowerCase(Locale.ROOT)
              + ", which demands fs-verity of every file, and Slipway enables none: no machine would"
              + " start; make it enabled=yes and build the image's initramfs anew");
    }
  }

  private static Composefs composefs(String value, String name) {
    return switch (value.toLowerCase(Locale.ROOT)) {
      case "no", "false", "0" -> Composefs.NO;
      case "yes", "true", "1" -> Composefs.YES;
      case "maybe" -> Composefs.MAYBE;
      case "verity" -> Composefs.VERITY;
      case "signed" -> Composefs.SIGNED;
      default ->
          throw Problem.input(
              name
                  + ": [composefs] enabled="
                  + value
                  + " is not known; use no, yes, maybe, verity or signed");
    };
  }
}
