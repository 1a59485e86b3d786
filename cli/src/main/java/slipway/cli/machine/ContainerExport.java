package slipway.cli.machine;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import slipway.archive.tar.TarOptions;
import slipway.base.AtomicFile;
import slipway.base.Problem;
import slipway.cli.output.OutputFile;
import slipway.cli.output.StandardOutput;
import slipway.cli.output.Terminal;
import slipway.system.boot.BootCopy;
import slipway.system.files.ImageFiles;
import slipway.system.selinux.FileLabels;
import slipway.tree.FileTree;
import slipway.tree.TarWriter;

/** {@code bootc container export}. */
@Command(
    name = "export",
    mixinStandardHelpOptions = true,
    description = "Write the files of an image as a tar archive.",
    footer = {
      "bootc container export --kernel-in-boot -o root.tar /mnt",
      "bootc container export /mnt | tar -C /target -x"
    })
final class ContainerExport implements Callable<Integer> {
  @Option(
      names = "--format",
      paramLabel = "tar",
      defaultValue = "tar",
      description = "default: ${DEFAULT-VALUE}")
  String format = "tar";

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      defaultValue = "-",
      description = "where to, - for standard output (default: ${DEFAULT-VALUE})")
  Path output = Path.of("-");

  @Option(
      names = "--kernel-in-boot",
      description = "a copy of kernel and initramfs in /boot, as Anaconda wants it")
  boolean kernelInBoot;

  @Option(
      names = "--disable-selinux",
      description = "without labels, those that files have and those of the image's policy")
  boolean withoutLabels;

  @Parameters(paramLabel = "DIR", description = "root of the image")
  Path root = Path.of("");

  @Override
  public Integer call() throws IOException {
    if (!format.equals("tar")) {
      throw Problem.usage("--format takes tar alone");
    }
    boolean stdout = output.toString().equals("-");
    if (!stdout) {
      output = OutputFile.check(output, "--output");
    } else if (Terminal.stdoutIsTerminal()) {
      throw Problem.usage("an archive is nothing for a terminal; give --output or redirect");
    }
    FileTree tree = ContainerCommand.tree(root, "DIR");
    if (kernelInBoot) {
      tree = BootCopy.of(tree);
    }
    if (withoutLabels) {
      tree = tree.withXattrs(name -> !name.equals(FileLabels.ATTRIBUTE));
    } else {
      // A container shows its own label for every file; the machine is to have the policy's.
      Optional<FileLabels> labels = FileLabels.of(new ImageFiles(tree));
      if (labels.isPresent()) {
        tree = labels.get().labelled(tree);
      }
    }
    if (stdout) {
      OutputStream out = StandardOutput.bytesOfProcess();
      TarWriter.write(out, tree, TarOptions.EXACT);
      out.flush();
      return 0;
    }
    try (AtomicFile file = AtomicFile.create(output)) {
      TarWriter.write(file.out(), tree, TarOptions.EXACT);
      file.commit();
    }
    return 0;
  }
}
