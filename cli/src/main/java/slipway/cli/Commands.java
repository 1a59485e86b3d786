package slipway.cli;

import java.util.List;
import org.jspecify.annotations.Nullable;
import slipway.cli.build.BaseCommand;
import slipway.cli.build.BuildCommand;
import slipway.cli.disk.DemoCommand;
import slipway.cli.disk.DiskCommand;
import slipway.cli.disk.VmCommand;
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
import slipway.cli.server.RegistryCommand;
import slipway.cli.system.SystemCommand;

/** Words to commands. A switch, so that only the chosen command's classes are loaded. */
final class Commands {
  /** The words that people type. */
  static final List<String> SLIPWAY =
      List.of(
          "base",
          "pull",
          "push",
          "login",
          "logout",
          "registry",
          "demo",
          "disk",
          "vm",
          "build",
          "save",
          "load",
          "images",
          "inspect",
          "history",
          "tag",
          "rmi",
          "system",
          "bootc");

  static final List<String> BOOTC = List.of("status", "upgrade", "update", "switch", "rollback");

  private Commands() {}

  static @Nullable Object slipway(String word) {
    return switch (word) {
      case "base" -> new BaseCommand();
      case "pull" -> new PullCommand();
      case "push" -> new PushCommand();
      case "login" -> new LoginCommand();
      case "logout" -> new LogoutCommand();
      case "registry" -> new RegistryCommand();
      case "demo" -> new DemoCommand();
      case "disk" -> new DiskCommand();
      case "vm" -> new VmCommand();
      case "build" -> new BuildCommand();
      case "save" -> new SaveCommand();
      case "load" -> new LoadCommand();
      case "images" -> new ImagesCommand();
      case "inspect" -> new InspectCommand();
      case "history" -> new HistoryCommand();
      case "tag" -> new TagCommand();
      case "rmi" -> new RmiCommand();
      case "system" -> new SystemCommand();
      case "internals" -> new InternalsCommand();
      default -> null;
    };
  }

  static @Nullable Object bootc(String word) {
    return switch (word) {
      case "status" -> new Bootc.Status();
      case "upgrade", "update" -> new Bootc.Upgrade();
      case "switch" -> new Bootc.Switch();
      case "rollback" -> new Bootc.Rollback();
      case "internals" -> new BootcInternals();
      default -> null;
    };
  }
}
