package slipway.cli.machine;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import slipway.base.CountedInput;
import slipway.base.Limit;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.linux.lock.ScratchFolder;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.RootedFile;
import slipway.linux.process.Command;
import slipway.oci.model.Platform;
import slipway.ostree.container.SealedRoot;
import slipway.system.boot.ImageKernel;
import slipway.system.kargs.KernelArguments;
import slipway.system.kargs.KernelArgumentsDirectory;
import slipway.tree.FileTree;

/** {@code bootc container ukify}. */
@picocli.CommandLine.Command(
    name = "ukify",
    mixinStandardHelpOptions = true,
    description = "Make a unified kernel of the image's, which names the digest of its root.",
    footer = "bootc container ukify --rootfs /target -- --output /out/linux.efi")
final class ContainerUkify implements Callable<Integer> {
  private static final String VMLINUZ = "vmlinuz";
  private static final String INITRAMFS = "initramfs.img";

  /** Bytes of a kernel, and of an initramfs. */
  private static final long MAX_BYTES = 1L << 30;

  @Option(
      names = "--rootfs",
      paramLabel = "DIR",
      defaultValue = "/",
      description = "root of the image, mounted (default: ${DEFAULT-VALUE})")
  Path root = Path.of("/");

  @Option(
      names = "--karg",
      paramLabel = "ARG",
      description = "a kernel argument behind the image's own; may be repeated")
  List<String> arguments = List.of();

  @Option(
      names = "--allow-missing-verity",
      description = "let the machine start from a file system without fs-verity")
  boolean withoutVerity;

  @Option(
      names = "--kernel-dir",
      paramLabel = "DIR",
      description =
          "a folder named by the kernel's version with vmlinuz and initramfs.img (default: the"
              + " image's)")
  @Nullable Path kernelFolder;

  @Parameters(
      paramLabel = "UKIFY-ARGS",
      arity = "0..*",
      description = "behind --: what ukify is told besides, such as --output FILE")
  List<String> more = List.of();

  @Spec CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    if (root.toAbsolutePath().normalize().equals(Path.of("/"))) {
      throw Problem.usage(
          "the running root changes while it is read; mount the image elsewhere and name that by"
              + " --rootfs");
    }
    FileTree tree = ContainerCommand.tree(root, "--rootfs");
    try (ScratchFolder copies = ScratchFolder.large("slipway-ukify-", note -> {})) {
      Path release = copies.path().resolve("os-release");
      Path folder = kernelFolder == null ? copied(tree, copies.path()) : given(kernelFolder);
      copy("usr/lib/os-release", release, Limit.SMALL_FILE_BYTES.value());
      run(tree, folder, release);
    }
    return 0;
  }

  private void run(FileTree tree, Path folder, Path release) throws IOException {
    KernelArguments all =
        KernelArgumentsDirectory.read(tree, Platform.host().architecture())
            .append(
                new KernelArguments(
                    List.of("composefs=" + (withoutVerity ? "?" : "") + SealedRoot.digest(tree))))
            .append(arguments);
    if (all.toString().startsWith("@")) {
      throw Problem.input(
          "the first kernel argument is "
              + Printable.text(all.list().getFirst())
              + ", which ukify would take for the name of a file; begin with another one");
    }
    List<String> line =
        new ArrayList<>(
            List.of(
                "ukify",
                "build",
                "--linux",
                folder.resolve(VMLINUZ).toString(),
                "--initrd",
                folder.resolve(INITRAMFS).toString(),
                "--uname",
                String.valueOf(folder.getFileName()),
                "--cmdline",
                all.toString(),
                "--os-release",
                "@" + release));
    line.addAll(more);
    var out = spec.commandLine().getOut();
    // The caller's own ukify, never one of the image; names that it is told count from the root.
    out.print(Printable.lines(Command.of(line).directory(root).output()));
    out.flush();
  }

  private static Path given(Path kernelFolder) {
    Path folder = kernelFolder.toAbsolutePath().normalize();
    for (String name : List.of(VMLINUZ, INITRAMFS)) {
      if (!Files.isRegularFile(folder.resolve(name))) {
        throw Problem.input("there is no " + Printable.text(folder.resolve(name).toString()));
      }
    }
    return folder;
  }

  /**
   * Copies the image's kernel and initramfs: by their own names ukify would follow the image's
   * links to files of the host.
   *
   * @return a folder that is named by the kernel's version
   */
  private Path copied(FileTree tree, Path copies) throws IOException {
    ImageKernel kernel =
        ImageKernel.find(tree)
            .orElseThrow(
                () -> Problem.input("there is no kernel in " + Printable.text(root.toString())));
    if (kernel.unified()) {
      throw Problem.input(
          "the image has a unified kernel already: "
              + Printable.text(ImageKernel.UNIFIED + "/" + kernel.version() + ".efi"));
    }
    Path folder = Files.createDirectories(copies.resolve("kernel").resolve(kernel.version()));
    for (String name : List.of(VMLINUZ, INITRAMFS)) {
      String inside = ImageKernel.MODULES + "/" + kernel.version() + "/" + name;
      copy(inside, folder.resolve(name), MAX_BYTES);
    }
    return folder;
  }

  /** Copies a regular file of the image, to which links lead within its root only. */
  private void copy(String inside, Path to, long most) throws IOException {
    Path top = root.toAbsolutePath();
    String where = Printable.text(top.resolve(inside).toString());
    AtomicLong bytes = new AtomicLong();
    LongConsumer bound =
        n -> {
          if (bytes.addAndGet(n) > most) {
            throw Problem.corrupt(where + " is longer than " + (most >> 20) + " MiB");
          }
        };
    try (InputStream file =
            RootedFile.open(OsPath.of(top), OsPath.of(inside), RootedFile.Links.IN_ROOT, where)
                .orElseThrow(() -> Problem.input("there is no " + where));
        InputStream in = new CountedInput(file, bound);
        OutputStream out = Files.newOutputStream(to, StandardOpenOption.CREATE_NEW)) {
      in.transferTo(out);
    }
  }
}
