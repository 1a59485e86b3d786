package slipway.cli.machine;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import slipway.archive.compress.Compression;
import slipway.base.AtomicFile;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.cli.output.Table;
import slipway.cli.output.TerminalProgress;
import slipway.host.install.RepositoryImages;
import slipway.host.status.Sizes;
import slipway.host.system.HostEnvironment;
import slipway.host.system.MachineImages;
import slipway.host.update.ImagePull;
import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.transport.TransportRef;
import slipway.ostree.container.ContainerImages;
import slipway.ostree.container.EncapsulatedCommit;
import slipway.ostree.object.Checksum;
import slipway.ostree.repo.Repository;
import slipway.sysroot.state.ContainerReference;

/**
 * What {@code ostree container} calls ({@code /usr/libexec/libostree/ext/ostree-container}):
 * installers and builders of disks do, by the names of ostree-ext.
 */
@Command(
    name = "ostree-container",
    mixinStandardHelpOptions = true,
    description = "work on container images in ostree repositories; ostree container calls this",
    subcommands = {
      OstreeContainer.Image.class,
      OstreeContainer.Unencapsulate.class,
      OstreeContainer.Encapsulate.class
    })
public final class OstreeContainer implements Callable<Integer> {
  @Override
  public Integer call() {
    throw Problem.usage(
        "ostree container needs to know what to do: image, encapsulate or unencapsulate");
  }

  /** How registries are reached, in ostree-ext's words. */
  static final class Access {
    @Option(names = "--auth-anonymous", description = "use no credentials")
    boolean anonymous;

    @Option(names = "--authfile", paramLabel = "FILE", description = "the file with credentials")
    @Nullable Path authFile;

    @Option(
        names = "--cert-dir",
        paramLabel = "DIR",
        description = "folder of *.crt, *.cert and *.key files")
    @Nullable Path certificates;

    @Option(
        names = "--insecure-skip-tls-verification",
        description = "accept any certificate, and plain HTTP")
    boolean insecure;

    MachineImages machine() {
      if (anonymous && authFile != null) {
        throw Problem.usage("--auth-anonymous and --authfile exclude each other");
      }
      return new MachineImages(
          Path.of("/"),
          System.getenv(),
          new MachineImages.Access(anonymous, authFile, certificates, insecure));
    }

    RepositoryImages images(CommandSpec spec, Progress progress) {
      HostEnvironment host =
          HostEnvironment.thisMachine(
              System.getenv(),
              text -> spec.commandLine().getOut().println(Printable.lines(text)),
              progress);
      return new RepositoryImages(
          new HostEnvironment(
              host.root(),
              host.run(),
              host.variables(),
              host.out(),
              progress,
              machine(),
              host.system(),
              host.clock()));
    }
  }

  /** {@code ostree-unverified-…}, as origin files have it, or {@code TRANSPORT:NAME}. */
  private static ContainerReference reference(String text) {
    if (text.startsWith("ostree-")) {
      return ContainerReference.parse(text);
    }
    return switch (TransportRef.parse(text)) {
      case TransportRef.Registry r -> ContainerReference.registry(r.reference().toString());
      case TransportRef other -> {
        String place = other.toString();
        int colon = place.indexOf(':');
        yield ContainerReference.unverified(place.substring(0, colon), place.substring(colon + 1));
      }
    };
  }

  /** Work whose progress is shown. */
  private interface Work {
    void run(Progress progress) throws IOException;
  }

  private static int shown(boolean quiet, Work work) throws IOException {
    Progress progress = TerminalProgress.forStderr(System.err, quiet);
    try {
      work.run(progress);
    } finally {
      TerminalProgress.finish(progress);
    }
    return 0;
  }

  /** The repository that is worked on. */
  static final class Repo {
    @Option(names = "--repo", required = true, paramLabel = "DIR", description = "the repository")
    Path path = Path.of("");

    Repository open() throws IOException {
      return Repository.open(path);
    }
  }

  /** Refuses, before anything is done, a file that could not be written in the end. */
  private static void requirePlace(@Nullable Path file) {
    Path folder = file == null ? null : file.toAbsolutePath().getParent();
    if (folder != null && !Files.isWritable(folder)) {
      throw Problem.input(
          Printable.text(String.valueOf(file))
              + " cannot be written: its folder is missing or nobody may write there");
    }
  }

  private static void writeAfter(Path file, Checksum commit, String done) {
    try {
      AtomicFile.write(file, commit.hex());
    } catch (IOException e) {
      throw new Problem(
              Problem.Kind.ENVIRONMENT,
              done
                  + ", but its commit "
                  + commit
                  + " could not be written to "
                  + Printable.text(file.toString())
                  + ": "
                  + e.getMessage(),
              e)
          .afterChange();
    }
  }

  private static void say(CommandSpec spec, Object line) {
    PrintWriter out = spec.commandLine().getOut();
    out.println(line);
    out.flush();
  }

  /** {@code ostree container image}. */
  @Command(
      name = "image",
      mixinStandardHelpOptions = true,
      description = "work on images that have layers",
      subcommands = {
        ImageList.class,
        Pull.class,
        History.class,
        Metadata.class,
        Remove.class,
        PruneLayers.class,
        Deploy.class
      })
  static final class Image implements Callable<Integer> {
    @Override
    public Integer call() {
      throw Problem.usage(
          "ostree container image needs to know what to do: list, pull, history, metadata, remove,"
              + " prune-layers or deploy");
    }
  }

  /** {@code ostree container image list}. */
  @Command(
      name = "list",
      mixinStandardHelpOptions = true,
      description = "list the images of a repository")
  static final class ImageList implements Callable<Integer> {
    @Mixin Repo repo = new Repo();

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws IOException {
      PrintWriter out = spec.commandLine().getOut();
      new ContainerImages(repo.open())
          .list()
          .keySet()
          .forEach(name -> out.println(Printable.text(name)));
      out.flush();
      return 0;
    }
  }

  /** {@code ostree container image pull}. */
  @Command(
      name = "pull",
      mixinStandardHelpOptions = true,
      description = "bring an image into a repository")
  static final class Pull implements Callable<Integer> {
    @Option(
        names = "--check",
        paramLabel = "FILE",
        description = "fetch no layers; write the manifest to FILE when it is a newer one")
    @Nullable Path check;

    @Option(
        names = "--ostree-digestfile",
        paramLabel = "FILE",
        description = "write the commit's checksum there")
    @Nullable Path digestFile;

    @Option(names = "--quiet", description = "no progress")
    boolean quiet;

    @Mixin Access access = new Access();

    @Parameters(index = "0", paramLabel = "REPO", description = "the repository")
    Path path = Path.of("");

    @Parameters(index = "1", paramLabel = "IMGREF", description = "such as docker://HOST/NAME:TAG")
    String image = "";

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws IOException {
      return shown(quiet, this::pull);
    }

    private void pull(Progress progress) throws IOException {
      Repository repository = Repository.open(path);
      ContainerReference place = reference(image);
      RepositoryImages images = access.images(spec, progress);
      if (check != null) {
        var newer = images.newer(repository, place);
        if (newer.isPresent()) {
          AtomicFile.write(check, newer.get().bytes());
        }
        return;
      }
      requirePlace(digestFile);
      RepositoryImages.Pulled pulled = images.pull(repository, place);
      if (digestFile != null) {
        writeAfter(digestFile, pulled.commit(), "the image is pulled");
      }
      say(
          spec,
          (pulled.fresh() ? "Wrote: " : "No changes in ")
              + Printable.text(place.toString())
              + " => "
              + pulled.commit());
    }
  }

  /** An image of a repository. */
  static final class Stored {
    @Mixin Repo repo = new Repo();

    @Parameters(paramLabel = "IMGREF", description = "such as docker://HOST/NAME:TAG")
    String image = "";

    ContainerImages.Stored read() throws IOException {
      return RepositoryImages.stored(repo.open(), reference(image));
    }
  }

  /** {@code ostree container image history}. */
  @Command(
      name = "history",
      mixinStandardHelpOptions = true,
      description = "show the layers of an image")
  static final class History implements Callable<Integer> {
    private static final int SHOWN = 20;

    @Mixin Stored stored = new Stored();

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws IOException {
      ContainerImages.Stored image = stored.read();
      Table table = new Table("ID", "SIZE", "CREATED BY");
      Iterator<ImageConfig.History> history = image.config().history().iterator();
      for (Descriptor layer : image.manifest().layers()) {
        String by = history.hasNext() ? history.next().createdBy() : null;
        table.row(
            layer.digest().hex().substring(0, SHOWN),
            Sizes.decimal(layer.size()),
            by == null ? "" : Printable.text(by));
      }
      spec.commandLine().getOut().print(table);
      spec.commandLine().getOut().flush();
      return 0;
    }
  }

  /** {@code ostree container image metadata}. */
  @Command(
      name = "metadata",
      mixinStandardHelpOptions = true,
      description = "print the manifest of an image, or its configuration")
  static final class Metadata implements Callable<Integer> {
    @Mixin Stored stored = new Stored();

    @Option(names = "--config", description = "the configuration")
    boolean config;

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws IOException {
      ContainerImages.Stored image = stored.read();
      byte[] json = config ? image.config().toJson() : image.manifest().bytes();
      say(spec, Printable.json(new String(json, StandardCharsets.UTF_8)));
      return 0;
    }
  }

  /** {@code ostree container image remove}. */
  @Command(
      name = "remove",
      mixinStandardHelpOptions = true,
      description = "forget images, and the layers that no other has")
  static final class Remove implements Callable<Integer> {
    @Mixin Repo repo = new Repo();

    @Option(names = "--skip-gc", description = "keep the layers")
    boolean skip;

    @Parameters(arity = "1..*", paramLabel = "IMGREF", description = "images")
    List<String> images = List.of();

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws IOException {
      Repository repository = repo.open();
      Set<String> names = new LinkedHashSet<>();
      for (String image : images) {
        ContainerReference reference = reference(image);
        RepositoryImages.stored(repository, reference);
        names.add(ImagePull.transportName(reference));
      }
      ContainerImages all = new ContainerImages(repository);
      all.remove(names);
      String layers = skip ? "" : " layers: " + all.removeUnusedLayers();
      say(spec, "Removed images: " + names.size() + layers);
      return 0;
    }
  }

  /** {@code ostree container image prune-layers}. */
  @Command(
      name = "prune-layers",
      mixinStandardHelpOptions = true,
      description = "forget layers that no image has")
  static final class PruneLayers implements Callable<Integer> {
    @Mixin Repo repo = new Repo();

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws IOException {
      int removed = new ContainerImages(repo.open()).removeUnusedLayers();
      say(spec, "Removed layers: " + removed);
      return 0;
    }
  }

  /** {@code ostree container image deploy}. */
  @Command(
      name = "deploy",
      mixinStandardHelpOptions = true,
      description = "deploy an image into a sysroot")
  static final class Deploy implements Callable<Integer> {
    @Option(names = "--sysroot", paramLabel = "DIR", description = "default: this machine's")
    @Nullable Path sysroot;

    @Option(
        names = {"--stateroot", "--osname"},
        paramLabel = "NAME",
        description = "default: the booted one's, else default")
    @Nullable String stateroot;

    @Option(names = "--imgref", paramLabel = "IMGREF", description = "the image")
    @Nullable String imgref;

    @Option(names = "--image", paramLabel = "NAME", description = "its name alone")
    @Nullable String image;

    @Option(names = "--transport", paramLabel = "NAME", description = "with --image: registry, oci")
    String transport = "registry";

    @Option(
        names = "--target-imgref",
        paramLabel = "IMGREF",
        description = "what updates follow (default: the image)")
    @Nullable String target;

    @Option(names = "--no-imgref", description = "keep the layers alone, not the image's name")
    boolean nameless;

    @Option(
        names = "--no-signature-verification",
        description = "does nothing: policy.json says what must be signed")
    boolean unverified;

    @Option(
        names = "--karg",
        paramLabel = "ARG",
        description = "a kernel argument; may be repeated")
    List<String> kargs = List.of();

    @Option(
        names = "--write-commitid-to",
        paramLabel = "FILE",
        description = "write the commit's checksum there")
    @Nullable Path commitFile;

    @Mixin Access access = new Access();

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws IOException {
      if ((imgref == null) == (image == null)) {
        throw Problem.usage("deploy takes one of --imgref and --image");
      }
      ContainerReference source =
          imgref != null
              ? reference(imgref)
              : ContainerReference.unverified(transport, String.valueOf(image));
      return shown(false, progress -> deploy(source, progress));
    }

    private void deploy(ContainerReference source, Progress progress) throws IOException {
      requirePlace(commitFile);
      Checksum commit =
          access
              .images(spec, progress)
              .deploy(
                  new RepositoryImages.Deploy(
                      sysroot,
                      stateroot,
                      source,
                      target == null ? null : reference(target),
                      !nameless,
                      kargs));
      if (commitFile != null) {
        writeAfter(commitFile, commit, "the image is deployed");
      }
    }
  }

  /** {@code ostree container unencapsulate}. */
  @Command(
      name = "unencapsulate",
      aliases = "import",
      mixinStandardHelpOptions = true,
      description = "bring the commit out of an image that encapsulates it")
  static final class Unencapsulate implements Callable<Integer> {
    @Mixin Repo repo = new Repo();

    @Option(names = "--write-ref", paramLabel = "REF", description = "a ref that leads to it")
    @Nullable String ref;

    @Option(names = "--quiet", description = "no progress")
    boolean quiet;

    @Mixin Access access = new Access();

    @Parameters(paramLabel = "IMGREF", description = "such as docker://HOST/NAME:TAG")
    String image = "";

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws IOException {
      return shown(
          quiet,
          progress -> {
            Checksum commit =
                access.images(spec, progress).unencapsulate(repo.open(), reference(image), ref);
            say(spec, "Imported: " + (ref == null ? "" : Printable.text(ref) + " => ") + commit);
          });
    }
  }

  /** {@code ostree container encapsulate}. */
  @Command(
      name = "encapsulate",
      aliases = "export",
      mixinStandardHelpOptions = true,
      description = "make an image of a commit")
  static final class Encapsulate implements Callable<Integer> {
    private static final int FAST = 1;

    @Mixin Repo repo = new Repo();

    @Option(
        names = {"-l", "--label"},
        paramLabel = "NAME=VALUE",
        description = "a label; may be repeated")
    List<String> labels = List.of();

    @Option(
        names = "--copymeta",
        paramLabel = "KEY",
        description = "a text of the commit's metadata that becomes a label; may be repeated")
    List<String> copied = List.of();

    @Option(
        names = "--copymeta-opt",
        paramLabel = "KEY",
        description = "the same, if it is there; may be repeated")
    List<String> copiedIfThere = List.of();

    @Option(names = "--cmd", paramLabel = "WORD", description = "of the command; may be repeated")
    @Nullable List<String> command;

    @Option(names = "--compression-fast", description = "pack quicker, and larger")
    boolean fast;

    @Mixin Access access = new Access();

    @Parameters(index = "0", paramLabel = "REV", description = "a ref or a commit")
    String rev = "";

    @Parameters(index = "1", paramLabel = "IMGREF", description = "such as oci:DIR:NAME")
    String image = "";

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws IOException {
      Map<String, String> more = new LinkedHashMap<>();
      for (String label : labels) {
        int equals = label.indexOf('=');
        if (equals <= 0) {
          throw Problem.usage("--label takes NAME=VALUE, not \"" + Printable.text(label) + "\"");
        }
        more.put(label.substring(0, equals), label.substring(equals + 1));
      }
      EncapsulatedCommit.Options options =
          new EncapsulatedCommit.Options(
              more, copied, copiedIfThere, command, fast ? FAST : Compression.DEFAULT_LEVEL);
      TransportRef to = TransportRef.parse(image);
      return shown(
          false,
          progress -> {
            Digest digest =
                access
                    .images(spec, progress)
                    .encapsulate(repo.open(), rev, to, options, access.machine().options());
            say(spec, digest);
          });
    }
  }
}
