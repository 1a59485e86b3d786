package slipway.cli.disk;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.cli.command.State;
import slipway.cli.output.ProgressKind;
import slipway.cli.output.TerminalProgress;
import slipway.cloud.AmiUpload;
import slipway.disk.DiskBuilder;
import slipway.disk.DiskRequest;
import slipway.disk.DiskSizes;
import slipway.disk.FileAccess;
import slipway.disk.config.DiskConfig;
import slipway.ostree.container.LayerCache;

/**
 * {@code bootc-image-builder}: what {@code slipway disk build} does, by the words, stores and
 * places of that tool, for scripts and people who know it.
 */
public final class ImageBuilderTool {
  /** Of this machine; in a container, what was mounted there. */
  private static final Path ROOT = Path.of("/");

  private static final BuilderContainer CONTAINER = new BuilderContainer(ROOT);

  private ImageBuilderTool() {}

  /** {@code bootc-image-builder build IMAGE}. */
  @Command(
      name = "build",
      mixinStandardHelpOptions = true,
      description =
          "Make disks of a bootable image. The image is one of the local store or of podman's,"
              + " and the config /config.toml or /config.json where there is one.",
      footer = {
        "bootc-image-builder build --type qcow2 --type ami quay.io/os/web:1",
        "bootc-image-builder build --config c.toml --output out quay.io/os/web:1"
      })
  public static final class Build implements Callable<Integer> {
    @Mixin State state = new State();

    @Mixin BuilderOptions options = new BuilderOptions();

    @Mixin DiskOptions.Output output = new DiskOptions.Output();

    @Mixin AwsOptions aws = new AwsOptions();

    @Mixin DryRun dryRun = new DryRun();

    @Option(
        names = "--store",
        paramLabel = "DIR",
        defaultValue = "/store",
        description = "taken, and changes nothing: no step of a disk is kept")
    Path store = Path.of("/store");

    @Option(
        names = "--progress",
        paramLabel = "auto|verbose|term|debug|json",
        defaultValue = "auto",
        description = "how progress is told on standard error (default: ${DEFAULT-VALUE})")
    String progress = "auto";

    @Option(names = "--in-vm", description = "not here: disks are made without root, too")
    boolean inVm;

    @Parameters(paramLabel = "IMAGE", description = "name or id")
    String image = "";

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws IOException {
      long start = System.nanoTime();
      ProgressKind kind = ProgressKind.parse(progress);
      if (inVm) {
        throw Problem.usage(
            "--in-vm is not here: leave it out, for disks are made without root, too");
      }
      options.check();
      options.disk.mounted(CONTAINER);
      FileAccess access = output.access();
      if (options.disk.isLive()) {
        aws.refuse();
        dryRun.refuse();
        installer(kind, access, start);
        return 0;
      }
      DiskOptions.Wanted wanted = options.disk.read(DiskConfig.in(ROOT).orElse(null));
      if (dryRun.isWanted) {
        return sizes(wanted, access, kind == ProgressKind.JSON);
      }
      String architecture = options.platform().architecture();
      try (AwsOptions.Sending sending = aws.of(wanted.types(), architecture, wanted.loader())) {
        CONTAINER.require();
        sending.check();
        build(kind, wanted, access, sending, start);
      }
      return 0;
    }

    private int sizes(DiskOptions.Wanted wanted, FileAccess access, boolean json)
        throws IOException {
      try (BuilderImage found = options.open(image, state, CONTAINER, Progress.NONE)) {
        DiskRequest request = options.wanted(found, wanted, access, output.folder);
        DiskSizes sizes = DiskBuilder.sizes(request, Progress.NONE);
        return DryRun.print(sizes, json, spec.commandLine().getOut());
      }
    }

    private void installer(ProgressKind kind, FileAccess access, long start) throws IOException {
      CONTAINER.require();
      boolean lines = kind == ProgressKind.AUTO && options.isVerbose();
      Progress told = (lines ? ProgressKind.VERBOSE : kind).to(System.err);
      Map<String, Path> files;
      try (BuilderImage found = options.open(image, state, CONTAINER, told)) {
        files =
            options.disk.live(
                options.disk.installer(
                    found.source(),
                    found.manifest(),
                    found.config(),
                    found.name(),
                    DiskConfig.in(ROOT).orElse(null),
                    name -> options.open(name, state, CONTAINER, told),
                    told,
                    access,
                    output.folder),
                told);
        told.note("Build complete!");
        told.note("Results saved in " + output.folder);
      } finally {
        TerminalProgress.finish(told);
      }
      double seconds = (System.nanoTime() - start) / 1e9;
      var out = spec.commandLine().getOut();
      out.println(
          kind == ProgressKind.JSON
              ? DiskJson.live(files, seconds)
              : DiskJson.lines(List.copyOf(files.values()), null));
      out.flush();
    }

    private void build(
        ProgressKind kind,
        DiskOptions.Wanted wanted,
        FileAccess access,
        AwsOptions.Sending sending,
        long start)
        throws IOException {
      boolean lines = kind == ProgressKind.AUTO && options.isVerbose();
      Progress told = (lines ? ProgressKind.VERBOSE : kind).to(System.err);
      List<Path> files;
      AmiUpload.Made made;
      try (BuilderImage found = options.open(image, state, CONTAINER, told)) {
        DiskRequest request = options.wanted(found, wanted, access, output.folder);
        files = DiskBuilder.build(CONTAINER.isHere() ? request : keeping(request), told);
        if (found.store() != null) {
          KeptLayers.trim(state, found.store(), told);
        }
        told.note("Build complete!");
        told.note("Results saved in " + output.folder);
        made = sending.send(wanted.types(), files, told);
      } finally {
        TerminalProgress.finish(told);
      }
      double seconds = (System.nanoTime() - start) / 1e9;
      var out = spec.commandLine().getOut();
      out.println(
          kind == ProgressKind.JSON
              ? DiskJson.files(wanted.types(), files, made, seconds)
              : DiskJson.lines(files, made));
      out.flush();
    }

    /** A container's own files go with it. */
    private DiskRequest keeping(DiskRequest request) {
      return request.withCache(new LayerCache(state.layersDirectory()));
    }
  }

  /** {@code bootc-image-builder manifest IMAGE}. */
  @Command(
      name = "manifest",
      mixinStandardHelpOptions = true,
      description =
          "Print what a build would make as JSON; makes nothing. Ids are those of the build when"
              + " both get the same --seed.",
      footer = "bootc-image-builder manifest --type qcow2 --seed 1 quay.io/os/web:1")
  public static final class Manifest implements Callable<Integer> {
    @Mixin State state = new State();

    @Mixin BuilderOptions options = new BuilderOptions();

    @Parameters(paramLabel = "IMAGE", description = "name or id")
    String image = "";

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws IOException {
      options.check();
      options.disk.mounted(CONTAINER);
      DiskOptions.Wanted wanted = options.disk.read(DiskConfig.in(ROOT).orElse(null));
      var out = spec.commandLine().getOut();
      try (BuilderImage found = options.open(image, state, CONTAINER, Progress.NONE)) {
        DiskRequest request = options.wanted(found, wanted, FileAccess.PRIVATE, Path.of("."));
        out.print(DiskBuilder.manifest(request, Progress.NONE));
      }
      out.flush();
      return 0;
    }
  }
}
