package slipway.media.kickstart;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A command of a kickstart file, checked by itself. What was not given is null, an empty list or
 * false; numbers too large for a long are the largest one. A later one of the commands that stand
 * once holds what an earlier one said and it did not.
 */
public sealed interface KickstartCommand extends KickstartItem {

  /** {@code text}, {@code graphical} or {@code cmdline}. */
  record DisplayMode(KickstartPlace at, String mode, boolean nonInteractive)
      implements KickstartCommand {}

  /** {@code lang}. */
  record Lang(KickstartPlace at, String locale, List<String> added) implements KickstartCommand {}

  /** {@code keyboard}. */
  record Keyboard(
      KickstartPlace at,
      @Nullable String keyboard,
      @Nullable String consoleKeymap,
      List<String> layouts,
      List<String> switches)
      implements KickstartCommand {}

  /** {@code timezone}. */
  record Timezone(
      KickstartPlace at, @Nullable String zone, boolean utc, boolean noNtp, List<String> servers)
      implements KickstartCommand {}

  /** {@code timesource}. */
  record Timesource(
      KickstartPlace at,
      @Nullable String server,
      @Nullable String pool,
      boolean disabled,
      boolean authenticated)
      implements KickstartCommand {}

  /**
   * {@code network}.
   *
   * @param options what was given of all the others, by their names without dashes
   */
  record Network(
      KickstartPlace at,
      @Nullable String device,
      String bootProtocol,
      @Nullable String hostname,
      @Nullable String ip,
      @Nullable String netmask,
      @Nullable String gateway,
      List<String> nameservers,
      @Nullable String ipv6,
      @Nullable String ipv6Gateway,
      boolean noIpv4,
      boolean noIpv6,
      boolean noDns,
      boolean noDefaultRoute,
      boolean onBoot,
      boolean activate,
      @Nullable String mtu,
      @Nullable String interfaceName,
      @Nullable String vlan,
      List<String> bondMembers,
      List<String> bondOptions,
      List<String> bridgeMembers,
      List<String> bridgeOptions,
      Map<String, String> options)
      implements KickstartCommand {}

  /** {@code clearpart}. */
  record ClearPart(
      KickstartPlace at,
      @Nullable String which,
      boolean initialize,
      @Nullable String label,
      List<String> drives,
      List<String> partitions,
      boolean cdl)
      implements KickstartCommand {}

  /** {@code zerombr}. */
  record ZeroMbr(KickstartPlace at) implements KickstartCommand {}

  /** {@code ignoredisk}: disks to leave alone, or the only ones to use. */
  record IgnoreDisk(KickstartPlace at, List<String> drives, List<String> onlyUse)
      implements KickstartCommand {}

  /** {@code reqpart}. */
  record ReqPart(KickstartPlace at, boolean boot) implements KickstartCommand {}

  /** How a file system is made and mounted. */
  record Format(
      @Nullable String type,
      boolean make,
      @Nullable String label,
      @Nullable String profile,
      @Nullable String makeOptions,
      @Nullable String mountOptions) {}

  /** How a device is encrypted. */
  record Encryption(
      boolean encrypted,
      @Nullable String passphrase,
      @Nullable String cipher,
      @Nullable String version,
      @Nullable String derivation,
      @Nullable Long derivationMemory,
      @Nullable Long derivationTime,
      @Nullable Long derivationIterations,
      @Nullable String escrowCertificate,
      boolean backupPassphrase,
      @Nullable String hardwarePassphrase) {}

  /** How large something is, in MiB. */
  record Size(
      @Nullable Long size,
      boolean grow,
      @Nullable Long most,
      boolean recommended,
      boolean hibernation,
      boolean resize) {}

  /** {@code part} and {@code partition}. */
  record Partition(
      KickstartPlace at,
      String mountPoint,
      Size size,
      Format format,
      Encryption encryption,
      @Nullable String disk,
      @Nullable String biosDisk,
      @Nullable String existing,
      boolean primary)
      implements KickstartCommand {}

  /** {@code raid}. */
  record Raid(
      KickstartPlace at,
      String mountPoint,
      String device,
      @Nullable String level,
      @Nullable Long spares,
      @Nullable Long chunkSize,
      boolean existing,
      Format format,
      Encryption encryption,
      List<String> members)
      implements KickstartCommand {}

  /** {@code volgroup}. */
  record VolGroup(
      KickstartPlace at,
      String name,
      boolean existing,
      @Nullable Long extentSize,
      @Nullable Long reservedSpace,
      @Nullable Long reservedPercent,
      List<String> members)
      implements KickstartCommand {}

  /** What a logical volume is to a pool of thin ones. */
  record Thin(
      boolean pool,
      boolean volume,
      @Nullable String poolName,
      @Nullable Long chunkSize,
      @Nullable Long metadataSize,
      @Nullable String profile) {}

  /** The cache of a logical volume. */
  record Cache(@Nullable Long size, @Nullable String mode, List<String> members) {}

  /** {@code logvol}. */
  record LogVol(
      KickstartPlace at,
      String mountPoint,
      String group,
      String name,
      Size size,
      @Nullable Long percent,
      boolean existing,
      Format format,
      Encryption encryption,
      Thin thin,
      Cache cache)
      implements KickstartCommand {}

  /** {@code btrfs}. */
  record Btrfs(
      KickstartPlace at,
      String mountPoint,
      List<String> devices,
      boolean existing,
      @Nullable String label,
      @Nullable String dataLevel,
      @Nullable String metadataLevel,
      boolean subvolume,
      @Nullable String parent,
      @Nullable String name,
      @Nullable String makeOptions)
      implements KickstartCommand {}

  /** {@code autopart}. */
  record AutoPart(
      KickstartPlace at,
      @Nullable String type,
      @Nullable String fileSystem,
      Encryption encryption,
      boolean noHome,
      boolean noBoot,
      boolean noSwap,
      boolean hibernation)
      implements KickstartCommand {}

  /** {@code mount}: a device that is there already. */
  record Mount(
      KickstartPlace at,
      String device,
      String mountPoint,
      boolean reformat,
      @Nullable String format,
      @Nullable String makeOptions,
      @Nullable String mountOptions)
      implements KickstartCommand {}

  /** {@code bootloader}. */
  record BootLoader(
      KickstartPlace at,
      @Nullable String arguments,
      String location,
      @Nullable String password,
      boolean encrypted,
      List<String> driveOrder,
      @Nullable String bootDrive,
      @Nullable Long timeout,
      @Nullable String defaultKernel,
      boolean disabled,
      boolean keepBootOrder,
      boolean noMbr,
      boolean extlinux,
      boolean systemdBoot)
      implements KickstartCommand {}

  /** {@code ostreecontainer}: a container image is what gets installed. */
  record OstreeContainer(
      KickstartPlace at,
      String url,
      @Nullable String transport,
      @Nullable String stateroot,
      @Nullable String remote,
      boolean noSignatureVerification)
      implements KickstartCommand {}

  /** {@code ostreesetup}: a commit of an ostree repository is what gets installed. */
  record OstreeSetup(
      KickstartPlace at, String osname, String remote, String url, String ref, boolean noGpg)
      implements KickstartCommand {}

  /** {@code bootc}: a container image is what gets installed, by bootc. */
  record Bootc(
      KickstartPlace at,
      String stateroot,
      String source,
      String target,
      @Nullable String bootLoader,
      boolean composefs)
      implements KickstartCommand {}

  /** A password, perhaps as a hash. */
  record Password(@Nullable String text, boolean encrypted, boolean locked) {}

  /** {@code user}. */
  record User(
      KickstartPlace at,
      String name,
      Password password,
      @Nullable String home,
      @Nullable String shell,
      @Nullable String comment,
      @Nullable Long uid,
      @Nullable Long gid,
      List<String> groups)
      implements KickstartCommand {}

  /** {@code group}. */
  record Group(KickstartPlace at, String name, @Nullable Long gid) implements KickstartCommand {}

  /** {@code rootpw}. */
  record RootPw(KickstartPlace at, Password password, boolean allowSsh)
      implements KickstartCommand {}

  /** {@code sshkey}. */
  record SshKey(KickstartPlace at, String user, String key) implements KickstartCommand {}

  /** {@code sshpw}: who may log in to the installer. */
  record SshPw(KickstartPlace at, String user, Password password, boolean key)
      implements KickstartCommand {}

  /** {@code firewall}. */
  record Firewall(
      KickstartPlace at,
      boolean enabled,
      boolean systemDefaults,
      List<String> ports,
      List<String> trusted,
      List<String> services,
      List<String> removedServices)
      implements KickstartCommand {}

  /** {@code services}. */
  record Services(KickstartPlace at, List<String> enabled, List<String> disabled)
      implements KickstartCommand {}

  /** {@code selinux}: disabled, enforcing or permissive. */
  record SeLinux(KickstartPlace at, @Nullable String mode) implements KickstartCommand {}

  /** {@code firstboot}: disabled, enabled or reconfig. */
  record FirstBoot(KickstartPlace at, @Nullable String mode) implements KickstartCommand {}

  /** {@code reboot}, {@code poweroff}, {@code halt} or {@code shutdown}. */
  record End(KickstartPlace at, String how, boolean eject, boolean kexec)
      implements KickstartCommand {}

  /** A command that is recognised and checked, and of which no installer of ours makes anything. */
  record Other(KickstartPlace at, String name, List<String> words) implements KickstartCommand {}
}
