package slipway.host.status;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The state of a machine in the BootcHost document, version 1 (bootc, {@code host-v1.schema.json}):
 * which image it runs, which it will run, which it can go back to.
 *
 * @param image what updates follow: the staged image's name, else the booted one's, else null
 * @param rollbackQueued whether the next boot starts the rollback entry
 * @param usrOverlay an overlay over {@code /usr}, or null
 * @param readOnly whether the disk cannot be written to, as on a live medium
 * @param notes what bootc's document has no place for
 */
public record HostStatus(
    @Nullable ImageName image,
    @Nullable Entry staged,
    @Nullable Entry booted,
    @Nullable Entry rollback,
    List<Entry> others,
    boolean rollbackQueued,
    @Nullable UsrOverlay usrOverlay,
    boolean readOnly,
    Notes notes) {
  public HostStatus {
    others = List.copyOf(others);
  }

  /** Of a system that is not deployed from an image. */
  public static HostStatus none() {
    return new HostStatus(null, null, null, null, List.of(), false, null, false, Notes.NONE);
  }

  /** With the booted entry only. */
  public HostStatus onlyBooted() {
    return new HostStatus(
        image, null, booted, null, List.of(), rollbackQueued, usrOverlay, readOnly, notes);
  }

  /** What bootc's document has no place for, as annotations of it. */
  Map<String, String> annotations() {
    Map<String, String> found = notes.annotations();
    if (booted != null) {
      Notes.put(found, "slipway.bound-images", booted.bound());
    }
    if (staged != null) {
      Notes.put(found, "slipway.bound-images.staged", staged.bound());
    }
    return found;
  }

  /**
   * What of a machine's state is told besides.
   *
   * @param arguments how the kernel arguments of the staged entry differ from those that run, each
   *     with a plus or a minus in front
   * @param etcConflicts paths of /etc that keep the staged entry from becoming the next boot's
   * @param held digests of images that were rolled back from and that no update brings by itself
   * @param trial how many tries the booted entry has left to show that it is healthy, in words;
   *     none when it need not
   * @param rolledBack what the machine went back from by itself, when and why, in words; or none
   * @param failure why the last shutdown did not apply what was staged, in words; or none
   * @param damage what is wrong with the origin files and commits of deployments, in words
   */
  public record Notes(
      List<String> arguments,
      List<String> etcConflicts,
      List<String> held,
      List<String> trial,
      List<String> rolledBack,
      List<String> failure,
      List<String> damage) {
    static final Notes NONE =
        new Notes(List.of(), List.of(), List.of(), List.of(), List.of(), List.of(), List.of());

    public Notes {
      arguments = List.copyOf(arguments);
      etcConflicts = List.copyOf(etcConflicts);
      held = List.copyOf(held);
      trial = List.copyOf(trial);
      rolledBack = List.copyOf(rolledBack);
      failure = List.copyOf(failure);
      damage = List.copyOf(damage);
    }

    /** As annotations of the document. */
    private Map<String, String> annotations() {
      Map<String, String> found = new TreeMap<>();
      put(found, "slipway.kernel-arguments", arguments);
      put(found, "slipway.etc-conflicts", etcConflicts);
      put(found, "slipway.held", held);
      put(found, "slipway.trial", trial);
      put(found, "slipway.rolled-back", rolledBack);
      put(found, "slipway.finalization-failure", failure);
      put(found, "slipway.damage", damage);
      return found;
    }

    static void put(Map<String, String> found, String key, List<String> values) {
      if (!values.isEmpty()) {
        found.put(key, String.join(" ", values));
      }
    }
  }

  /**
   * An image by name.
   *
   * @param transport {@code registry}, {@code oci}, …
   * @param signature {@code containerPolicy}, {@code ostreeRemote:NAME}, or null when nothing is
   *     verified beyond digests
   */
  public record ImageName(String image, String transport, @Nullable String signature) {
    /** For people: the transport only when it is not a registry. */
    public String display() {
      return transport.equals("registry") ? image : transport + ":" + image;
    }
  }

  /**
   * An image as it was fetched.
   *
   * @param version from its labels, or null
   * @param timestamp when it was built, RFC 3339, or null
   * @param digest of its manifest
   * @param architecture in OCI's names
   */
  public record Image(
      ImageName name,
      @Nullable String version,
      @Nullable String timestamp,
      String digest,
      String architecture) {
    /** The time without a fraction of a second. */
    @Nullable String shortTimestamp() {
      if (timestamp == null) {
        return null;
      }
      int dot = timestamp.indexOf('.');
      if (dot < 0) {
        return timestamp;
      }
      int end = dot + 1;
      while (end < timestamp.length() && Character.isDigit(timestamp.charAt(end))) {
        end++;
      }
      return timestamp.substring(0, dot) + timestamp.substring(end);
    }
  }

  /**
   * An entry of the boot menu, or the staged one.
   *
   * @param image null when it was not deployed from an image
   * @param update a newer image that {@code upgrade --check} saw, or null
   * @param incompatible whether rpm-ostree changed it locally
   * @param softReboot whether the running kernel could start it
   * @param downloadOnly whether it is staged but the shutdown leaves it alone
   * @param index its place among all, as verbs that take a deployment count
   * @param bound names of the images of applications that belong to it
   * @param from where its image was taken from when that is not {@code image}'s name, or null
   */
  public record Entry(
      @Nullable Image image,
      @Nullable Image update,
      boolean incompatible,
      boolean pinned,
      boolean softReboot,
      boolean downloadOnly,
      String stateroot,
      String checksum,
      int serial,
      int index,
      List<String> bound,
      @Nullable ImageName from) {
    public Entry {
      bound = List.copyOf(bound);
    }
  }

  /** What covers {@code /usr}. */
  public record UsrOverlay(boolean writable, boolean persistent) {
    @Override
    public String toString() {
      return (persistent ? "persistent" : "transient")
          + ", "
          + (writable ? "read/write" : "read-only");
    }
  }
}
