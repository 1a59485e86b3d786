package slipway.host.status;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import slipway.base.Problem;
import slipway.host.system.HostEnvironment;
import slipway.linux.posix.OsPath;
import slipway.ostree.container.ContainerImages;

/**
 * An image that a machine has or refers to.
 *
 * @param type whether it is the operating system's, in the repository, or bound to what runs
 */
public record KnownImage(String image, Type type) {
  /** Which images. */
  public enum Type {
    ALL,
    /** Those that are bound to the running system. */
    LOGICAL,
    /** Operating systems in the repository. */
    HOST;

    /** As documents name it. */
    public String word() {
      return name().toLowerCase(java.util.Locale.ROOT);
    }
  }

  /**
   * Lists them, first the machine's own.
   *
   * @throws Problem of kind ENVIRONMENT when the machine's own are asked for and there is none
   */
  public static List<KnownImage> list(HostEnvironment host, Type wanted) throws IOException {
    List<KnownImage> images = new ArrayList<>();
    boolean booted = host.runState().booted();
    if (wanted == Type.HOST && !booted) {
      throw Problem.environment("Listing host images requires a booted bootc system");
    }
    if (wanted != Type.LOGICAL && booted) {
      new ContainerImages(host.sysroot().repository())
          .list()
          .keySet()
          .forEach(name -> images.add(new KnownImage(name, Type.HOST)));
    }
    if (wanted != Type.HOST) {
      BoundImages.read(OsPath.of(host.root()))
          .forEach(name -> images.add(new KnownImage(name, Type.LOGICAL)));
    }
    return images;
  }

  /** A list of them as a document, as the reference writes it. */
  public static String json(List<KnownImage> images) {
    List<Map<String, String>> list = new ArrayList<>();
    for (KnownImage known : images) {
      Map<String, String> map = new TreeMap<>();
      map.put("image_type", known.type().word());
      map.put("image", known.image());
      list.add(map);
    }
    return StatusDocument.json(list);
  }
}
