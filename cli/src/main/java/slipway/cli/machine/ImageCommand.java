package slipway.cli.machine;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.cli.output.Table;
import slipway.host.deployment.ImageStorage;
import slipway.host.status.KnownImage;

/** {@code bootc image}. */
@Command(
    name = "image",
    mixinStandardHelpOptions = true,
    description = "List the images that the machine has, and move them.",
    subcommands = {
      ImageCommand.ListImages.class,
      ImageCommand.CopyToStorage.class,
      ImageCommand.PullFromDefaultStorage.class,
      ImageCommand.Cmd.class
    })
public final class ImageCommand implements Callable<Integer> {
  @Override
  public Integer call() {
    throw Problem.usage(
        "image needs to know what to do: list, copy-to-storage, pull-from-default-storage or cmd");
  }

  /** How the list is written. */
  enum Format {
    TABLE,
    JSON
  }

  /** {@code bootc image list}. */
  @Command(
      name = "list",
      mixinStandardHelpOptions = true,
      description = "List operating systems in the repository, and images bound to what runs.",
      footer = {"bootc image list", "bootc image list --type logical --json"})
  static final class ListImages implements Callable<Integer> {
    @Option(
        names = "--type",
        paramLabel = "all|logical|host",
        description = "host: operating systems; logical: bound to what runs; default: all")
    KnownImage.Type type = KnownImage.Type.ALL;

    @Option(names = "--json", description = "as JSON")
    boolean json;

    @Option(names = "--format", paramLabel = "table|json", description = "default: table")
    Format format = Format.TABLE;

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws IOException {
      List<KnownImage> images = KnownImage.list(Bootc.environment(spec, true, Progress.NONE), type);
      var out = spec.commandLine().getOut();
      if (json || format == Format.JSON) {
        out.println(Printable.json(KnownImage.json(images)));
      } else {
        Table table = new Table("REPOSITORY", "TYPE");
        images.forEach(i -> table.row(Printable.text(i.image()), i.type().word()));
        out.print(table);
      }
      out.flush();
      return 0;
    }
  }

  /** {@code bootc image copy-to-storage}. */
  @Command(
      name = "copy-to-storage",
      mixinStandardHelpOptions = true,
      description = "Copy an operating system out of the repository into podman's store.",
      footer = {
        "bootc image copy-to-storage",
        "bootc image copy-to-storage --target oci:/run/media/os"
      })
  static final class CopyToStorage implements Callable<Integer> {
    @Option(
        names = "--source",
        paramLabel = "IMAGE",
        description = "as bootc image list names it (default: what is booted)")
    @Nullable String source;

    @Option(
        names = "--target",
        paramLabel = "PLACE",
        description = "where to; without a transport in podman's store (default: localhost/bootc)")
    @Nullable String target;

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws Exception {
      return Bootc.changeBy(
          spec, false, host -> new ImageStorage(host).copyToStorage(source, target));
    }
  }

  /** {@code bootc image pull-from-default-storage}. */
  @Command(
      name = "pull-from-default-storage",
      mixinStandardHelpOptions = true,
      description = "Copy an image of podman's store into that of bound images.",
      footer = "bootc image pull-from-default-storage localhost/app:1")
  static final class PullFromDefaultStorage implements Callable<Integer> {
    @Parameters(paramLabel = "IMAGE", description = "the image")
    String image = "";

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws Exception {
      return Bootc.changeBy(
          spec,
          false,
          host -> host.out().accept(new ImageStorage(host).pullFromDefaultStorage(image)));
    }
  }

  /** {@code bootc image cmd}. */
  @Command(
      name = "cmd",
      mixinStandardHelpOptions = true,
      description = "Run podman on the store of bound images.",
      subcommands = {CmdList.class, CmdBuild.class, CmdPull.class, CmdPush.class})
  static final class Cmd implements Callable<Integer> {
    @Override
    public Integer call() {
      throw Problem.usage("image cmd needs to know what to do: list, build, pull or push");
    }
  }

  /** A word that is podman's, with whatever podman takes behind it. */
  abstract static class PodmanWord implements Callable<Integer> {
    private final String word;
    private @Nullable CommandSpec spec;

    @Parameters(
        paramLabel = "WORDS",
        arity = "0..*",
        description = "options and arguments of podman image; --help behind --")
    List<String> words = List.of();

    PodmanWord(String word) {
      this.word = word;
    }

    @Spec
    void spec(CommandSpec own) {
      own.parser().unmatchedOptionsArePositionalParams(true);
      spec = own;
    }

    @Override
    public Integer call() throws Exception {
      List<String> all = new ArrayList<>(List.of(word));
      all.addAll(words);
      return Bootc.statusBy(
          Objects.requireNonNull(spec), host -> new ImageStorage(host).podman(all));
    }
  }

  /** {@code bootc image cmd list}. */
  @Command(
      name = "list",
      mixinStandardHelpOptions = true,
      description = "List the images in the store of bound images, by podman.",
      footer = "bootc image cmd list --digests")
  static final class CmdList extends PodmanWord {
    CmdList() {
      super("list");
    }
  }

  /** {@code bootc image cmd build}. */
  @Command(
      name = "build",
      mixinStandardHelpOptions = true,
      description = "Build an image in the store of bound images, by podman.",
      footer = "bootc image cmd build -t localhost/app:1 .")
  static final class CmdBuild extends PodmanWord {
    CmdBuild() {
      super("build");
    }
  }

  /** {@code bootc image cmd pull}. */
  @Command(
      name = "pull",
      mixinStandardHelpOptions = true,
      description = "Fetch an image into the store of bound images, by podman.",
      footer = "bootc image cmd pull registry.example/app:1")
  static final class CmdPull extends PodmanWord {
    CmdPull() {
      super("pull");
    }
  }

  /** {@code bootc image cmd push}. */
  @Command(
      name = "push",
      mixinStandardHelpOptions = true,
      description = "Send an image of the store of bound images to a registry, by podman.",
      footer = "bootc image cmd push localhost/app:1 registry.example/app:1")
  static final class CmdPush extends PodmanWord {
    CmdPush() {
      super("push");
    }
  }
}
