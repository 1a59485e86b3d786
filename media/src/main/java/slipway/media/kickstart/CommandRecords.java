package slipway.media.kickstart;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import slipway.media.kickstart.KickstartCommand.Encryption;
import slipway.media.kickstart.KickstartCommand.Format;
import slipway.media.kickstart.KickstartCommand.Password;
import slipway.media.kickstart.KickstartCommand.Size;

/** Makes the records of {@link KickstartCommand} of commands that were checked. */
final class CommandRecords {
  /** Options of network that have components of their own. */
  private static final Set<String> NETWORK =
      Set.of(
          "device",
          "bootproto",
          "hostname",
          "ip",
          "netmask",
          "gateway",
          "nameserver",
          "ipv6",
          "ipv6gateway",
          "noipv4",
          "noipv6",
          "nodns",
          "nodefroute",
          "onboot",
          "activate",
          "mtu",
          "interfacename",
          "vlanid",
          "bondslaves",
          "bondopts",
          "bridgeslaves",
          "bridgeopts");

  private CommandRecords() {}

  static KickstartCommand of(CommandUse use, KickstartPlace at) {
    KickstartCommand storage = storage(use.syntax().name(), use.values(), at);
    return storage != null ? storage : system(use, use.values(), at);
  }

  private static @Nullable KickstartCommand storage(
      String name, OptionValues v, KickstartPlace at) {
    return switch (name) {
      case "clearpart" ->
          new KickstartCommand.ClearPart(
              at,
              v.isSet("list") ? "list" : v.word("which"),
              v.flag("initlabel"),
              v.word("disklabel"),
              v.list("drives"),
              v.list("list"),
              v.flag("cdl"));
      case "zerombr" -> new KickstartCommand.ZeroMbr(at);
      case "ignoredisk" ->
          new KickstartCommand.IgnoreDisk(at, v.list("drives"), v.list("only-use"));
      case "reqpart" -> new KickstartCommand.ReqPart(at, v.flag("add-boot"));
      case "part" -> partition(v, at);
      case "raid" -> raid(v, at);
      case "volgroup" ->
          new KickstartCommand.VolGroup(
              at,
              v.textOr("name", ""),
              v.flag("useexisting"),
              v.number("pesize"),
              v.number("reserved-space"),
              v.number("reserved-percent"),
              v.list("partitions"));
      case "logvol" -> logicalVolume(v, at);
      case "btrfs" -> btrfs(v, at);
      case "autopart" ->
          new KickstartCommand.AutoPart(
              at,
              v.word("type"),
              v.word("fstype"),
              encryption(v),
              v.flag("nohome"),
              v.flag("noboot"),
              v.flag("noswap"),
              v.flag("hibernation"));
      case "mount" ->
          new KickstartCommand.Mount(
              at,
              v.textOr("device", ""),
              v.textOr("mountpoint", ""),
              v.isSet("reformat"),
              v.word("reformat"),
              v.word("mkfsoptions"),
              v.word("mountoptions"));
      case "bootloader" -> bootLoader(v, at);
      default -> null;
    };
  }

  private static KickstartCommand.Partition partition(OptionValues v, KickstartPlace at) {
    return new KickstartCommand.Partition(
        at,
        v.textOr("mountpoint", ""),
        size(v),
        format(v),
        encryption(v),
        v.word("ondisk"),
        v.word("onbiosdisk"),
        v.word("onpart"),
        v.flag("asprimary"));
  }

  private static KickstartCommand.Raid raid(OptionValues v, KickstartPlace at) {
    return new KickstartCommand.Raid(
        at,
        v.textOr("mountpoint", ""),
        v.textOr("device", ""),
        v.word("level"),
        v.number("spares"),
        v.number("chunksize"),
        v.flag("useexisting"),
        format(v),
        encryption(v),
        v.list("partitions"));
  }

  private static KickstartCommand.LogVol logicalVolume(OptionValues v, KickstartPlace at) {
    return new KickstartCommand.LogVol(
        at,
        v.textOr("mountpoint", ""),
        v.textOr("vgname", ""),
        v.textOr("name", ""),
        size(v),
        v.number("percent"),
        v.flag("useexisting"),
        format(v),
        encryption(v),
        new KickstartCommand.Thin(
            v.flag("thinpool"),
            v.flag("thin"),
            v.word("poolname"),
            v.number("chunksize"),
            v.number("metadatasize"),
            v.word("profile")),
        new KickstartCommand.Cache(v.number("cachesize"), v.word("cachemode"), v.list("cachepvs")));
  }

  private static KickstartCommand.Btrfs btrfs(OptionValues v, KickstartPlace at) {
    return new KickstartCommand.Btrfs(
        at,
        v.textOr("mountpoint", ""),
        v.list("devices"),
        v.flag("useexisting"),
        v.word("label"),
        v.word("data"),
        v.word("metadata"),
        v.flag("subvol"),
        v.word("parent"),
        v.word("name"),
        v.word("mkfsoptions"));
  }

  private static KickstartCommand.BootLoader bootLoader(OptionValues v, KickstartPlace at) {
    boolean md5 = v.isSet("md5pass");
    return new KickstartCommand.BootLoader(
        at,
        v.word("append"),
        v.textOr("location", ""),
        md5 ? v.word("md5pass") : v.word("password"),
        md5 || v.flag("iscrypted"),
        v.list("driveorder"),
        v.word("boot-drive"),
        v.number("timeout"),
        v.word("default"),
        v.flag("disabled"),
        v.flag("leavebootorder"),
        v.flag("nombr"),
        v.flag("extlinux"),
        v.flag("sdboot"));
  }

  private static Size size(OptionValues v) {
    return new Size(
        v.number("size"),
        v.flag("grow"),
        v.number("maxsize"),
        v.flag("recommended"),
        v.flag("hibernation"),
        v.flag("resize"));
  }

  private static Format format(OptionValues v) {
    return new Format(
        v.word("fstype"),
        v.flag("noformat"),
        v.word("label"),
        v.word("fsprofile"),
        v.word("mkfsoptions"),
        v.word("fsoptions"));
  }

  private static Encryption encryption(OptionValues v) {
    return new Encryption(
        v.flag("encrypted"),
        v.word("passphrase"),
        v.word("cipher"),
        v.word("luks-version"),
        v.word("pbkdf"),
        v.number("pbkdf-memory"),
        v.number("pbkdf-time"),
        v.number("pbkdf-iterations"),
        v.word("escrowcert"),
        v.flag("backuppassphrase"),
        v.word("hw-passphrase"));
  }

  private static KickstartCommand system(CommandUse use, OptionValues v, KickstartPlace at) {
    return switch (use.syntax().name()) {
      case "cmdline" -> new KickstartCommand.DisplayMode(at, use.name(), v.flag("non-interactive"));
      case "lang" -> new KickstartCommand.Lang(at, v.textOr("lang", ""), v.list("addsupport"));
      case "keyboard" ->
          new KickstartCommand.Keyboard(
              at, first(v.list("kbd")), v.word("vckeymap"), v.list("xlayouts"), v.list("switch"));
      case "timezone" ->
          new KickstartCommand.Timezone(
              at,
              first(v.list("timezone")),
              v.flag("utc") || v.flag("isUtc"),
              v.flag("nontp"),
              v.list("ntpservers"));
      case "timesource" ->
          new KickstartCommand.Timesource(
              at, v.word("ntp-server"), v.word("ntp-pool"), v.flag("ntp-disable"), v.flag("nts"));
      case "network" -> network(use, v, at);
      case "firewall" ->
          new KickstartCommand.Firewall(
              at,
              v.flag("enabled"),
              v.flag("use-system-defaults"),
              v.list("port"),
              v.list("trust"),
              v.list("service"),
              v.list("remove-service"));
      case "services" -> new KickstartCommand.Services(at, v.list("enabled"), v.list("disabled"));
      case "selinux" -> new KickstartCommand.SeLinux(at, v.word("mode"));
      case "firstboot" -> new KickstartCommand.FirstBoot(at, v.word("mode"));
      case "halt" -> new KickstartCommand.End(at, use.name(), v.flag("eject"), v.flag("kexec"));
      default -> payload(use, v, at);
    };
  }

  private static KickstartCommand.Network network(
      CommandUse use, OptionValues v, KickstartPlace at) {
    return new KickstartCommand.Network(
        at,
        v.word("device"),
        v.textOr("bootproto", ""),
        v.word("hostname"),
        v.word("ip"),
        v.word("netmask"),
        v.word("gateway"),
        PythonText.commas(v.textOr("nameserver", "")),
        v.word("ipv6"),
        v.word("ipv6gateway"),
        v.flag("noipv4"),
        v.flag("noipv6"),
        v.flag("nodns"),
        v.flag("nodefroute"),
        !Boolean.FALSE.equals(v.get("onboot")),
        v.flag("activate"),
        v.word("mtu"),
        v.word("interfacename"),
        v.word("vlanid"),
        PythonText.commas(v.textOr("bondslaves", "")),
        PythonText.commas(v.textOr("bondopts", "")),
        PythonText.commas(v.textOr("bridgeslaves", "")),
        PythonText.commas(v.textOr("bridgeopts", "")),
        otherOptions(use, v));
  }

  private static Map<String, String> otherOptions(CommandUse use, OptionValues v) {
    Map<String, String> others = new TreeMap<>();
    for (OptionSyntax option : use.syntax().options(use.version())) {
      if (v.isSet(option.value()) && !NETWORK.contains(option.value())) {
        others.put(option.value(), String.valueOf(v.get(option.value())));
      }
    }
    return Map.copyOf(others);
  }

  private static KickstartCommand payload(CommandUse use, OptionValues v, KickstartPlace at) {
    return switch (use.syntax().name()) {
      case "ostreecontainer" ->
          new KickstartCommand.OstreeContainer(
              at,
              v.textOr("url", ""),
              v.word("transport"),
              v.word("stateroot"),
              v.isSet("remote") ? v.word("remote") : v.word("stateroot"),
              v.flag("no-signature-verification"));
      case "ostreesetup" ->
          new KickstartCommand.OstreeSetup(
              at,
              v.textOr("osname", ""),
              v.isSet("remote") ? v.textOr("remote", "") : v.textOr("osname", ""),
              v.textOr("url", ""),
              v.textOr("ref", ""),
              v.flag("nogpg"));
      case "bootc" ->
          new KickstartCommand.Bootc(
              at,
              v.textOr("stateroot", ""),
              v.textOr("source-imgref", ""),
              v.isSet("target-imgref")
                  ? v.textOr("target-imgref", "")
                  : v.textOr("source-imgref", ""),
              v.word("bootloader"),
              v.flag("composefs"));
      default -> account(use, v, at);
    };
  }

  private static KickstartCommand account(CommandUse use, OptionValues v, KickstartPlace at) {
    return switch (use.syntax().name()) {
      case "user" ->
          new KickstartCommand.User(
              at,
              v.textOr("name", ""),
              password(v, v.word("password")),
              v.word("homedir"),
              v.word("shell"),
              v.word("gecos"),
              v.number("uid"),
              v.number("gid"),
              v.list("groups"));
      case "group" -> new KickstartCommand.Group(at, v.textOr("name", ""), v.number("gid"));
      case "rootpw" ->
          new KickstartCommand.RootPw(at, password(v, v.word("password")), v.flag("allow-ssh"));
      case "sshkey" ->
          new KickstartCommand.SshKey(at, v.textOr("username", ""), v.textOr("sshkey", ""));
      case "sshpw" ->
          new KickstartCommand.SshPw(
              at,
              v.textOr("username", ""),
              password(v, String.join(" ", v.list("password"))),
              v.flag("sshkey"));
      default ->
          new KickstartCommand.Other(
              at, use.name(), use.words().stream().map(KickstartWord::text).toList());
    };
  }

  private static Password password(OptionValues v, @Nullable String text) {
    return new Password(text, v.flag("iscrypted"), v.flag("lock"));
  }

  private static @Nullable String first(List<String> words) {
    return words.isEmpty() ? null : words.getFirst();
  }
}
