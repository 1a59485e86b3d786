package slipway.distro;

import java.net.URI;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;
import slipway.oci.store.LocalStore;

/**
 * What a base image is made of.
 *
 * @param suite of Debian, such as {@code trixie}
 * @param platform that the image is for
 * @param tag the image's name in the store
 * @param mirror of Debian's main archive; null takes the one that this machine's apt uses
 * @param kernel the package that brings the kernel, see {@link #CLOUD_KERNEL}
 * @param packages more packages, by name
 * @param writableOpt whether /opt and /usr/local are links into /var, where a machine may write and
 *     no upgrade changes anything; else they are folders of the image
 * @param product the folder of the product's jars, from which the host agent is put together; null
 *     makes an image without an agent, and is all that there is for another platform than this
 *     machine's
 * @param store where the image goes
 * @param state folder for downloads that later builds use again, and for work in progress; needs
 *     some 2 GB
 * @param created the image's time of creation (SOURCE_DATE_EPOCH); null takes that of the newest
 *     file in any package, so that the same packages give the same image
 */
public record BaseRequest(
    String suite,
    Platform platform,
    Reference tag,
    @Nullable URI mirror,
    String kernel,
    List<String> packages,
    boolean writableOpt,
    @Nullable Path product,
    LocalStore store,
    Path state,
    @Nullable Instant created) {
  /** Debian's kernel for virtual machines: small, without drivers for real hardware. */
  public static final String CLOUD_KERNEL = "linux-image-cloud-amd64";

  /** Debian's kernel for any machine. */
  public static final String GENERIC_KERNEL = "linux-image-amd64";

  private static final Pattern SUITE = Pattern.compile("[a-z][a-z0-9-]*");
  // Debian policy 5.6.1, with an architecture and a version that apt-get also takes.
  private static final Pattern PACKAGE =
      Pattern.compile("[a-z0-9][a-z0-9+.-]+(:[a-z0-9]+)?(=[A-Za-z0-9.+:~-]+)?");

  public BaseRequest {
    if (!SUITE.matcher(suite).matches()) {
      throw Problem.usage(
          "\"" + suite + "\" is not the name of a Debian suite; expected one such as trixie");
    }
    if (product != null && !Platform.host().accepts(platform)) {
      throw Problem.usage(
          "the host agent's Java runtime is that of this computer and runs on "
              + Platform.host().architecture()
              + " alone: add --no-agent, or build the image on a computer of "
              + platform.architecture());
    }
    packages = List.copyOf(packages);
    checkPackage(kernel);
    packages.forEach(BaseRequest::checkPackage);
  }

  private static void checkPackage(String name) {
    if (!PACKAGE.matcher(name).matches()) {
      throw Problem.usage("\"" + name + "\" is not the name of a Debian package");
    }
  }
}
