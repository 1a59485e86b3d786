package slipway.cli.disk;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import slipway.base.ByteSize;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.cli.command.State;
import slipway.cli.output.TerminalProgress;
import slipway.cloud.AmiUpload;
import slipway.disk.DiskBuilder;
import slipway.disk.DiskRequest;
import slipway.disk.DiskSizes;
import slipway.disk.DiskType;
import slipway.disk.FileAccess;
import slipway.oci.model.Manifest;
import slipway.oci.model.Platform;
import slipway.oci.store.LocalStore;
import slipway.ostree.container.LayerCache;

/** {@code slipway disk}: disk images. */
@Command(
    name = "disk",
    mixinStandardHelpOptions = true,
    description = "Make disk images.",
    subcommands = DiskCommand.Build.class)
public final class DiskCommand implements Callable<Integer> {
  @Override
  public Integer call() {
    throw Problem.usage("which disk command? there is: slipway disk build");
  }

  /** {@code slipway disk build IMAGE}: bootc-image-builder's options. */
  @Command(
      name = "build",
      mixinStandardHelpOptions = true,
      description = "Make a disk of a bootable image in the local store; xfs and btrfs need root.",
      footer = "slipway disk build --type qcow2 --output out localhost/web:1")
  public static final class Build implements Callable<Integer> {

    @Mixin State state = new State();

    @Mixin DiskOptions disk = new DiskOptions();

    @Mixin DiskOptions.Output output = new DiskOptions.Output();

    @Mixin AwsOptions aws = new AwsOptions();

    @Mixin DryRun dryRun = new DryRun();

    @Option(names = "--json", description = "print a JSON object")
    boolean json;

    @Option(
        names = {"-q", "--quiet"},
        description = "print only the files' names, and no progress")
    boolean quiet;

    @Parameters(paramLabel = "IMAGE", description = "name or id")
    String image = "";

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws IOException {
      long start = System.nanoTime();
      FileAccess access = output.access();
      if (disk.isLive()) {
        aws.refuse();
        dryRun.refuse();
        return installer(access, start);
      }
      DiskOptions.Wanted wanted = disk.read(null);
      if (dryRun.isWanted) {
        return sizes(wanted, access);
      }
      Progress progress = TerminalProgress.forStderr(System.err, quiet);
      List<Path> files;
      AmiUpload.Made made;
      String architecture = Platform.host().architecture();
      try (AwsOptions.Sending sending = aws.of(wanted.types(), architecture, wanted.loader());
          LocalStore store = state.storeWith(image)) {
        sending.check();
        Manifest.Image manifest = store.image(image, Platform.host());
        files =
            DiskBuilder.build(
                wanted
                    .disk(
                        store.source(),
                        manifest,
                        store.config(manifest),
                        image,
                        access,
                        output.folder)
                    .withCache(new LayerCache(state.layersDirectory())),
                progress);
        KeptLayers.trim(state, store, progress);
        made = sending.send(wanted.types(), files, progress);
      } finally {
        TerminalProgress.finish(progress);
      }
      print(wanted.types(), files, made, (System.nanoTime() - start) / 1e9);
      return 0;
    }

    private int sizes(DiskOptions.Wanted wanted, FileAccess access) throws IOException {
      try (LocalStore store = state.storeWith(image)) {
        Manifest.Image manifest = store.image(image, Platform.host());
        DiskRequest request =
            wanted.disk(
                store.source(), manifest, store.config(manifest), image, access, output.folder);
        DiskSizes sizes = DiskBuilder.sizes(request, Progress.NONE);
        return DryRun.print(sizes, json, spec.commandLine().getOut());
      }
    }

    private int installer(FileAccess access, long start) throws IOException {
      Progress progress = TerminalProgress.forStderr(System.err, quiet);
      Map<String, Path> files;
      try (LocalStore store = state.storeWith(image)) {
        Manifest.Image manifest = store.image(image, Platform.host());
        files =
            disk.live(
                disk.installer(
                    store.source(),
                    manifest,
                    store.config(manifest),
                    image,
                    null,
                    name -> BuilderImage.ofStore(name, Platform.host(), state),
                    progress,
                    access,
                    output.folder),
                progress);
      } finally {
        TerminalProgress.finish(progress);
      }
      double seconds = (System.nanoTime() - start) / 1e9;
      var out = spec.commandLine().getOut();
      out.println(
          json ? DiskJson.live(files, seconds) : DiskJson.lines(List.copyOf(files.values()), null));
      if (!json && !quiet) {
        out.printf(Locale.ROOT, "%.1f s%n", seconds);
      }
      out.flush();
      return 0;
    }

    private void print(
        List<DiskType> kinds, List<Path> files, AmiUpload.@Nullable Made made, double seconds) {
      var out = spec.commandLine().getOut();
      if (json) {
        out.println(DiskJson.files(kinds, files, made, seconds));
        return;
      }
      out.println(DiskJson.lines(files, made));
      if (!quiet) {
        out.printf(Locale.ROOT, "%.1f s%n", seconds);
      }
      out.flush();
    }

    /**
     * @param option that the size was given to, for sentences
     */
    public static long bytes(String text, String option) {
      OptionalLong size = ByteSize.parse(text.strip());
      if (size.isEmpty()) {
        throw Problem.usage(
            option + " \"" + text + "\" is not a size; expected one such as 20G or 20480M");
      }
      if (size.getAsLong() > Long.MAX_VALUE >> 2) {
        throw Problem.usage(option + " " + text + " is larger than any disk");
      }
      return size.getAsLong();
    }
  }
}
