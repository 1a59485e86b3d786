package slipway.host.update;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import slipway.base.AfterCommit;
import slipway.base.CommandValue;
import slipway.base.Problem;
import slipway.base.RawText;
import slipway.host.status.BoundImages;
import slipway.host.system.BoundStore;
import slipway.host.system.HostEnvironment;
import slipway.host.system.ImagesInUse;
import slipway.linux.lock.Flock;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.RootedFile;
import slipway.oci.model.Platform;
import slipway.oci.model.Reference;
import slipway.ostree.object.Checksum;
import slipway.sysroot.DeploySpec;
import slipway.sysroot.NewSysroot;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.ContainerReference;
import slipway.sysroot.state.Deployment;
import slipway.sysroot.state.Origin;
import slipway.system.kargs.KernelArguments;
import slipway.system.kargs.KernelArgumentsDirectory;
import slipway.tree.FileTree;

/**
 * Begins a machine anew: an image is staged in a stateroot of its own, with its own /etc and an
 * empty /var. The state of before stays beside it until it is removed.
 */
public final class FactoryReset {
  /** What the kernel and its initramfs find the root by, and how it is mounted. */
  private static final List<String> ROOT =
      List.of("root=", "rootflags=", "rd.", "luks.", "netroot=", "ip=");

  private static final List<String> MOUNTED = List.of("rw", "ro");

  /** Mounts that belong to the boot loader, and so to every system on the disk. */
  private static final List<String> BOOT_MOUNTS = List.of("/boot", "/boot/efi", "/efi");

  /** How a machine whose /etc is transient says the same. */
  private static final Pattern BOOT_ARGUMENT =
      Pattern.compile(
          "boot=.*|systemd\\.gpt_auto=.*|systemd\\.mount-extra=.*:("
              + String.join("|", BOOT_MOUNTS)
              + ")(:.*)?");

  private static final Pattern MOUNT_ARGUMENT =
      Pattern.compile("systemd\\.mount-extra=[^:]*:(/[^:]*)(:.*)?");

  private static final OsPath FSTAB = OsPath.of("etc/fstab");

  private final HostEnvironment host;
  private final AfterCommit after;
  private final HostVoice voice;
  private final NextBoot nextBoot;

  /** Whether the new stateroot is this one's: somebody else may make one of the same name. */
  private boolean made;

  public FactoryReset(HostEnvironment host) {
    this.host = host;
    this.after = new AfterCommit(host.progress()::note);
    this.voice = new HostVoice(host, after);
    this.nextBoot = new NextBoot(host, after, voice);
  }

  /**
   * How a machine begins anew.
   *
   * @param stateroot name of the new stateroot; null for {@code state-YEAR-N}
   * @param image to fetch and follow; null for what runs
   * @param arguments more kernel arguments
   * @param withoutRoot whether the arguments that find the root are not taken over
   * @param apply whether to reboot at once
   */
  public record Options(
      @Nullable String stateroot,
      @Nullable Reference image,
      List<String> arguments,
      boolean withoutRoot,
      boolean apply) {
    public Options {
      arguments = List.copyOf(arguments);
      String name = stateroot;
      if (name != null) {
        CommandValue.require("--stateroot", () -> NewSysroot.requireStateroot(name));
      }
      KernelArguments added = new KernelArguments(arguments);
      CommandValue.require("--karg", () -> added.requireWritable("--karg"));
    }
  }

  /**
   * Where the machine begins anew.
   *
   * @param before the stateroot that runs still
   * @param checksum of the commit that is staged
   */
  public record Begun(String stateroot, String before, String checksum) {}

  /** Stages the image; nothing of what runs is changed. */
  public Begun run(Options options) throws IOException {
    host.requireHost();
    Sysroot sysroot = host.sysroot();
    Deployment booted = Host.requireBooted(sysroot);
    String wanted = options.stateroot();
    String name = wanted == null ? freeName(sysroot) : wanted;
    Reference image = options.image();
    Optional<Deployment> waiting = sysroot.staged();
    if (sysroot.isStaterootTaken(name)) {
      throw Problem.input("there is a stateroot " + name + " already; give another name");
    }
    Deployment staged;
    try (Flock fetched = ImagesInUse.fetching(host)) {
      host.system().startFinalizer();
      staged =
          image == null
              ? stage(sysroot, name, booted.checksum(), booted.origin(), options)
              : fetched(sysroot, name, image, options);
    } catch (IOException | RuntimeException e) {
      discard(sysroot, name, waiting, e);
      throw e;
    }
    collect(sysroot);
    after.attempt(
        "the image is not told",
        () -> voice.say("Queued for next boot: " + DeployedImage.describe(sysroot, staged)));
    waiting.ifPresent(this::tellDropped);
    waiting.ifPresent(d -> forgetUnstarted(sysroot, d.stateroot(), name));
    voice.say("  New stateroot: " + name);
    voice.say(
        "  What is in "
            + booted.stateroot()
            + " stays; once the new one runs, bootc install remove-state "
            + booted.stateroot()
            + " removes it");
    after.attempt(
        "which file systems the new one does not mount is not told",
        () -> tellUnmounted(sysroot, booted, staged));
    voice.tellReboot(sysroot);
    voice.touch();
    nextBoot.come(new NextBoot.Wish(options.apply(), null), sysroot, staged);
    return new Begun(name, booted.stateroot(), staged.checksum().hex());
  }

  private String freeName(Sysroot sysroot) throws IOException {
    int year = host.clock().instant().atOffset(ZoneOffset.UTC).getYear();
    int number = 0;
    while (isInUse(sysroot, "state-" + year + "-" + number)) {
      number++;
    }
    return "state-" + year + "-" + number;
  }

  /** What is staged stays whole until another takes its place, and is no beginning for that. */
  private static boolean isInUse(Sysroot sysroot, String name) throws IOException {
    return sysroot.isStaterootTaken(name)
        || sysroot.staged().filter(d -> d.stateroot().equals(name)).isPresent();
  }

  private void tellDropped(Deployment staged) {
    voice.say("notice: What was staged is dropped: " + staged);
  }

  /** Removes the stateroot of an earlier reset that nothing has started from. */
  private void forgetUnstarted(Sysroot sysroot, String earlier, String name) {
    after.attempt(
        "the stateroot " + earlier + ", which never started, could not be removed",
        () -> {
          if (!earlier.equals(name)
              && sysroot.stateroots().contains(earlier)
              && !sysroot.isStaterootTaken(earlier)) {
            sysroot.removeStateroot(earlier, Sysroot.Before.NOTHING);
          }
        });
  }

  private Deployment fetched(Sysroot sysroot, String name, Reference image, Options options)
      throws IOException {
    ContainerReference place = ContainerReference.registry(image.toString());
    ImagePull.Wanted wanted = new ImagePull.Wanted(place, place, null);
    try (ImagePull pull = ImagePull.prepare(host, sysroot.repository(), wanted)) {
      pull.check();
      Checksum commit = pull.fetch(ProgressStream.NONE);
      return stage(sysroot, name, commit, Origin.ofContainer(place.toString()), options);
    }
  }

  private Deployment stage(
      Sysroot sysroot, String name, Checksum commit, Origin origin, Options options)
      throws IOException {
    Deployment booted = Host.requireBooted(sysroot);
    FileTree files = sysroot.repository().readTree(commit);
    KernelArguments arguments =
        kept(booted.kargs(), options.withoutRoot())
            .append(KernelArgumentsDirectory.read(files, Platform.host().architecture()))
            .append(options.arguments());
    List<String> mounts = bootMounts(sysroot.path(booted));
    List<String> bound = BoundImages.of(files);
    if (!bound.isEmpty()) {
      BoundStore.of(host).bring(bound, BoundStore.From.REGISTRIES);
    }
    sysroot.makeStateroot(name, nextBoot::forgetSoftReboot);
    made = true;
    return sysroot.stage(
        new DeploySpec(name, commit, origin, arguments, Map.of(), null),
        false,
        new Sysroot.Admission() {
          @Override
          public void admit(Deployment planned) throws IOException {
            nextBoot.forgetSoftReboot();
          }

          @Override
          public void dress(Path directory) throws IOException {
            append(directory, mounts);
          }
        });
  }

  /** The arguments that are not of the image and that the machine starts by. */
  private static KernelArguments kept(KernelArguments running, boolean withoutRoot) {
    return new KernelArguments(
        running.list().stream()
            .filter(
                argument ->
                    BOOT_ARGUMENT.matcher(argument).matches()
                        || (!withoutRoot
                            && (MOUNTED.contains(argument)
                                || ROOT.stream().anyMatch(argument::startsWith))))
            .toList());
  }

  /** The lines of fstab that mount what belongs to the boot loader. */
  private static List<String> bootMounts(Path deployment) throws IOException {
    return mounts(deployment).entrySet().stream()
        .filter(mount -> BOOT_MOUNTS.contains(mount.getValue()))
        .map(Map.Entry::getKey)
        .toList();
  }

  /** The lines of fstab, with where they mount something. */
  private static Map<String, String> mounts(Path deployment) throws IOException {
    Optional<byte[]> fstab = fstab(deployment);
    Map<String, String> found = new LinkedHashMap<>();
    for (String line : RawText.lines(RawText.decode(fstab.orElse(new byte[0])))) {
      String[] fields = line.strip().split("\\s+");
      if (!line.strip().startsWith("#") && fields.length > 1 && fields[1].startsWith("/")) {
        found.put(line.strip(), fields[1].replaceFirst("(.)/+$", "$1"));
      }
    }
    return found;
  }

  /** What is on other file systems is neither erased nor seen by the new system. */
  private void tellUnmounted(Sysroot sysroot, Deployment booted, Deployment staged)
      throws IOException {
    Set<String> places = new TreeSet<>(places(sysroot, booted));
    Path var = host.root().resolve("var");
    if (Files.isDirectory(var)
        && Posix.stat(OsPath.of(var)).device()
            != Posix.stat(OsPath.of(sysroot.path(booted))).device()) {
      places.add("/var");
    }
    places.removeAll(places(sysroot, staged));
    places.remove("/");
    if (!places.isEmpty()) {
      voice.say(
          "notice: File systems of their own are neither erased nor mounted in the new one, unless"
              + " its image does: "
              + String.join(", ", places));
    }
  }

  /** Where fstab and the kernel arguments of a deployment mount something. */
  private static Set<String> places(Sysroot sysroot, Deployment deployment) throws IOException {
    Set<String> places = new TreeSet<>(mounts(sysroot.path(deployment)).values());
    for (String argument : deployment.kargs().list()) {
      Matcher mount = MOUNT_ARGUMENT.matcher(argument);
      if (mount.matches()) {
        places.add(mount.group(1));
      }
    }
    return places;
  }

  private static Optional<byte[]> fstab(Path deployment) throws IOException {
    return RootedFile.read(
        OsPath.of(deployment), FSTAB, RootedFile.Links.BENEATH, deployment + "/" + FSTAB);
  }

  /** Nobody but us knows this deployment yet. */
  private static void append(Path deployment, List<String> lines) throws IOException {
    Path file = deployment.resolve(FSTAB.toPath());
    if (lines.isEmpty() || !Files.isDirectory(file.resolveSibling(""))) {
      return;
    }
    if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)
        && !Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
      throw Problem.input("the image's /etc/fstab is no regular file; make it one");
    }
    String before = RawText.decode(fstab(deployment).orElse(new byte[0]));
    StringBuilder text = new StringBuilder(before.isEmpty() || before.endsWith("\n") ? "" : "\n");
    lines.forEach(line -> text.append(line).append('\n'));
    Files.write(
        file,
        RawText.encode(text.toString()),
        StandardOpenOption.CREATE,
        StandardOpenOption.APPEND,
        LinkOption.NOFOLLOW_LINKS);
  }

  /** Takes away what was made in vain. */
  private void discard(
      Sysroot sysroot, String name, Optional<Deployment> waiting, Exception failure) {
    try {
      sysroot.reload();
      waiting.filter(d -> sysroot.staged().isEmpty()).ifPresent(this::tellDropped);
      boolean used = sysroot.staged().filter(d -> d.stateroot().equals(name)).isPresent();
      if (made && !used && sysroot.stateroots().contains(name)) {
        sysroot.removeStateroot(name, Sysroot.Before.NOTHING);
      }
      ImageRefs.collect(host, sysroot);
    } catch (IOException | RuntimeException e) {
      failure.addSuppressed(e);
    }
  }

  /**
   * Removes a stateroot that runs no more, with its deployments and its /var.
   *
   * @param name which; null for the only one that does not run
   * @return its name
   */
  public String forget(@Nullable String name) throws IOException {
    host.requireHost();
    Sysroot sysroot = host.sysroot();
    Deployment booted = Host.requireBooted(sysroot);
    String gone;
    try {
      gone = name == null ? onlyOther(sysroot, booted) : name;
      sysroot.removeStateroot(gone, nextBoot::forgetSoftReboot);
    } catch (Problem e) {
      if (e.kind() == Problem.Kind.NOT_FOUND) {
        // One that was killed when it was gone may have left what it alone needed.
        collect(sysroot);
      }
      throw e;
    }
    voice.say("Removed the stateroot " + gone);
    voice.tellReboot(sysroot);
    collect(sysroot);
    voice.touch();
    return gone;
  }

  private void collect(Sysroot sysroot) {
    after.attempt("old images could not be removed", () -> ImageRefs.collect(host, sysroot));
  }

  private static String onlyOther(Sysroot sysroot, Deployment booted) throws IOException {
    List<String> others = new ArrayList<>(sysroot.stateroots());
    others.remove(booted.stateroot());
    if (others.isEmpty()) {
      throw Problem.notFound("there is no stateroot but " + booted.stateroot() + ", which runs");
    }
    if (others.size() > 1) {
      throw Problem.usage("name the stateroot to remove, one of " + String.join(", ", others));
    }
    return others.getFirst();
  }
}
