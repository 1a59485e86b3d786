package slipway.iso;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.OptionalLong;
import slipway.archive.tar.TarOptions;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.iso.live.LiveInitramfs;
import slipway.linux.process.Command;
import slipway.system.boot.KernelLayout;
import slipway.tree.FileTree;
import slipway.tree.Node;
import slipway.tree.TarWriter;

/**
 * What starts an image live, from a medium or the network: its kernel, its initramfs, an archive
 * beside that, and its files.
 *
 * @param kernel version of its kernel
 * @param epoch the latest time of files, in seconds since 1970
 */
record LiveFiles(FileTree image, String kernel, OptionalLong epoch) {
  private static final String INSTALLER = "usr/lib/systemd/system/slipway-install.service";

  /**
   * Reads an image.
   *
   * @param content is made, and stays as long as content is read
   * @throws Problem of kind INPUT when its agent cannot install
   */
  static LiveFiles read(IsoRequest request, Path content, Progress progress) throws IOException {
    progress.note("reading the image");
    FileTree image =
        SpooledImage.read(
            request.source(), request.manifest(), request.config(), content, progress);
    if (!(image.find(INSTALLER).orElse(null) instanceof Node.File)) {
      throw Problem.input(
          "an installer cannot be made of image "
              + request.target()
              + ", whose agent cannot install from a medium: /"
              + INSTALLER
              + " is missing; build it on a base made by slipway base build");
    }
    return new LiveFiles(image, KernelLayout.of(image).version(), request.epoch());
  }

  /** Writes the image's kernel. */
  void kernel(OutputStream out) throws IOException {
    copy("vmlinuz", out);
  }

  /** Writes the image's own initramfs. */
  long initramfs(OutputStream out) throws IOException {
    return copy("initramfs.img", out);
  }

  /** Writes the archive that comes behind it, see {@link LiveInitramfs}. */
  void more(OutputStream out) throws IOException {
    new LiveInitramfs(image, kernel).write(out);
  }

  /** Whether a USB disk is no medium that its kernel can read. */
  boolean lacksUsb() throws IOException {
    return new LiveInitramfs(image, kernel).lacksUsb();
  }

  private long copy(String name, OutputStream out) throws IOException {
    String path = "usr/lib/modules/" + kernel + "/" + name;
    if (!(image.find(path).orElse(null) instanceof Node.File found)) {
      throw Problem.input("the image has no regular file /" + path + ", by which it would start");
    }
    try (InputStream in = found.content().open()) {
      return in.transferTo(out);
    }
  }

  /** Of the tar that the tree is: so owners and attributes are right without root. */
  void squash(Path out) throws IOException {
    Command tool =
        Command.of("mksquashfs", "-", out.toString(), "-tar", "-comp", "zstd")
            .with("-Xcompression-level", "6", "-no-progress", "-quiet", "-no-exports", "-noappend")
            .with("-mkfs-time", Long.toString(epoch.orElse(0)))
            // The tar has no root, and the tool's own is open to everybody.
            .with("-root-mode", "755", "-root-uid", "0", "-root-gid", "0")
            .environment("SOURCE_DATE_EPOCH", null);
    if (epoch.isPresent()) {
      // Nothing else settles the time of the root (4.5.1).
      tool = tool.with("-all-time", Long.toString(epoch.getAsLong()));
    }
    Process process = tool.start();
    try {
      Thread said = Thread.ofVirtual().start(() -> drain(process.getInputStream()));
      byte[][] fault = new byte[1][];
      Thread faults = Thread.ofVirtual().start(() -> fault[0] = drain(process.getErrorStream()));
      IOException broken = null;
      try (OutputStream to = process.getOutputStream()) {
        TarWriter.write(
            to, image, epoch.isPresent() ? new TarOptions(epoch.getAsLong()) : TarOptions.EXACT);
      } catch (IOException e) {
        broken = e;
      }
      int status = process.waitFor();
      said.join();
      faults.join();
      if (status != 0 || broken != null) {
        String text = new String(fault[0], UTF_8).strip();
        if (WritingTool.isFull(text)) {
          throw WritingTool.full(out, broken);
        }
        throw new Problem(
            Problem.Kind.ENVIRONMENT,
            "mksquashfs cannot pack the live system: "
                + (text.isEmpty() ? "status " + status : text.lines().toList().getLast()),
            broken);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Problem(Problem.Kind.ENVIRONMENT, "mksquashfs was interrupted", e);
    } finally {
      Command.kill(process);
    }
  }

  private static byte[] drain(InputStream in) {
    try {
      return in.readAllBytes();
    } catch (IOException e) {
      return new byte[0];
    }
  }
}
