package slipway.cli;

import static slipway.cli.Program.BOOTC;
import static slipway.cli.Program.BOOTC_IMAGE_BUILDER;
import static slipway.cli.Program.RPM_OSTREE;
import static slipway.cli.Program.SLIPWAY;
import static slipway.cli.Verb.Group.AGENT;
import static slipway.cli.Verb.Group.HIDDEN;
import static slipway.cli.Verb.Group.IMAGES;
import static slipway.cli.Verb.Group.MACHINES;
import static slipway.cli.Verb.Group.MORE;
import static slipway.cli.Verb.Group.REGISTRIES;
import static slipway.cli.Verb.Needs.TOOLS;
import static slipway.cli.Verb.StartUp.QUICK;
import static slipway.cli.Verb.StartUp.RUN;
import static slipway.cli.Verb.StartUp.SERVE;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import slipway.cli.build.BaseCommand;
import slipway.cli.build.BuildCommand;
import slipway.cli.build.SelfImageCommand;
import slipway.cli.command.PathValue;
import slipway.cli.disk.DemoCommand;
import slipway.cli.disk.DiskCommand;
import slipway.cli.disk.ImageBuilderTool;
import slipway.cli.disk.IsoCommand;
import slipway.cli.disk.KickstartTool;
import slipway.cli.disk.VmCommand;
import slipway.cli.image.ExportCommand;
import slipway.cli.image.HistoryCommand;
import slipway.cli.image.ImagesCommand;
import slipway.cli.image.InspectCommand;
import slipway.cli.image.LoadCommand;
import slipway.cli.image.LoginCommand;
import slipway.cli.image.LogoutCommand;
import slipway.cli.image.PullCommand;
import slipway.cli.image.PushCommand;
import slipway.cli.image.RmiCommand;
import slipway.cli.image.SaveCommand;
import slipway.cli.image.TagCommand;
import slipway.cli.machine.Bootc;
import slipway.cli.machine.ContainerCommand;
import slipway.cli.machine.DeploymentCommand;
import slipway.cli.machine.EditCommand;
import slipway.cli.machine.EtcCommand;
import slipway.cli.machine.HealthCommand;
import slipway.cli.machine.ImageCommand;
import slipway.cli.machine.InstallCommand;
import slipway.cli.machine.KargsCommand;
import slipway.cli.machine.LoaderEntriesCommand;
import slipway.cli.machine.RpmOstree;
import slipway.cli.machine.UsrOverlayCommand;
import slipway.cli.server.NetbootCommand;
import slipway.cli.server.RegistryCommand;
import slipway.cli.system.SystemCommand;

/**
 * The table of commands: a row for each word that can follow a {@link Program}'s name, in the order
 * in which help shows them. Help, manual pages, completion, README's table and what the launcher
 * knows before a JVM runs are all made of it. Options, words below a verb and examples are at the
 * verb's class.
 *
 * <p>{@code tools/prepare} reads the rows too, from this file, when nothing is built yet: program,
 * group, word, start-up and needs stand in this order.
 */
enum Verb {
  BUILD(SLIPWAY, IMAGES, "build", RUN, TOOLS, "build an image from a Containerfile"),
  IMAGE_LIST(SLIPWAY, IMAGES, "images", QUICK, "list images"),
  INSPECT(SLIPWAY, IMAGES, "inspect", QUICK, "show an image's manifest and config as JSON"),
  HISTORY(SLIPWAY, IMAGES, "history", QUICK, "show how an image was built, newest step first"),
  TAG(SLIPWAY, IMAGES, "tag", QUICK, "give an image another name"),
  RMI(SLIPWAY, IMAGES, "rmi", RUN, "remove images by name or id, and what nothing names then"),
  SAVE(SLIPWAY, IMAGES, "save", RUN, "write images to an archive"),
  EXPORT(
      SLIPWAY, IMAGES, "export", RUN, "write an image, or what a machine lacks of it, to a stick"),
  LOAD(SLIPWAY, IMAGES, "load", RUN, "read images that slipway, podman, docker or skopeo saved"),
  SYSTEM(SLIPWAY, IMAGES, "system", RUN, "show and free the space that images and builds take"),

  PULL(SLIPWAY, REGISTRIES, "pull", RUN, "fetch an image from a registry"),
  PUSH(SLIPWAY, REGISTRIES, "push", RUN, "send an image to a registry"),
  LOGIN(SLIPWAY, REGISTRIES, "login", RUN, "store credentials for a registry"),
  LOGOUT(SLIPWAY, REGISTRIES, "logout", QUICK, "forget the credentials of a registry"),
  REGISTRY(SLIPWAY, REGISTRIES, "registry", SERVE, "serve a registry, or repair what it keeps"),

  BASE(SLIPWAY, MACHINES, "base", RUN, TOOLS, "build a bootable base image from packages"),
  DISK(SLIPWAY, MACHINES, "disk", RUN, TOOLS, "make disk images"),
  VM(SLIPWAY, MACHINES, "vm", RUN, TOOLS, "run disks and images in virtual machines"),
  KICKSTART(
      SLIPWAY, MACHINES, "kickstart", QUICK, "check kickstart files of unattended installations"),
  ISO(
      SLIPWAY,
      MACHINES,
      "iso",
      RUN,
      TOOLS,
      "put kickstart files into installer ISOs, and ISOs onto drives"),
  MKKSISO(
      SLIPWAY,
      MACHINES,
      "mkksiso",
      RUN,
      TOOLS,
      "add a kickstart and files to an ISO, as lorax' tool of that name"),
  SELF_IMAGE(
      SLIPWAY,
      MACHINES,
      "self-image",
      RUN,
      TOOLS,
      "build an image of Slipway, to run as that of bootc-image-builder"),
  NETBOOT(SLIPWAY, MACHINES, "netboot", SERVE, "serve what machines start from over the network"),
  DEMO(SLIPWAY, MACHINES, "demo", RUN, TOOLS, "build, boot, upgrade and roll back a machine"),

  COMPLETION(
      SLIPWAY, MORE, "completion", QUICK, "print a script that lets a shell complete commands"),
  INTERNALS(SLIPWAY, HIDDEN, "internals", RUN, ""),

  STATUS(BOOTC, AGENT, "status", QUICK, "show what is booted, staged, and kept for rollback"),
  UPGRADE(
      BOOTC,
      AGENT,
      "upgrade",
      RUN,
      "fetch the newest version of the booted image and stage it",
      "update"),
  SWITCH(BOOTC, AGENT, "switch", RUN, "follow another image"),
  ROLLBACK(BOOTC, AGENT, "rollback", RUN, "boot the previous version next"),
  PIN(BOOTC, AGENT, "pin", RUN, "keep a deployment whatever comes"),
  UNPIN(BOOTC, AGENT, "unpin", RUN, "let a pinned deployment go when its time comes"),
  DELETE(
      BOOTC,
      AGENT,
      "delete",
      RUN,
      "remove a deployment that is not booted, and what it alone needs"),
  KEEP(
      BOOTC, AGENT, "keep", RUN, "set how many deployments stay beside the booted one, or tell it"),
  KARGS(BOOTC, AGENT, "kargs", RUN, "show and change the kernel arguments of this machine"),
  LOADER_ENTRIES(
      BOOTC, AGENT, "loader-entries", RUN, "change the entries of the boot menu for other tools"),
  EDIT(BOOTC, AGENT, "edit", RUN, "change what the machine shall be in an editor, or by a file"),
  USR_OVERLAY(
      BOOTC,
      AGENT,
      "usr-overlay",
      QUICK,
      "let /usr be written to until the next reboot",
      "usroverlay"),
  CONFIG_DIFF(BOOTC, AGENT, "config-diff", QUICK, "list what of /etc is not as in the image"),
  ETC(BOOTC, AGENT, "etc", RUN, "show what of /etc is not as in the image, and take it back"),
  WHAT_CHANGED(
      BOOTC,
      AGENT,
      "what-changed",
      RUN,
      "show packages, kernel arguments, units and files that two versions differ in"),
  IMAGE(BOOTC, AGENT, "image", RUN, "list the images that the machine has, and move them"),
  HEALTH(
      BOOTC,
      AGENT,
      "health",
      RUN,
      "show whether this system is healthy, and how new ones are tried"),
  FSCK(BOOTC, AGENT, "fsck", RUN, "check every file of the deployed versions against its digest"),
  CONTAINER(
      BOOTC,
      AGENT,
      "container",
      RUN,
      "look at an image while it is built, from inside or at its root"),
  INSTALL(BOOTC, AGENT, "install", RUN, TOOLS, "put an image onto a disk of this machine"),
  BOOTC_COMPLETION(
      BOOTC, MORE, "completion", QUICK, "print a script that lets a shell complete commands"),
  BOOTC_INTERNALS(BOOTC, HIDDEN, "internals", RUN, ""),

  RPM_OSTREE_STATUS(RPM_OSTREE, AGENT, "status", QUICK, "show the deployments as rpm-ostree does"),

  BUILDER_BUILD(
      BOOTC_IMAGE_BUILDER, MACHINES, "build", RUN, TOOLS, "make disks of a bootable image"),
  BUILDER_MANIFEST(
      BOOTC_IMAGE_BUILDER, MACHINES, "manifest", RUN, "print what a build would make as JSON"),
  BUILDER_COMPLETION(
      BOOTC_IMAGE_BUILDER,
      MORE,
      "completion",
      QUICK,
      "print a script that lets a shell complete commands");

  /** A heading of the help. */
  enum Group {
    IMAGES("Images"),
    REGISTRIES("Registries"),
    MACHINES("Machines"),
    AGENT("This machine"),
    MORE("More"),
    /** What other parts of the product call; no help names it. */
    HIDDEN("");

    private final String heading;

    Group(String heading) {
      this.heading = heading;
    }

    String heading() {
      return heading;
    }
  }

  /** With which options and which cache of classes the JVM starts. */
  enum StartUp {
    /** Hashes nothing: the first compiler alone, a small cache, little memory. */
    QUICK,
    /** Works for seconds. */
    RUN,
    /** With {@code serve} behind it a server, which stays; else as {@link #RUN}. */
    SERVE
  }

  /** What must be installed on the machine beside the JVM. */
  enum Needs {
    NOTHING,
    /** Programs of the system: {@code run_tools} of {@code tools/prepare}. */
    TOOLS
  }

  private final Program program;
  private final Group group;
  private final String word;
  private final StartUp startUp;
  private final Needs needs;
  private final String summary;
  private final List<String> aliases;

  /** Most verbs need nothing beside the JVM. */
  Verb(
      Program program,
      Group group,
      String word,
      StartUp startUp,
      String summary,
      String... aliases) {
    this(program, group, word, startUp, Needs.NOTHING, summary, aliases);
  }

  Verb(
      Program program,
      Group group,
      String word,
      StartUp startUp,
      Needs needs,
      String summary,
      String... aliases) {
    this.program = program;
    this.group = group;
    this.word = word;
    this.startUp = startUp;
    this.needs = needs;
    this.summary = summary;
    this.aliases = List.of(aliases);
  }

  /** A switch, so that only the chosen command's classes are loaded. */
  Object command() {
    return switch (this) {
      case BUILD -> new BuildCommand();
      case IMAGE_LIST -> new ImagesCommand();
      case INSPECT -> new InspectCommand();
      case HISTORY -> new HistoryCommand();
      case TAG -> new TagCommand();
      case RMI -> new RmiCommand();
      case SAVE -> new SaveCommand();
      case EXPORT -> new ExportCommand();
      case LOAD -> new LoadCommand();
      case SYSTEM -> new SystemCommand();
      case PULL -> new PullCommand();
      case PUSH -> new PushCommand();
      case LOGIN -> new LoginCommand();
      case LOGOUT -> new LogoutCommand();
      case REGISTRY -> new RegistryCommand();
      case BASE -> new BaseCommand();
      case DISK -> new DiskCommand();
      case VM -> new VmCommand();
      case KICKSTART -> new KickstartTool();
      case ISO -> new IsoCommand();
      case MKKSISO -> new IsoCommand.Mkksiso();
      case SELF_IMAGE -> new SelfImageCommand();
      case NETBOOT -> new NetbootCommand();
      case DEMO -> new DemoCommand();
      case COMPLETION -> new CompletionCommand.OfSlipway();
      case INTERNALS -> new InternalsCommand();
      case STATUS -> new Bootc.Status();
      case UPGRADE -> new Bootc.Upgrade();
      case SWITCH -> new Bootc.Switch();
      case ROLLBACK -> new Bootc.Rollback();
      case PIN -> new DeploymentCommand.Pin();
      case UNPIN -> new DeploymentCommand.Unpin();
      case DELETE -> new DeploymentCommand.Delete();
      case KEEP -> new DeploymentCommand.Keep();
      case KARGS -> new KargsCommand();
      case LOADER_ENTRIES -> new LoaderEntriesCommand();
      case EDIT -> new EditCommand();
      case USR_OVERLAY -> new UsrOverlayCommand();
      case CONFIG_DIFF -> new EtcCommand.ConfigDiff();
      case ETC -> new EtcCommand();
      case WHAT_CHANGED -> new Bootc.What();
      case IMAGE -> new ImageCommand();
      case HEALTH -> new HealthCommand();
      case FSCK -> new Bootc.Fsck();
      case CONTAINER -> new ContainerCommand();
      case INSTALL -> new InstallCommand();
      case BOOTC_COMPLETION -> new CompletionCommand.OfBootc();
      case BOOTC_INTERNALS -> new BootcInternals();
      case RPM_OSTREE_STATUS -> new RpmOstree.Status();
      case BUILDER_BUILD -> new ImageBuilderTool.Build();
      case BUILDER_MANIFEST -> new ImageBuilderTool.Manifest();
      case BUILDER_COMPLETION -> new CompletionCommand.OfImageBuilder();
    };
  }

  /**
   * The command as picocli runs it and as documents describe it. Help is of each command; the
   * version, which picocli's standard options bring too, is of the program alone.
   */
  CommandLine line() {
    CommandLine line = new CommandLine(command());
    removeVersion(line);
    line.registerConverter(Path.class, new PathValue());
    return line.setCaseInsensitiveEnumValuesAllowed(true);
  }

  private static void removeVersion(CommandLine line) {
    CommandSpec command = line.getCommandSpec();
    List<OptionSpec> found = command.options().stream().filter(OptionSpec::versionHelp).toList();
    found.forEach(command::remove);
    line.getSubcommands().values().forEach(Verb::removeVersion);
  }

  /** The verb of a program that answers to a word, if there is one. */
  static @Nullable Verb of(Program program, String word) {
    for (Verb verb : values()) {
      if (verb.program == program && (verb.word.equals(word) || verb.aliases.contains(word))) {
        return verb;
      }
    }
    return null;
  }

  Program program() {
    return program;
  }

  Group group() {
    return group;
  }

  String word() {
    return word;
  }

  StartUp startUp() {
    return startUp;
  }

  Needs needs() {
    return needs;
  }

  /**
   * What it does, without a capital and a full stop: the first sentence of the description at the
   * command's class, which is not loaded to show this.
   */
  String summary() {
    return summary;
  }

  /** Names that it answers to, too. */
  List<String> aliases() {
    return aliases;
  }

  /** All its names. */
  List<String> words() {
    List<String> words = new ArrayList<>(List.of(word));
    words.addAll(aliases);
    return words;
  }
}
