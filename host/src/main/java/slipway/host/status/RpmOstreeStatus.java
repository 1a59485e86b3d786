package slipway.host.status;

import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.sysroot.state.ContainerReference;

/**
 * The status as {@code rpm-ostree status} tells it, for scripts and people who know that. What a
 * machine cannot have here, such as packages layered on it, is empty.
 */
public final class RpmOstreeStatus {
  /** Values begin in one column, whatever their labels are. */
  private static final int LABELS = 25;

  private final HostStatus status;

  private RpmOstreeStatus(HostStatus status) {
    this.status = status;
    if (status.booted() == null) {
      throw Problem.environment("System is not deployed via bootc.");
    }
  }

  /**
   * For people.
   *
   * @param unicode whether the terminal shows more than ASCII
   * @throws Problem of kind ENVIRONMENT where nothing is deployed
   */
  public static String text(HostStatus status, boolean verbose, boolean unicode) {
    RpmOstreeStatus shown = new RpmOstreeStatus(status);
    StringBuilder out = new StringBuilder("State: idle\nDeployments:\n");
    String separator = "";
    for (HostStatus.Entry entry : shown.entries()) {
      out.append(separator);
      shown.entry(out, entry, verbose, unicode ? "● " : "* ");
      separator = "\n";
    }
    return out.toString();
  }

  /**
   * For programs.
   *
   * @throws Problem of kind ENVIRONMENT where nothing is deployed
   */
  public static String json(HostStatus status) {
    RpmOstreeStatus shown = new RpmOstreeStatus(status);
    Map<String, @Nullable Object> document = new TreeMap<>();
    document.put("deployments", shown.entries().stream().map(shown::document).toList());
    document.put("transaction", null);
    document.put("cached-update", null);
    return StatusDocument.json(document);
  }

  /** In the order in which the boot menu tries them. */
  private List<HostStatus.Entry> entries() {
    List<HostStatus.Entry> entries = new ArrayList<>();
    HostStatus.Entry rollback = status.rollback();
    for (HostStatus.Entry entry :
        new HostStatus.@Nullable Entry[] {
          status.staged(), status.rollbackQueued() ? rollback : null, status.booted()
        }) {
      if (entry != null) {
        entries.add(entry);
      }
    }
    if (rollback != null && !status.rollbackQueued()) {
      entries.add(rollback);
    }
    entries.addAll(status.others());
    return entries;
  }

  private void entry(StringBuilder out, HostStatus.Entry entry, boolean verbose, String bullet) {
    boolean booted = entry == status.booted();
    HostStatus.Image image = entry.image();
    out.append(booted ? bullet : "  ")
        .append(Printable.text(image == null ? entry.checksum() : reference(image.name())))
        .append('\n');
    if (image != null) {
      row(out, "Digest", image.digest());
      String time = image.shortTimestamp();
      if (image.version() != null) {
        row(out, "Version", image.version() + (time == null ? "" : " (" + time + ")"));
      } else if (time != null) {
        row(out, "Timestamp", time);
      }
    }
    if (verbose || image == null) {
      row(out, "Commit", entry.checksum());
    }
    if (verbose) {
      row(out, "Staged", entry == status.staged() ? "yes" : "no");
      row(out, "StateRoot", entry.stateroot());
    }
    if (booted && status.usrOverlay() != null) {
      row(out, "Unlocked", unlocked(entry));
    }
    if (entry.pinned()) {
      row(out, "Pinned", "yes");
    }
  }

  private static void row(StringBuilder out, String label, String value) {
    out.append(" ".repeat(LABELS - label.length()))
        .append(label)
        .append(": ")
        .append(Printable.text(value))
        .append('\n');
  }

  /** As an origin file has it. */
  private static String reference(HostStatus.ImageName name) {
    String remote = "ostreeRemote:";
    String signature = name.signature();
    ContainerReference.Signature kind =
        signature == null || signature.equals("insecure")
            ? ContainerReference.Signature.UNVERIFIED
            : signature.startsWith(remote)
                ? ContainerReference.Signature.OSTREE_REMOTE
                : ContainerReference.Signature.CONTAINER_POLICY;
    return new ContainerReference(
            kind,
            kind == ContainerReference.Signature.OSTREE_REMOTE
                ? String.valueOf(signature).substring(remote.length())
                : "",
            name.transport(),
            name.image())
        .toString();
  }

  private String unlocked(HostStatus.Entry entry) {
    HostStatus.UsrOverlay overlay = status.usrOverlay();
    if (entry != status.booted() || overlay == null) {
      return "none";
    }
    return overlay.persistent() ? "hotfix" : overlay.writable() ? "development" : "transient";
  }

  private Map<String, @Nullable Object> document(HostStatus.Entry entry) {
    Map<String, @Nullable Object> map = new TreeMap<>();
    map.put("id", entry.stateroot() + "-" + entry.checksum() + "." + entry.serial());
    map.put("osname", entry.stateroot());
    map.put("checksum", entry.checksum());
    map.put("serial", entry.serial());
    map.put("booted", entry == status.booted());
    map.put("staged", entry == status.staged());
    map.put("pinned", entry.pinned());
    map.put("unlocked", unlocked(entry));
    map.put("regenerate-initramfs", false);
    map.put("base-commit-meta", Map.of());
    for (String list :
        List.of(
            "packages",
            "requested-packages",
            "requested-local-packages",
            "requested-local-fileoverride-packages",
            "modules",
            "requested-modules",
            "base-removals",
            "requested-base-removals",
            "base-local-replacements",
            "base-remote-replacements",
            "requested-base-local-replacements",
            "initramfs-args",
            "initramfs-etc")) {
      map.put(list, List.of());
    }
    HostStatus.Image image = entry.image();
    if (image != null) {
      map.put("container-image-reference", reference(image.name()));
      map.put("container-image-reference-digest", image.digest());
      if (image.version() != null) {
        map.put("version", image.version());
      }
      seconds(image.timestamp()).ifPresent(s -> map.put("timestamp", s));
    }
    return map;
  }

  private static Optional<Long> seconds(@Nullable String time) {
    try {
      return Optional.ofNullable(time).map(t -> OffsetDateTime.parse(t).toEpochSecond());
    } catch (DateTimeParseException e) {
      return Optional.empty();
    }
  }
}
