package slipway.sysroot;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import slipway.sysroot.state.Deployment;
import slipway.sysroot.write.EtcMerge;

/**
 * A change of a sysroot, worked out and not yet made: what is checked out, in which order the boot
 * menu will be, what goes away, what {@code /boot} has to hold. {@link #describe()} tells a person,
 * {@link Sysroot#execute} does it.
 *
 * @param basis tells the state of the sysroot that the plan was made for
 * @param created the deployment that is made, or null
 * @param spec what it is made from, or null
 * @param stage whether the boot menu stays as it is until the shutdown
 * @param lock whether even the shutdown leaves it, until it is unlocked
 * @param stays whether a deployment that is staged already stays staged
 * @param order the deployments of the boot menu afterwards, default first
 * @param removed deployments that go away
 * @param bootBytes what is to be written to {@code /boot}
 * @param firstStep what must be in the boot menu alone before there is room in {@code /boot} for
 *     the rest; null when there is room for all
 * @param etcChanges local changes of {@code /etc} that are carried over
 */
record Plan(
    String basis,
    @Nullable Deployment created,
    @Nullable DeploySpec spec,
    boolean stage,
    boolean lock,
    boolean stays,
    List<Deployment> order,
    List<Deployment> removed,
    long bootBytes,
    @Nullable List<Deployment> firstStep,
    List<EtcMerge.Change> etcChanges) {
  public Plan {
    order = List.copyOf(order);
    removed = List.copyOf(removed);
    firstStep = firstStep == null ? null : List.copyOf(firstStep);
    etcChanges = List.copyOf(etcChanges);
  }

  /** One sentence a line, in the order of events. */
  public List<String> describe() {
    List<String> lines = new ArrayList<>();
    if (created != null) {
      lines.add("check out commit " + created.checksum() + " as " + created.directory());
      if (spec != null && spec.merge() != null) {
        lines.add(
            "carry "
                + etcChanges.size()
                + " local changes of /etc over from "
                + spec.merge().directory()
                + (stage ? " (at shutdown)" : ""));
      }
      lines.add("kernel arguments: " + created.kargs());
    }
    if (firstStep != null) {
      lines.add("first take old kernels out of /boot, which has no room for both");
    }
    if (bootBytes > 0) {
      lines.add(
          "write a kernel and initramfs of "
              + (bootBytes + 1024 * 1024 - 1) / (1024 * 1024)
              + " MiB to /boot"
              + (stage ? " (at shutdown)" : ""));
    }
    for (int i = 0; i < order.size(); i++) {
      lines.add("boot menu " + (i + 1) + ": " + order.get(i));
    }
    for (Deployment gone : removed) {
      lines.add("remove " + gone.directory());
    }
    return lines;
  }
}
