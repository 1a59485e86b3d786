package slipway.host.changes;

import java.io.IOException;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.host.status.DeploymentChoice;
import slipway.host.status.ImageFacts;
import slipway.host.status.StatusReader;
import slipway.host.system.HostEnvironment;
import slipway.ostree.object.Commit;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.Deployment;
import slipway.system.kargs.KernelArguments;
import slipway.tree.FileTree;

/** Compares two versions that a machine has. Needs no privilege and changes nothing. */
public final class WhatChanged {
  /** Files of units and of their drop-ins; links that enable them are in {@code etc}. */
  private static final Pattern UNIT =
      Pattern.compile(
          "/(usr/lib|usr/etc|etc)/systemd/(system|user)/.*\\.(service|socket|timer|target|path|mount"
              + "|automount|slice|swap|scope|device|conf)");

  private static final Set<String> ROLES = Set.of("booted", "staged", "rollback");

  private final Sysroot sysroot;

  private record Named(String name, Deployment deployment) {}

  private WhatChanged(Sysroot sysroot) {
    this.sysroot = sysroot;
  }

  /**
   * Compares two versions.
   *
   * @param from as {@link DeploymentChoice#find} takes it; null together with {@code to} for what
   *     comes with the next boot or came with the last
   * @param to likewise
   */
  public static Changes between(HostEnvironment host, @Nullable String from, @Nullable String to)
      throws IOException {
    if (!host.runState().booted()) {
      throw Problem.environment("System is not deployed via bootc.");
    }
    WhatChanged machine = new WhatChanged(host.sysroot());
    Deployment runs = machine.sysroot.booted().orElseThrow(HostEnvironment::notInMenu);
    if (from != null) {
      return machine.compare(machine.find(from), machine.find(to == null ? "booted" : to));
    }
    Named booted = new Named("booted", runs);
    Optional<Deployment> staged = machine.sysroot.staged();
    if (staged.isPresent()) {
      return machine.compare(booted, new Named("staged", staged.get()));
    }
    Deployment before =
        DeploymentChoice.rollback(machine.sysroot)
            .orElseThrow(
                () ->
                    Problem.input(
                        "there is nothing to compare with: the machine has one version only"));
    return machine.compare(new Named("rollback", before), booted);
  }

  private Named find(String word) throws IOException {
    Deployment found = DeploymentChoice.find(sysroot, word);
    return new Named(ROLES.contains(word) ? word : found.id(), found);
  }

  private Commit commit(Named named) throws IOException {
    return sysroot.repository().readCommit(named.deployment().checksum());
  }

  private String digest(Named named) throws IOException {
    return commit(named)
        .string(StatusReader.MANIFEST_DIGEST)
        .orElse(named.deployment().checksum().hex());
  }

  private Changes.Version version(Named named) throws IOException {
    String config = commit(named).string(StatusReader.CONFIG).orElse("{}");
    return new Changes.Version(named.name(), ImageFacts.parse(config).version(), digest(named));
  }

  private Changes compare(Named from, Named to) throws IOException {
    FileTree before = sysroot.repository().readTree(from.deployment().checksum());
    FileTree after = sysroot.repository().readTree(to.deployment().checksum());
    SortedMap<String, Alteration> files = new TreeMap<>();
    SortedMap<String, Alteration> units = new TreeMap<>();
    TreeDiff.of(before, after).forEach((path, change) -> sort("/" + path, change, files, units));
    return new Changes(
        version(from),
        version(to),
        Changes.packages(packages(before), packages(after)),
        arguments(from.deployment().kargs(), to.deployment().kargs()),
        units,
        files);
  }

  /** By the database of dpkg, else by that of rpm. */
  private static SortedMap<String, String> packages(FileTree tree) throws IOException {
    SortedMap<String, String> packages = DpkgStatus.read(tree);
    return packages.isEmpty() ? RpmDatabase.read(tree) : packages;
  }

  private static void sort(
      String path,
      Alteration change,
      SortedMap<String, Alteration> files,
      SortedMap<String, Alteration> units) {
    files.put(path, change);
    if (UNIT.matcher(path).matches()) {
      units.put(path, change);
    }
  }

  private static SortedMap<String, Alteration> arguments(KernelArguments from, KernelArguments to) {
    SortedMap<String, Alteration> changes = new TreeMap<>();
    from.list().stream()
        .filter(a -> !to.list().contains(a))
        .forEach(a -> changes.put(a, Alteration.REMOVED));
    to.list().stream()
        .filter(a -> !from.list().contains(a))
        .forEach(a -> changes.put(a, Alteration.ADDED));
    return changes;
  }
}
