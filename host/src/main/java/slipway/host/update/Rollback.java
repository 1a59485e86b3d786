package slipway.host.update;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import slipway.base.FileReason;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.host.status.DeploymentChoice;
import slipway.host.status.JournalEntry;
import slipway.host.system.HostEnvironment;
import slipway.oci.model.Digest;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.Deployment;

/** Puts another deployment of the machine first in the boot menu. */
final class Rollback {
  private final HostEnvironment host;
  private final HostVoice voice;
  private final NextBoot nextBoot;
  private final Sysroot sysroot;
  private final Deployment booted;

  Rollback(HostEnvironment host, HostVoice voice, NextBoot nextBoot, Sysroot sysroot) {
    this.host = host;
    this.voice = voice;
    this.nextBoot = nextBoot;
    this.sysroot = sysroot;
    this.booted = Host.requireBooted(sysroot);
  }

  Host.RolledBack run(Host.RollbackOptions options) throws IOException {
    NextBoot.Wish wish = new NextBoot.Wish(options.apply(), options.softReboot());
    nextBoot.refuseImpossible(wish);
    Deployment target = target(options);
    List<Deployment> menu = sysroot.deployments();
    boolean reverting =
        target.booted() || (options.to() == null && menu.indexOf(target) < menu.indexOf(booted));
    if (reverting) {
      voice.say("notice: Reverting queued rollback state");
    }
    Optional<Digest> digest = DeployedImage.digestOf(sysroot, target);
    Optional<Digest> running = DeployedImage.digestOf(sysroot, booted);
    if (!DeployedImage.isImage(target) && options.to() == null) {
      throw Problem.input("Rollback is not container image based");
    }
    String name = digest.map(Digest::toString).orElse(target.checksum().hex());
    if (!reverting) {
      nextBoot.refuse(wish, target, booted);
    }
    JournalEntry entry = entry(target, name, reverting);
    Optional<Deployment> staged = sysroot.staged();
    String waiting = staged.isPresent() ? DeployedImage.describe(sysroot, staged.get()) : "";
    List<Digest> left = left(target, staged);
    Optional<List<String>> held = hold(reverting || options.noHold() ? List.of() : left, reverting);
    try {
      reorder(target, reverting, options.keepStaged());
    } catch (IOException | RuntimeException e) {
      held.ifPresent(digests -> holdAgain(digests, e));
      throw e;
    }
    entry.send(host.system());
    if (staged.isPresent()) {
      voice.say(
          options.keepStaged()
              ? "notice: The staged deployment is an entry of the boot menu now: " + waiting
              : "notice: Dropped the staged deployment of " + waiting);
    }
    voice.say(reverting ? "Next boot: current deployment" : told(target, options, name));
    if (!reverting) {
      tellUnknown(booted);
      tellHold(left, options.noHold());
    }
    voice.tellReboot(sysroot);
    voice.touch();
    // Back to what runs there is nothing to prepare.
    nextBoot.come(reverting ? new NextBoot.Wish(options.apply(), null) : wish, sysroot, target);
    Deployment next = reverting ? booted : target;
    return new Host.RolledBack(
        next.stateroot(),
        next.checksum().hex(),
        next.serial(),
        (reverting ? running : digest).map(Digest::toString).orElse(null),
        reverting,
        staged.isPresent() && !options.keepStaged(),
        reverting || options.noHold() || held.isEmpty()
            ? List.of()
            : left.stream().map(Digest::toString).toList());
  }

  /**
   * Goes back because a new deployment did not prove well, whichever of the two runs: the good one
   * leads the menu, the bad one stays behind it and its image is held back. What is staged is
   * dropped.
   *
   * @param reason why, without a full stop
   */
  void automatic(Deployment bad, Deployment good, String reason) throws IOException {
    List<Digest> left = new ArrayList<>();
    tellUnknown(bad);
    DeployedImage.digestOf(sysroot, bad).ifPresent(left::add);
    DeployedImage.digestOf(sysroot, good).ifPresent(left::remove);
    String from = DeployedImage.digestOrChecksum(sysroot, bad);
    String to = DeployedImage.digestOrChecksum(sysroot, good);
    hold(left, false);
    reorder(booted.isSame(good) ? bad : good, booted.isSame(good), false);
    JournalEntry.of(JournalEntry.ROLLBACK, "Rolling back to image: " + to)
        .with("BOOTC_MANIFEST_DIGEST", to)
        .with("BOOTC_OSTREE_COMMIT", good.checksum().hex())
        .with("BOOTC_ROLLBACK_TYPE", "automatic")
        .with("BOOTC_CURRENT_MANIFEST_DIGEST", from)
        .send(host.system());
    JournalEntry.of(
            JournalEntry.ROLLED_BACK,
            "Went back from " + from + " to " + to + ", because " + reason)
        .with("PRIORITY", "3")
        .with("SLIPWAY_FROM", from)
        .with("SLIPWAY_TO", to)
        .with("SLIPWAY_REASON", reason)
        .send(host.system());
    tellHold(left, false);
    voice.tellReboot(sysroot);
    voice.touch();
  }

  private static String told(Deployment target, Host.RollbackOptions options, String name) {
    return options.to() == null
        ? "Next boot: rollback deployment"
        : "Next boot: deployment " + target.id() + " (" + name + ")";
  }

  private Problem noRollback() {
    return Problem.input(
        sysroot.deployments().size() == 1
            ? "No rollback available"
            : "No rollback available: the other entries of the boot menu are of another stateroot;"
                + " bootc status -v shows them, and bootc rollback --to INDEX boots one");
  }

  private Deployment target(Host.RollbackOptions options) throws IOException {
    String word = options.to();
    if (word == null) {
      return DeploymentChoice.rollback(sysroot).orElseThrow(this::noRollback);
    }
    Deployment target = DeploymentChoice.find(sysroot, word);
    if (target.staged()) {
      throw Problem.input(
          "the staged deployment boots next anyway: without a rollback the shutdown puts it first");
    }
    if (target.isSame(sysroot.deployments().getFirst()) && sysroot.staged().isEmpty()) {
      throw Problem.input("the deployment " + target.id() + " boots next already");
    }
    return target;
  }

  /** Of an image whose commit is damaged nobody knows the digest, so nothing holds it back. */
  private void tellUnknown(Deployment deployment) throws IOException {
    if (DeployedImage.isImage(deployment)
        && DeployedImage.digestOf(sysroot, deployment).isEmpty()) {
      voice.say(
          "warning: Unattended updates may bring the image of "
              + deployment.id()
              + " again, because its commit is damaged and does not tell its digest.");
    }
  }

  /** What the machine turns away from: the image that runs, and a newer one that is staged. */
  private List<Digest> left(Deployment target, Optional<Deployment> staged) throws IOException {
    List<Digest> left = new ArrayList<>();
    DeployedImage.digestOf(sysroot, booted).ifPresent(left::add);
    if (staged.isPresent()) {
      DeployedImage.digestOf(sysroot, staged.get())
          .filter(d -> !left.contains(d))
          .ifPresent(left::add);
    }
    DeployedImage.digestOf(sysroot, target).ifPresent(left::remove);
    return left;
  }

  /**
   * Before the menu changes: what is held back without a rollback does no harm, and a machine whose
   * settings cannot be written goes back all the same. What earlier rollbacks hold stays; the image
   * that runs is wanted again when its rollback is taken back.
   *
   * @return what was held back so far; empty when that stays
   */
  private Optional<List<String>> hold(List<Digest> more, boolean reverting) throws IOException {
    Optional<String> wanted =
        reverting
            ? DeployedImage.digestOf(sysroot, booted).map(Digest::toString)
            : Optional.empty();
    List<String> before = new ArrayList<>();
    try {
      sysroot.changeSettings(
          settings -> {
            before.addAll(settings.held());
            Set<String> held = new LinkedHashSet<>(settings.held());
            more.forEach(d -> held.add(d.toString()));
            wanted.ifPresent(held::remove);
            return settings.withHeld(List.copyOf(held));
          });
      return Optional.of(before);
    } catch (Problem | IOException e) {
      voice.say(
          "warning: Unattended updates may bring what is left again: "
              + Printable.text(FileReason.why(e)));
      return Optional.empty();
    }
  }

  /** The menu stays as it is, and so does what is held back. */
  private void holdAgain(List<String> digests, Exception failure) {
    try {
      sysroot.changeSettings(settings -> settings.withHeld(digests));
    } catch (IOException | RuntimeException e) {
      failure.addSuppressed(e);
    }
  }

  private void tellHold(List<Digest> left, boolean noHold) {
    if (!left.isEmpty()) {
      String which = left.stream().map(Digest::toString).collect(Collectors.joining(" and "));
      voice.say(
          noHold
              ? "warning: Unattended updates will bring " + which + " again."
              : "notice: Unattended updates leave out "
                  + which
                  + " until a newer image appears; bootc upgrade brings it all the same.");
    }
  }

  /** Target and running one lead the menu; all others follow in the order they have. */
  private void reorder(Deployment target, boolean reverting, boolean keepStaged)
      throws IOException {
    List<Deployment> order = new ArrayList<>();
    order.add(reverting ? booted : target);
    Deployment second = reverting ? target : booted;
    if (!second.isSame(order.getFirst())) {
      order.add(second);
    }
    Optional<Deployment> staged = sysroot.staged().filter(d -> keepStaged);
    staged.ifPresent(order::add);
    for (Deployment d : sysroot.deployments()) {
      if (order.stream().noneMatch(d::isSame)) {
        order.add(d);
      }
    }
    if (staged.isPresent()) {
      sysroot.setBootOrderWithStaged(order, nextBoot::forgetSoftReboot);
    } else {
      sysroot.setBootOrder(order, nextBoot::forgetSoftReboot);
    }
  }

  private JournalEntry entry(Deployment target, String name, boolean reverting) throws IOException {
    String current = DeployedImage.digestOf(sysroot, booted).map(Digest::toString).orElse("none");
    return JournalEntry.of(JournalEntry.ROLLBACK, "Rolling back to image: " + name)
        .with("BOOTC_MANIFEST_DIGEST", name)
        .with("BOOTC_OSTREE_COMMIT", target.checksum().hex())
        .with("BOOTC_ROLLBACK_TYPE", reverting ? "revert" : "rollback")
        .with("BOOTC_CURRENT_MANIFEST_DIGEST", current);
  }
}
