package slipway.host.kickstart;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.disk.config.BootLoader;
import slipway.disk.config.DiskConfig;
import slipway.media.kickstart.KickstartCommand;
import slipway.media.kickstart.KickstartFile;
import slipway.media.kickstart.KickstartItem;
import slipway.media.kickstart.KickstartSection;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Makes of the commands of a kickstart file what an installation takes: keys of the config that
 * disks are made by, which are checked as those that a user writes.
 */
final class KickstartAnswers {
  /** Where Anaconda has what is on the medium. */
  private static final String ANACONDAS_MEDIUM = "/run/install/repo/";

  private static final String NAME = "kickstart";

  /** What a crypt(5) hash begins with; others lock the account, as they fit no password. */
  private static final String HASH = "$";

  /** What says where packages are, of which an image needs none. */
  private static final Set<String> WITHOUT_EFFECT =
      Set.of("url", "repo", "nfs", "harddrive", "cdrom", "eula", "mediacheck", "skipx", "logging");

  private final Place place;
  private final List<String> warnings = new ArrayList<>();
  private final PartitionAnswers partitions;
  private final ObjectNode keys = JsonNodeFactory.instance.objectNode();
  private final Map<String, ObjectNode> users = new LinkedHashMap<>();
  private final Set<String> timeServers = new LinkedHashSet<>();
  private InstallAnswers.Image image = InstallAnswers.Image.OF_MEDIUM;
  private InstallAnswers.Ending ending = new InstallAnswers.Ending(Optional.empty(), false);
  private @Nullable BootLoader loader;
  private boolean asksNothing;
  private int networks;

  /**
   * Where an installation takes place.
   *
   * @param medium where the medium is mounted
   * @param manager whether NetworkManager is what connects the machine
   * @param disks answers a name of a disk by the one that the kernel has for it
   */
  record Place(String medium, boolean manager, UnaryOperator<String> disks) {}

  private KickstartAnswers(Place place) {
    this.place = place;
    this.partitions = new PartitionAnswers(place.disks(), warnings);
  }

  /**
   * @throws Problem of kind INPUT with the line that cannot be followed
   */
  static InstallAnswers of(KickstartFile file, Place place) throws IOException {
    List<KickstartItem> items = file.items();
    try {
      return new KickstartAnswers(place).read(items, file.name());
    } catch (UnplacedFault fault) {
      // Which command it was tells the shortest beginning of the file that has the fault.
      for (int i = 1; i < items.size(); i++) {
        try {
          new KickstartAnswers(place).config(items.subList(0, i));
        } catch (UnplacedFault first) {
          throw InstallAnswers.wrong(items.get(i - 1).at(), first.sentence());
        }
      }
      throw InstallAnswers.wrong(items.getLast().at(), fault.sentence());
    }
  }

  /** A fault of a key, which says nothing of the line yet. */
  private static final class UnplacedFault extends RuntimeException {
    private static final long serialVersionUID = 1;
    private final transient Problem problem;

    UnplacedFault(Problem problem) {
      super(problem);
      this.problem = problem;
    }

    /** Without the place of what was made of the file. */
    String sentence() {
      return problem.sentence().replaceFirst("^" + NAME + "(:[0-9]+)*: ", "");
    }
  }

  private InstallAnswers read(List<KickstartItem> items, String name) throws IOException {
    DiskConfig config = config(items);
    partitions.end();
    if (ending.how().isEmpty()) {
      warnings.add(name + ": nothing ends the installation; the machine is restarted");
    }
    return new InstallAnswers(
        image,
        loader,
        partitions.rootfs(),
        partitions.rootSize(),
        partitions.choice(),
        asksNothing,
        config,
        ending,
        warnings);
  }

  private DiskConfig config(List<KickstartItem> items) throws IOException {
    for (KickstartItem item : items) {
      if (!partitions.take(item)) {
        take(item);
      }
    }
    ObjectNode all = JsonNodeFactory.instance.objectNode();
    ObjectNode customizations = all.putObject("customizations");
    customizations.setAll(keys);
    users.values().forEach(customizations.withArray("user")::add);
    if (!timeServers.isEmpty()) {
      timeServers.forEach(customizations.withObject("timezone").withArray("ntpservers")::add);
    }
    if (!partitions.disk().isEmpty()) {
      customizations.set("disk", partitions.disk());
    }
    byte[] json = all.toString().getBytes(StandardCharsets.UTF_8);
    try {
      return DiskConfig.parse(
          new ByteArrayInputStream(json), NAME, new DiskConfig.Unsupported(false, warnings::add));
    } catch (Problem e) {
      throw new UnplacedFault(e);
    }
  }

  private void take(KickstartItem item) {
    switch (item) {
      case KickstartCommand.User user -> user(user);
      case KickstartCommand.RootPw root -> root(root);
      case KickstartCommand.SshKey key -> key(key);
      case KickstartCommand.Group group -> {
        ObjectNode node = keys.withArray("group").addObject().put("name", group.name());
        if (group.gid() != null) {
          node.put("gid", group.gid());
        }
      }
      case KickstartCommand.OstreeContainer container -> container(container);
      case KickstartCommand.Bootc bootc -> bootc(bootc);
      case KickstartCommand.BootLoader boot -> boot(boot);
      case KickstartCommand.Network network -> network(network);
      case KickstartCommand.End end -> end(end);
      case KickstartCommand.Other other -> other(other);
      case KickstartItem.Inclusion inclusion when !inclusion.followed() ->
          throw InstallAnswers.wrong(
              inclusion.at(),
              "%s %s: there is no such file here; %%pre may write it, or it lies beside the file on the medium"
                  .formatted(inclusion.directive(), inclusion.target()));
      case KickstartSection section -> section(section);
      default -> system(item);
    }
  }

  private void section(KickstartSection section) {
    switch (section) {
      case KickstartSection.Script script when script.name().equals("%pre-install") ->
          throw InstallAnswers.wrong(
              script.at(), "%pre-install is not run; %pre is, before the disk is touched");
      case KickstartSection.Script script when script.name().equals("%traceback") ->
          warnings.add(script.at() + ": %traceback is not run; %onerror is");
      case KickstartSection.Script script -> {}
      case KickstartSection.Skipped skipped ->
          warnings.add(skipped.at() + ": " + skipped.name() + " is skipped");
      case KickstartSection.Packages packages ->
          warnings.add(packages.at() + ": %packages does nothing: the image has the packages");
      case KickstartSection.Certificate certificate ->
          throw InstallAnswers.wrong(
              certificate.at(), "%certificate is not followed; write the file by %post");
    }
  }

  private void system(KickstartItem item) {
    switch (item) {
      case KickstartCommand.Lang lang -> locale().withArray("languages").add(lang.locale());
      case KickstartCommand.Keyboard keyboard -> keyboard(keyboard);
      case KickstartCommand.Timezone zone -> {
        if (zone.zone() != null) {
          keys.withObject("timezone").put("timezone", zone.zone());
        }
        timeServers.addAll(zone.servers());
      }
      case KickstartCommand.Timesource source -> {
        for (String server : new String[] {source.server(), source.pool()}) {
          if (server != null) {
            timeServers.add(server);
          }
        }
        if (source.disabled() || source.authenticated()) {
          warnings.add(source.at() + ": timesource: --ntp-disable and --nts are not followed");
        }
      }
      case KickstartCommand.Firewall firewall -> firewall(firewall);
      case KickstartCommand.Services services -> {
        ObjectNode node = keys.withObject("services");
        services.enabled().forEach(node.withArray("enabled")::add);
        services.disabled().forEach(node.withArray("disabled")::add);
      }
      case KickstartCommand.SeLinux selinux -> {
        switch (String.valueOf(selinux.mode())) {
          case "disabled" -> append("selinux=0");
          case "permissive" -> append("enforcing=0");
          default -> {}
        }
      }
      case KickstartCommand.FirstBoot first -> {
        if (first.mode() != null && !first.mode().equals("disabled")) {
          warnings.add(first.at() + ": firstboot: the image has no such program; it is left out");
        }
      }
      case KickstartCommand.DisplayMode mode ->
          asksNothing |= mode.nonInteractive() || mode.mode().equals("cmdline");
      case KickstartCommand.SshPw login ->
          warnings.add(login.at() + ": sshpw: nobody logs in to this installer; it is left out");
      case KickstartCommand.OstreeSetup setup ->
          throw InstallAnswers.wrong(
              setup.at(), "ostreesetup: container images are installed; take ostreecontainer");
      default -> {}
    }
  }

  private ObjectNode locale() {
    return keys.withObject("locale");
  }

  private void keyboard(KickstartCommand.Keyboard keyboard) {
    String map =
        keyboard.consoleKeymap() != null
            ? keyboard.consoleKeymap()
            : keyboard.keyboard() != null
                ? keyboard.keyboard()
                : keyboard.layouts().isEmpty() ? null : keyboard.layouts().getFirst();
    if (map != null && map.matches("[A-Za-z0-9_.-]+")) {
      locale().put("keyboard", map);
    } else if (map != null) {
      warnings.add(
          keyboard.at() + ": keyboard: " + map + " is no keymap of the console; give --vckeymap");
    }
  }

  private void firewall(KickstartCommand.Firewall firewall) {
    if (!firewall.trusted().isEmpty()) {
      throw InstallAnswers.wrong(
          firewall.at(), "firewall: --trust is not followed; allow ports or services");
    }
    if (firewall.systemDefaults()) {
      return;
    }
    boolean isNamed = !firewall.ports().isEmpty() || !firewall.services().isEmpty();
    if (!firewall.enabled() && !isNamed) {
      // Whether the image has it or not.
      keys.withObject("services").withArray("masked").add("firewalld.service");
      return;
    }
    ObjectNode node = keys.withObject("firewall");
    firewall.ports().forEach(node.withArray("ports")::add);
    ObjectNode services = node.withObject("services");
    firewall.services().forEach(services.withArray("enabled")::add);
    firewall.removedServices().forEach(services.withArray("disabled")::add);
  }

  private ObjectNode account(String name) {
    return users.computeIfAbsent(name, n -> JsonNodeFactory.instance.objectNode().put("name", n));
  }

  private void user(KickstartCommand.User user) {
    ObjectNode node = account(user.name());
    password(node, user.password(), user);
    text(node, "description", user.comment());
    text(node, "home", user.home());
    text(node, "shell", user.shell());
    if (user.uid() != null) {
      node.put("uid", user.uid());
    }
    if (user.gid() != null) {
      node.put("gid", user.gid());
    }
    // Anaconda takes "wheel(10)", too; groups of a number are made by the group command.
    user.groups().forEach(node.withArray("groups")::add);
  }

  private static void text(ObjectNode node, String key, @Nullable String value) {
    if (value != null && !value.isEmpty()) {
      node.put(key, value);
    }
  }

  private void password(
      ObjectNode node, KickstartCommand.Password password, KickstartCommand command) {
    String text = password.text();
    if (password.locked() || (text == null && node.path("password").isMissingNode())) {
      node.put("password", "!");
    } else if (text != null && password.encrypted() && !text.startsWith(HASH)) {
      warnings.add(command.at() + ": the password is no hash, so none fits");
      node.put("password", "!");
    } else if (text != null) {
      if (!password.encrypted() && text.matches("[$!*].*")) {
        throw InstallAnswers.wrong(
            command.at(), "the password begins as a hash; give --iscrypted, or another one");
      }
      node.put("password", text);
    }
  }

  private void root(KickstartCommand.RootPw root) {
    password(account("root"), root.password(), root);
    if (root.allowSsh()) {
      file("/etc/ssh/sshd_config.d/01-permitrootlogin.conf", 0600, "PermitRootLogin yes\n");
    }
  }

  private void key(KickstartCommand.SshKey key) {
    ObjectNode node = account(key.user());
    String before = node.path("key").asString("");
    node.put("key", before.isEmpty() ? key.key() : before + "\n" + key.key());
  }

  private void file(String path, int mode, String data) {
    keys.withArray("files")
        .addObject()
        .put("path", path)
        .put("mode", "%04o".formatted(mode))
        .put("data", data);
  }

  private void container(KickstartCommand.OstreeContainer container) {
    String transport = container.transport() == null ? "registry" : container.transport();
    image =
        image(
            transport.equals("docker") ? "registry" : transport,
            container.url(),
            null,
            container.stateroot());
  }

  private void bootc(KickstartCommand.Bootc bootc) {
    String source = bootc.source();
    int colon = source.indexOf(':');
    boolean isNamed = colon > 0 && source.substring(0, colon).matches("[a-z-]+");
    String transport = isNamed ? source.substring(0, colon) : "registry";
    String name = isNamed ? source.substring(colon + 1) : source;
    boolean isRegistry = transport.equals("registry") || transport.equals("docker");
    String target = bootc.target().equals(source) ? null : bare(bootc.target());
    image =
        image(
            isRegistry ? "registry" : transport,
            isRegistry ? bare(name) : name,
            target,
            bootc.stateroot());
    if (bootc.bootLoader() != null) {
      loader = BootLoader.parse(bootc.bootLoader());
    }
    if (bootc.composefs()) {
      warnings.add(bootc.at() + ": --composefs: the image's prepare-root.conf decides on that");
    }
  }

  /** Without what says that it is in a registry. */
  private static String bare(String name) {
    return name.replaceFirst("^(registry:|docker:)?(//)?", "");
  }

  private InstallAnswers.Image image(
      String transport, String name, @Nullable String target, @Nullable String stateroot) {
    String root = stateroot == null || stateroot.isEmpty() ? null : stateroot;
    if (transport.equals("registry")) {
      return new InstallAnswers.Image("docker://" + name, target == null ? name : target, root);
    }
    String here =
        name.startsWith(ANACONDAS_MEDIUM)
            ? place.medium() + "/" + name.substring(ANACONDAS_MEDIUM.length())
            : name;
    boolean isOfMedium = here.equals(place.medium() + "/container") && transport.equals("oci");
    String companions = place.medium() + "/companions:";
    String followed =
        target == null && transport.equals("oci") && here.startsWith(companions)
            ? here.substring(companions.length())
            : target;
    return new InstallAnswers.Image(isOfMedium ? null : transport + ":" + here, followed, root);
  }

  private void append(String argument) {
    ObjectNode kernel = keys.withObject("kernel");
    String before = kernel.path("append").asString("");
    kernel.put("append", before.isEmpty() ? argument : before + " " + argument);
  }

  private void boot(KickstartCommand.BootLoader boot) {
    if (boot.arguments() != null && !boot.arguments().isBlank()) {
      append(boot.arguments());
    }
    if (boot.password() != null || boot.extlinux() || boot.location().equals("partition")) {
      throw InstallAnswers.wrong(
          boot.at(),
          "bootloader: --password, --extlinux and --location=partition are not followed");
    }
    if (boot.systemdBoot()) {
      loader = BootLoader.SYSTEMD;
    }
    if (boot.disabled() || boot.location().equals("none")) {
      loader = BootLoader.NONE;
    }
    if (boot.timeout() != null || boot.defaultKernel() != null || boot.noMbr()) {
      warnings.add(boot.at() + ": bootloader: --timeout, --default and --nombr are not followed");
    }
  }

  private void network(KickstartCommand.Network network) {
    if (network.hostname() != null) {
      keys.put("hostname", network.hostname());
    }
    if (NetworkFiles.isNeeded(network)) {
      NetworkFiles.Written file = NetworkFiles.of(network, networks++, place.manager());
      file(file.path(), file.mode(), file.text());
    }
  }

  private void end(KickstartCommand.End end) {
    if (end.kexec()) {
      warnings.add(end.at() + ": --kexec: the machine is restarted by its firmware");
    }
    String how = end.how().equals("shutdown") ? "poweroff" : end.how();
    ending = new InstallAnswers.Ending(Optional.of(how), end.eject());
  }

  private void other(KickstartCommand.Other other) {
    if (WITHOUT_EFFECT.contains(other.name())) {
      warnings.add(other.at() + ": " + other.name() + " does nothing: an image is installed");
      return;
    }
    throw InstallAnswers.wrong(
        other.at(), other.name() + " is not followed by this installer; leave it out");
  }
}
