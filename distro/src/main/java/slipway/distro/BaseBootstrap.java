package slipway.distro;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import slipway.base.AtomicFile;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.linux.lock.ScratchFolder;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.process.Command;
import slipway.oci.model.Platform;

/**
 * Installs Debian packages into an empty folder with mmdebstrap(1). Downloaded packages are kept
 * and used again; what a build did not need is dropped.
 *
 * @param platform that the packages are for; their scripts run, also those of another processor
 * @param kept name of the folder for downloads: builds with other packages have another
 * @param pins preferences for packages of the unstable suite (apt_preferences(5)); empty when none
 *     is taken from there
 */
record BaseBootstrap(
    String suite,
    Platform platform,
    List<String> packages,
    BaseMirror mirror,
    Path state,
    String kept,
    String pins) {
  private static final Duration LIMIT = Duration.ofMinutes(60);

  /** What apt on this machine is told about fetching and a mirror may depend on. */
  private static final List<String> APT_SETTINGS =
      List.of(
          "Acquire::http::Proxy",
          "Acquire::https::Proxy",
          "Acquire::Check-Valid-Until",
          "Acquire::Check-Date",
          "Acquire::Retries");

  private static final String UNSTABLE = "sid";

  /** Before a command: its mounts and processes vanish with it, and it with us, however we end. */
  static final List<String> APART =
      List.of(
          "setpriv",
          "--pdeathsig",
          "KILL",
          "--",
          "unshare",
          "--mount",
          "--propagation",
          "private",
          "--pid",
          "--fork",
          "--kill-child=KILL",
          "--mount-proc");

  /**
   * Whether programs of another processor run here, also within a chroot, is what mmdebstrap asks
   * arch-test(1) too; it does not say what to do.
   */
  private void requirePrograms(Path root) {
    String architecture = platform.architecture();
    if (Platform.host().accepts(platform)) {
      return;
    }
    // Of a shell, to which a program that is missing is an answer.
    Command test =
        Command.of("sh", "-c", "arch-test -c \"$0\" \"$1\"").with(root.toString(), architecture);
    if (test.tryRun().status() != 0) {
      throw Problem.environment(
          "packages of "
              + architecture
              + " run programs while they are installed, and this computer runs none of "
              + architecture
              + ": install arch-test and qemu-user-static, and see that binfmt_misc is mounted at"
              + " /proc/sys/fs/binfmt_misc");
    }
  }

  /** Installs everything into {@code root}, which is empty. */
  void run(Path root, Progress progress) throws IOException {
    requirePrograms(root);
    Path archives = Files.createDirectories(state.resolve("archives").resolve(kept));
    Path preferences = state.resolve("pins");
    AtomicFile.write(preferences, pins);
    // What mmdebstrap leaves there when it is ended goes with it; apt's own user looks into it.
    try (ScratchFolder temporary = ScratchFolder.create(state, "tmp-", progress::note);
        Progress.Phases phases = progress.phases("packages")) {
      Posix.chmod(OsPath.of(temporary.path()), 0755);
      Command.Result result =
          Command.of(arguments(root))
              .environment("SLIPWAY_ARCHIVES", archives.toString())
              .environment("SLIPWAY_PINS", preferences.toString())
              // The initramfs is made once, at the end.
              .environment("INITRD", "No")
              .environment("TMPDIR", temporary.path().toString())
              .timeout(LIMIT)
              .tryRun(line -> phase(line).ifPresent(phases::at));
      if (result.status() != 0) {
        throw Problem.environment(
            "mmdebstrap could not install Debian " + suite + ": " + reason(result));
      }
    }
    Set<String> used = archiveNames(Files.readString(root.resolve("var/lib/dpkg/status")));
    try (Stream<Path> files = Files.list(archives)) {
      for (Path file : files.filter(f -> !used.contains(f.getFileName().toString())).toList()) {
        Files.delete(file);
      }
    }
  }

  /**
   * What a line of mmdebstrap says it begins to do. The scripts of hooks are left out: they are
   * ours and no sight for people.
   */
  static Optional<String> phase(String line) {
    if (!line.startsWith("I: ")) {
      return Optional.empty();
    }
    String text = line.substring(3).strip();
    return Optional.of(
        text.replaceFirst("^(running --\\S+) (in shell|directly).*", "$1")
            .replaceFirst("\\.\\.\\.$", ""));
  }

  /** The names that apt gives the archives of all packages in dpkg's status file. */
  static Set<String> archiveNames(String status) {
    Set<String> names = new HashSet<>();
    for (Map<String, String> stanza : BaseMirror.stanzas(status)) {
      names.add(
          "%s_%s_%s.deb"
              .formatted(
                  stanza.get("package"),
                  stanza.getOrDefault("version", "").replace(":", "%3a"),
                  stanza.get("architecture")));
    }
    return names;
  }

  /** The lines that apt, dpkg and mmdebstrap mark as errors; else the last ones. */
  private static String reason(Command.Result result) {
    List<String> lines = result.stderr().lines().filter(l -> !l.isBlank()).toList();
    List<String> errors =
        lines.stream().filter(l -> l.matches("(E|Err|dpkg|dracut\\S*): .*|.*[Ee]rror.*")).toList();
    List<String> shown = errors.isEmpty() ? lines : errors;
    return String.join("; ", shown.subList(Math.max(0, shown.size() - 4), shown.size()));
  }

  private List<String> arguments(Path root) {
    List<String> all = new ArrayList<>(APART);
    all.addAll(
        List.of(
            "mmdebstrap",
            "--mode=root",
            "--variant=minbase",
            "--format=directory",
            "--architectures=" + platform.architecture(),
            "--dpkgopt=path-exclude=/usr/share/doc/*",
            "--dpkgopt=path-include=/usr/share/doc/*/copyright",
            "--dpkgopt=path-exclude=/usr/share/man/*",
            "--dpkgopt=path-exclude=/usr/share/info/*",
            "--dpkgopt=path-exclude=/usr/share/locale/*",
            // A tree that is lost with a crash is made anew.
            "--dpkgopt=force-unsafe-io",
            "--aptopt=APT::Install-Recommends \"false\"",
            "--setup-hook=cp \"$SLIPWAY_PINS\" \"$1/etc/apt/preferences.d/slipway\"",
            "--setup-hook=mkdir -p \"$1/var/cache/apt/archives\"; find \"$SLIPWAY_ARCHIVES\""
                + " -name '*.deb' -exec cp -t \"$1/var/cache/apt/archives/\" {} +",
            "--customize-hook=find \"$1/var/cache/apt/archives\" -name '*.deb' -exec mv -f -t"
                + " \"$SLIPWAY_ARCHIVES\" {} +",
            // Both would remove packages before they are kept.
            "--skip=essential/unlink,cleanup/apt",
            "--include=" + String.join(",", packages)));
    aptSettings().forEach(setting -> all.add("--aptopt=" + setting));
    all.add(suite);
    all.add(root.toString());
    for (BaseMirror.Source source : sources()) {
      for (String suite : source.suites()) {
        all.add("deb " + source.uri() + " " + suite + " " + String.join(" ", source.components()));
      }
    }
    return all;
  }

  private List<BaseMirror.Source> sources() {
    List<BaseMirror.Source> sources = new ArrayList<>(mirror.sourcesFor(suite));
    if (!pins.isEmpty() && sources.stream().noneMatch(s -> s.suites().contains(UNSTABLE))) {
      sources.add(new BaseMirror.Source(mirror.main(), List.of(UNSTABLE), List.of("main")));
    }
    return sources;
  }

  /** Takes the machine's proxies and the like along; a machine without apt has none. */
  private static List<String> aptSettings() {
    List<String> found = new ArrayList<>();
    if (!Files.isExecutable(Path.of("/usr/bin/apt-config"))) {
      return found;
    }
    for (String line : Command.of("apt-config", "dump").output().lines().toList()) {
      if (APT_SETTINGS.stream().anyMatch(name -> line.startsWith(name + " \""))
          && !line.endsWith(" \"\";")) {
        found.add(line.substring(0, line.length() - 1));
      }
    }
    return found;
  }
}
