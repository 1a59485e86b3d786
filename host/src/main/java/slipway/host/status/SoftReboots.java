package slipway.host.status;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import slipway.base.RawText;
import slipway.host.system.HostEnvironment;
import slipway.linux.posix.FdInput;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.RootedFile;
import slipway.sysroot.state.Deployment;

/**
 * Whether the running kernel could go on with another deployment (systemd-soft-reboot.service(8)).
 * ostree prepares the new root, which it does for roots out of composefs images only.
 */
public final class SoftReboots {
  private static final OsPath SELINUX = OsPath.of("usr/etc/selinux");
  private static final Pattern TYPE = Pattern.compile("(?m)^SELINUXTYPE=([A-Za-z0-9_-]+)\\s*$");

  /** Versions of the policy's format that kernels know. */
  private static final int NEWEST_POLICY = 40;

  private static final int OLDEST_POLICY = 15;

  private final HostEnvironment host;

  /** Whether ostree can prepare a root, once it was asked. */
  private @Nullable Boolean prepared;

  public SoftReboots(HostEnvironment host) {
    this.host = host;
  }

  /** Why this machine cannot do it at all; empty when it can. */
  public Optional<String> hindrance() throws IOException {
    Path root = host.root();
    if (!Files.exists(root.resolve("usr/lib/systemd/system/soft-reboot.target"))) {
      return Optional.of("its systemd has none");
    }
    if (!host.runState().composefs()) {
      return Optional.of("its root file system does not come out of a composefs image");
    }
    if (!Files.exists(root.resolve("usr/bin/ostree"))) {
      return Optional.of("it has no ostree command, which prepares the new root");
    }
    if (prepared == null) {
      prepared = host.system().preparesSoftReboots();
    }
    if (!prepared) {
      return Optional.of(
          "its ostree command cannot prepare the new root: versions before 2025.3 cannot, and some"
              + " are built without it");
    }
    return Optional.empty();
  }

  /** Why the running kernel cannot go on with a deployment; empty when it can. */
  public Optional<String> hindrance(Deployment target, Deployment booted) throws IOException {
    if (!target.bootChecksum().equals(booted.bootChecksum())) {
      return Optional.of("its kernel or initramfs is another one");
    }
    if (!target.kargs().equals(booted.kargs())) {
      return Optional.of("its kernel arguments are others");
    }
    if (Files.exists(host.root().resolve("sys/fs/selinux/enforce"))
        && !policy(target).equals(policy(booted))) {
      return Optional.of("its SELinux policy is another one");
    }
    return hindrance();
  }

  /** Which file is the binary policy of a deployment's image: the same content is the same file. */
  private Optional<Long> policy(Deployment deployment) throws IOException {
    OsPath root = OsPath.of(host.root().resolve(deployment.directory()));
    Optional<byte[]> config =
        RootedFile.read(
            root, SELINUX.resolve("config"), RootedFile.Links.IN_ROOT, "the SELinux configuration");
    if (config.isEmpty()) {
      return Optional.empty();
    }
    Matcher type = TYPE.matcher(RawText.decode(config.get()));
    OsPath directory = SELINUX.resolve(type.find() ? type.group(1) : "targeted").resolve("policy");
    for (int version = NEWEST_POLICY; version >= OLDEST_POLICY; version--) {
      Optional<FdInput> file =
          RootedFile.open(
              root,
              directory.resolve("policy." + version),
              RootedFile.Links.IN_ROOT,
              "the SELinux policy");
      if (file.isPresent()) {
        try (FdInput in = file.get()) {
          return Optional.of(in.stat().inode());
        }
      }
    }
    return Optional.empty();
  }
}
