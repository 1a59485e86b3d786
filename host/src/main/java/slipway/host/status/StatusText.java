package slipway.host.status;

import java.util.List;
import org.jspecify.annotations.Nullable;
import slipway.base.Printable;

/** The status for people. */
public final class StatusText {
  private final StringBuilder out = new StringBuilder();
  private final HostStatus status;
  private final boolean verbose;
  private final String bullet;
  private int width;

  private StatusText(HostStatus status, boolean verbose, boolean unicode) {
    this.status = status;
    this.verbose = verbose;
    this.bullet = unicode ? "●" : "*";
  }

  /**
   * Renders.
   *
   * @param unicode whether the terminal shows more than ASCII
   */
  public static String render(HostStatus status, boolean verbose, boolean unicode) {
    if (status.booted() == null) {
      return "System is not deployed via bootc.\n";
    }
    StatusText text = new StatusText(status, verbose, unicode);
    text.entry("  Staged", status.staged());
    text.entry(text.bullet + " Booted", status.booted());
    text.entry("  Rollback", status.rollback());
    status.others().forEach(other -> text.entry("   Other", other));
    return text.out.toString();
  }

  private void entry(String head, HostStatus.@Nullable Entry entry) {
    if (entry == null) {
      return;
    }
    if (!out.isEmpty()) {
      out.append('\n');
    }
    HostStatus.Image image = entry.image();
    if (image == null) {
      ostree(head, entry);
    } else {
      image(head, entry, image);
    }
    if (entry == status.booted() && status.usrOverlay() != null) {
      row("/usr overlay", status.usrOverlay().toString());
    }
    notes(entry);
    if (verbose) {
      verbose(entry, image);
    }
  }

  private void notes(HostStatus.Entry entry) {
    if (entry != status.booted() && entry.index() == nextBoot()) {
      row("Next boot", "yes");
    }
    if (!verbose && isOfAnotherState(entry)) {
      row("StateRoot", entry.stateroot() + ", with /etc and /var of its own");
    }
    if (entry == status.staged()) {
      rowOf("Kernel args", status.notes().arguments());
      rowOf("/etc conflict", status.notes().etcConflicts());
    }
    if (entry == status.booted()) {
      rowOf("On trial", status.notes().trial());
      rowOf("Rolled back", status.notes().rolledBack());
      rowOf("Held back", status.notes().held());
      rowOf("Not applied", status.notes().failure());
      rowOf("Damaged", status.notes().damage());
    }
  }

  /** The index of what boots next by the menu; that what is staged boots next needs no word. */
  private int nextBoot() {
    HostStatus.Entry staged = status.staged();
    return staged == null ? 0 : staged.downloadOnly() ? 1 : -1;
  }

  /** Such as what a reset stages: what runs would not see its own files there. */
  private boolean isOfAnotherState(HostStatus.Entry entry) {
    HostStatus.Entry booted = status.booted();
    return booted != null && !entry.stateroot().equals(booted.stateroot());
  }

  private void rowOf(String label, List<String> values) {
    if (!values.isEmpty()) {
      row(label, String.join(" ", values));
    }
  }

  private void image(String head, HostStatus.Entry entry, HostStatus.Image image) {
    String prefix = head + " image";
    width = prefix.length();
    out.append(prefix).append(": ").append(Printable.text(image.name().display())).append('\n');
    if (entry.from() != null) {
      row("Taken from", entry.from().display());
    }
    row("Digest", image.digest() + " (" + image.architecture() + ")");
    String time = image.shortTimestamp();
    if (image.version() != null) {
      row("Version", image.version() + (time == null ? "" : " (" + time + ")"));
    } else if (time != null) {
      row("Timestamp", time);
    }
    if (entry.pinned()) {
      row("Pinned", "yes");
    }
    HostStatus.Image update = entry.update();
    if (update != null && !update.digest().equals(image.digest())) {
      String updateTime = update.shortTimestamp();
      if (update.version() != null) {
        row(
            "UpdateVersion",
            update.version() + (updateTime == null ? "" : " (" + updateTime + ")"));
      } else {
        row("Update", "Available");
      }
      row("UpdateDigest", update.digest());
    }
  }

  private void ostree(String head, HostStatus.Entry entry) {
    String prefix = head.equals("   Other") ? " Other ostree" : head + " ostree";
    // The reference measures this prefix in bytes: the bullet counts three.
    width = prefix.length() + (prefix.startsWith("●") ? 2 : 0);
    out.append(prefix).append('\n');
    row("Commit", entry.checksum());
    if (entry.pinned()) {
      row("Pinned", "yes");
    }
  }

  private void verbose(HostStatus.Entry entry, HostStatus.@Nullable Image image) {
    row("StateRoot", entry.stateroot());
    row("Deploy serial", Integer.toString(entry.serial()));
    row("Index", Integer.toString(entry.index()));
    row("Staged", entry == status.staged() ? "yes" : "no");
    if (image != null) {
      row("Commit", entry.checksum());
      String signature = image.name().signature();
      if (signature != null) {
        row(
            "Signature",
            switch (signature) {
              case "containerPolicy" -> "container-policy";
              case "insecure" -> "insecure";
              default -> signature.replaceFirst("^ostreeRemote:", "ostree-remote:");
            });
      }
    }
    rowOf("Bound images", entry.bound());
    row("Soft-reboot", entry.softReboot() ? "yes" : "no");
    if (entry == status.staged()) {
      row("Download-only", entry.downloadOnly() ? "yes" : "no");
    }
  }

  private void row(String label, String value) {
    out.append(" ".repeat(Math.max(0, width - label.length())))
        .append(label)
        .append(": ")
        .append(Printable.text(value))
        .append('\n');
  }
}
