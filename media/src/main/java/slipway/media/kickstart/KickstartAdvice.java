package slipway.media.kickstart;

import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What is said of a file as a whole: what an installer takes, and what then does not come out as it
 * was meant. What may stand in a file that was not read, or be written by a script before the
 * installation, is not missed.
 */
final class KickstartAdvice {
  private static final Set<String> PARTITIONS =
      Set.of("part", "autopart", "mount", "logvol", "raid", "btrfs");
  private static final Set<String> ACCOUNTS = Set.of("rootpw", "user", "sshkey");
  private static final Set<String> WITHOUT_IMAGE =
      Set.of("url", "repo", "nfs", "harddrive", "cdrom");

  private final List<KickstartItem> items;
  private final Set<String> names;
  private final List<KickstartFinding> findings;

  private KickstartAdvice(
      List<KickstartItem> items, Set<String> names, List<KickstartFinding> findings) {
    this.items = items;
    this.names = names;
    this.findings = findings;
  }

  /**
   * Adds to what was found.
   *
   * @param names of all commands that stand in the file, wrong ones too; of each its first name
   */
  static void add(List<KickstartItem> items, Set<String> names, List<KickstartFinding> findings) {
    new KickstartAdvice(items, names, findings).add();
  }

  private void add() {
    all(KickstartCommand.OstreeContainer.class).forEach(this::container);
    all(KickstartCommand.Bootc.class).forEach(this::bootc);
    all(KickstartCommand.Network.class).forEach(this::network);
    clearTextPasswords();
    if (isWhole()) {
      missing();
    }
  }

  private <T extends KickstartItem> Stream<T> all(Class<T> kind) {
    return items.stream().filter(kind::isInstance).map(kind::cast);
  }

  private boolean has(Class<? extends KickstartItem> kind) {
    return all(kind).findAny().isPresent();
  }

  /** Whether all that an installer will see was read. */
  private boolean isWhole() {
    return all(KickstartItem.Inclusion.class).allMatch(KickstartItem.Inclusion::followed);
  }

  private void warn(KickstartPlace at, String message, String fix) {
    findings.add(new KickstartFinding(KickstartFinding.Severity.WARNING, at, message, fix));
  }

  private void container(KickstartCommand.OstreeContainer container) {
    String transport = container.transport() == null ? "registry" : container.transport();
    if (container.url().startsWith("localhost/")) {
      local(container.at(), container.url());
    } else if (!transport.equals("registry") && !switches()) {
      warn(
          container.at(),
          "the machine would look for updates in " + transport + ":" + container.url(),
          "let %post run bootc switch --mutate-in-place with the name of a registry's image");
    }
    withoutPackages(container.at(), "ostreecontainer");
  }

  private void bootc(KickstartCommand.Bootc bootc) {
    String target = bootc.target();
    int colon = target.indexOf(':');
    String name = target.startsWith("registry:") ? target.substring(colon + 1) : target;
    while (name.startsWith("/")) {
      name = name.substring(1);
    }
    if (name.startsWith("localhost/")) {
      local(bootc.at(), name);
    }
    withoutPackages(bootc.at(), "bootc");
  }

  private void local(KickstartPlace at, String image) {
    if (!switches()) {
      warn(
          at,
          image + " is an image of one machine's store: a machine that follows it can never update",
          "name the image in a registry");
    }
  }

  /** Whether a script lets the new machine follow something else. */
  private boolean switches() {
    return all(KickstartSection.Script.class)
        .anyMatch(
            script -> script.name().equals("%post") && script.body().contains("bootc switch"));
  }

  private void withoutPackages(KickstartPlace at, String command) {
    if (has(KickstartSection.Packages.class)) {
      warn(at, "%packages does nothing beside " + command, "add packages to the image");
    }
    all(KickstartCommand.Other.class)
        .filter(other -> WITHOUT_IMAGE.contains(other.name()))
        .forEach(
            other ->
                warn(other.at(), other.name() + " does nothing beside " + command, "remove it"));
  }

  private void network(KickstartCommand.Network network) {
    if (network.bootProtocol().equals("static") && network.ip() == null && !network.noIpv4()) {
      warn(network.at(), "--bootproto=static needs --ip, which the installer asks for", "");
    }
  }

  private void clearTextPasswords() {
    all(KickstartCommand.RootPw.class).forEach(root -> clearText(root.at(), root.password()));
    all(KickstartCommand.User.class).forEach(user -> clearText(user.at(), user.password()));
  }

  private void clearText(KickstartPlace at, KickstartCommand.Password password) {
    String text = password.text();
    if (text == null || password.encrypted()) {
      return;
    }
    if (text.toLowerCase(Locale.ROOT).matches("\\$(1|2[aby]|5|6|y)\\$.*")) {
      warn(at, "the password looks like a hash and is taken as clear text", "add --iscrypted");
    } else {
      warn(
          at,
          "the password stands in the file as clear text",
          "write its hash, as openssl passwd -6 prints it, and --iscrypted");
    }
  }

  private void missing() {
    KickstartPlace at =
        items.stream()
            .filter(KickstartAdvice::isImage)
            .map(KickstartItem::at)
            .findFirst()
            .orElse(null);
    if (at == null) {
      return;
    }
    if (!names.contains("halt")) {
      warn(at, "nothing ends the installation: the installer waits for a key", "add reboot");
    }
    if (Collections.disjoint(names, PARTITIONS)) {
      warn(
          at,
          "no command makes partitions, so the installer asks for them",
          "add autopart, or reqpart with part");
    }
    if (Collections.disjoint(names, ACCOUNTS)) {
      warn(
          at,
          "no user, rootpw or sshkey: unless the image has accounts nobody can log in",
          "add sshkey or user");
    }
  }

  private static boolean isImage(KickstartItem item) {
    return item instanceof KickstartCommand.OstreeContainer
        || item instanceof KickstartCommand.OstreeSetup
        || item instanceof KickstartCommand.Bootc;
  }
}
