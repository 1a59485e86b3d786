package slipway.host.changes;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import slipway.base.Printable;
import slipway.base.Problem;
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

  private final Sysroot sysroot;
  private final List<Named> known = new ArrayList<>();

  private record Named(String name, Deployment deployment) {}

  private WhatChanged(Sysroot sysroot) {
    this.sysroot = sysroot;
    sysroot.staged().ifPresent(d -> known.add(new Named("staged", d)));
    Deployment booted = sysroot.booted().orElseThrow(HostEnvironment::notInMenu);
    known.add(new Named("booted", booted));
    String name = "rollback";
    for (Deployment d : sysroot.deployments()) {
      if (!d.booted()) {
        boolean related = d.stateroot().equals(booted.stateroot());
        known.add(new Named(related ? name : "other", d));
        name = related ? "other" : name;
      }
    }
  }

  /**
   * Compares two versions.
   *
   * @param from {@code booted}, {@code staged}, {@code rollback}, or the beginning of a commit or
   *     digest; null together with {@code to} for what comes with the next boot or came with the
   *     last
   * @param to likewise
   */
  public static Changes between(HostEnvironment host, @Nullable String from, @Nullable String to)
      throws IOException {
    if (!host.runState().booted()) {
      throw Problem.environment("System is not deployed via bootc.");
    }
    WhatChanged machine = new WhatChanged(host.sysroot());
    if (from != null) {
      return machine.compare(machine.find(from), machine.find(to == null ? "booted" : to));
    }
    Optional<Named> staged = machine.first("staged");
    Named booted = machine.find("booted");
    return staged.isPresent()
        ? machine.compare(booted, staged.get())
        : machine.compare(
            machine
                .first("rollback")
                .orElseThrow(
                    () ->
                        Problem.input(
                            "there is nothing to compare with: the machine has one version only")),
            booted);
  }

  private Optional<Named> first(String name) {
    return known.stream().filter(n -> n.name().equals(name)).findFirst();
  }

  private Named find(String word) throws IOException {
    Optional<Named> named = first(word.toLowerCase(Locale.ROOT));
    if (named.isPresent()) {
      return named.get();
    }
    List<Named> found = new ArrayList<>();
    for (Named n : known) {
      if (n.deployment().checksum().hex().startsWith(word) || digest(n).startsWith(word)) {
        found.add(n);
      }
    }
    if (word.length() < 4 || found.isEmpty()) {
      throw Problem.notFound(
          "there is no version \""
              + Printable.text(word)
              + "\"; known are "
              + String.join(", ", known.stream().map(Named::name).distinct().toList())
              + ", and the beginning of a commit or digest that bootc status -v shows");
    }
    return found.getFirst();
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
        Changes.packages(DpkgStatus.read(before), DpkgStatus.read(after)),
        arguments(from.deployment().kargs(), to.deployment().kargs()),
        units,
        files);
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
