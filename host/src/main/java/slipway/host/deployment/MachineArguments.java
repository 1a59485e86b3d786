package slipway.host.deployment;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;
import slipway.base.AfterCommit;
import slipway.base.Problem;
import slipway.host.system.HostEnvironment;
import slipway.host.update.DeployedImage;
import slipway.host.update.HostVoice;
import slipway.host.update.ImageRefs;
import slipway.host.update.NextBoot;
import slipway.sysroot.DeploySpec;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.Deployment;
import slipway.system.kargs.KernelArguments;

/**
 * The kernel arguments of this machine, beside those that its image brings. A change stages the
 * image that is staged already, else the booted one, once more with the new arguments.
 */
public final class MachineArguments {
  private static final Pattern SOURCE = Pattern.compile("[A-Za-z0-9_-]+");
  private static final String SOURCE_KEY = "x-options-source-";

  private final HostEnvironment host;
  private final AfterCommit after;
  private final HostVoice voice;

  public MachineArguments(HostEnvironment host) {
    this.host = host;
    this.after = new AfterCommit(host.progress()::note);
    this.voice = new HostVoice(host, after);
  }

  /**
   * What came of a change.
   *
   * @param arguments those of the next boot
   * @param changes what differs in them from those that run, each with a plus or a minus in front
   * @param staged whether the change waits for a reboot
   */
  public record Outcome(List<String> arguments, List<String> changes, boolean staged) {}

  /** What the next boot would start, and with what. */
  private record Base(Deployment image, Map<String, String> extensions) {}

  private static Deployment running(Sysroot sysroot) {
    return sysroot.booted().orElseThrow(HostEnvironment::notInMenu);
  }

  private static Base base(Sysroot sysroot) {
    Deployment booted = running(sysroot);
    if (sysroot.staged().isEmpty() && !sysroot.deployments().getFirst().booted()) {
      throw Problem.input(
          "another deployment than the booted one is the next to boot: reboot, or take that back"
              + " by bootc rollback, then change its arguments");
    }
    return new Base(sysroot.staged().orElse(booted), sysroot.extensionsBefore(booted));
  }

  /**
   * The arguments without {@code ostree=}.
   *
   * @param booted those of the running kernel, else those of the next boot
   */
  public List<String> list(boolean booted) throws IOException {
    if (!host.runState().booted()) {
      throw Problem.environment("System is not deployed via bootc.");
    }
    Sysroot sysroot = host.sysroot();
    Deployment next = sysroot.staged().orElseGet(() -> sysroot.deployments().getFirst());
    return (booted ? running(sysroot) : next).kargs().list();
  }

  /** Changes the arguments of the next boot. */
  public Outcome change(ArgumentEdit edit) throws IOException {
    host.requireHost();
    Sysroot sysroot = host.sysroot();
    Base base = base(sysroot);
    return stage(sysroot, base, edit.apply(base.image().kargs()), base.extensions());
  }

  /**
   * Sets the arguments that some tool owns: those that it set before go, the new ones come, all
   * others stay. The boot entry tells whose they are, in bootc's key for it.
   *
   * @param source the tool's name
   * @param options its arguments, blanks between; empty for none any more
   */
  public Outcome setOptionsForSource(String source, String options) throws IOException {
    host.requireHost();
    if (!SOURCE.matcher(source).matches()) {
      throw Problem.usage("--source is a name of letters, digits, - and _");
    }
    KernelArguments fresh = ArgumentEdit.arguments("--options", options);
    fresh.list().forEach(ArgumentEdit::requireForeign);
    Sysroot sysroot = host.sysroot();
    Base base = base(sysroot);
    Map<String, String> extensions = new TreeMap<>(base.extensions());
    String before = extensions.remove(SOURCE_KEY + source);
    KernelArguments present = base.image().kargs();
    if (fresh.toString().equals(before) && present.list().containsAll(fresh.list())) {
      return stage(sysroot, base, present, base.extensions());
    }
    // One for each of the tool's: the same argument may be the administrator's too, and stays.
    List<String> arguments = new ArrayList<>(present.list());
    for (String old : KernelArguments.parse(before == null ? "" : before).list().reversed()) {
      int last = arguments.lastIndexOf(old);
      if (last >= 0) {
        arguments.remove(last);
      }
    }
    arguments.addAll(fresh.list());
    if (!fresh.list().isEmpty()) {
      extensions.put(SOURCE_KEY + source, fresh.toString());
    }
    return stage(sysroot, base, new KernelArguments(arguments), extensions);
  }

  private Outcome stage(
      Sysroot sysroot, Base base, KernelArguments arguments, Map<String, String> extensions)
      throws IOException {
    Deployment booted = running(sysroot);
    List<String> changes = booted.kargs().difference(arguments);
    boolean waiting = base.image().staged();
    if (arguments.equals(base.image().kargs()) && extensions.equals(base.extensions())) {
      voice.say("No changes.");
      return new Outcome(arguments.list(), changes, waiting);
    }
    NextBoot nextBoot = new NextBoot(host, after, voice);
    String image = DeployedImage.describe(sysroot, base.image());
    if (waiting && isBooted(sysroot, base, arguments, extensions)) {
      sysroot.dropStaged(nextBoot::forgetSoftReboot);
      voice.say("The kernel arguments are those that run again; nothing is staged any more.");
    } else {
      host.system().startFinalizer();
      boolean locked = base.image().locked();
      sysroot.stage(
          DeploySpec.restart(base.image(), arguments, extensions, booted),
          locked,
          planned -> nextBoot.forgetSoftReboot());
      voice.say("Queued for next boot: " + image);
      voice.say(
          changes.isEmpty()
              ? "  Kernel arguments: as they run now"
              : "  Kernel arguments: " + String.join(" ", changes));
    }
    voice.tellReboot(sysroot);
    after.attempt("old images could not be removed", () -> ImageRefs.collect(host, sysroot));
    voice.touch();
    return new Outcome(arguments.list(), changes, sysroot.staged().isPresent());
  }

  /** Whether the next boot would be of what runs, in all. */
  private static boolean isBooted(
      Sysroot sysroot, Base base, KernelArguments arguments, Map<String, String> extensions) {
    Deployment booted = running(sysroot);
    Optional<String> image = base.image().origin().containerText();
    return base.image().checksum().equals(booted.checksum())
        && image.equals(booted.origin().containerText())
        && arguments.equals(booted.kargs())
        && extensions.equals(Sysroot.extensionsOf(booted));
  }
}
