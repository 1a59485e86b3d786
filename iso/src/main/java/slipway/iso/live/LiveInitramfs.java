package slipway.iso.live;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import slipway.base.Limit;
import slipway.linux.posix.OsPath;
import slipway.tree.FileTree;
import slipway.tree.Node;

/**
 * The archive that lets an image's initramfs start the image from a medium.
 *
 * @param image with the modules
 * @param kernel version of its kernel
 */
public record LiveInitramfs(FileTree image, String kernel) {
  /** Modules that a medium may need, as far as the kernel has them as modules. */
  private static final Set<String> WANTED =
      Set.of(
          "loop",
          "isofs",
          "squashfs",
          "overlay",
          "sr_mod",
          "cdrom",
          "sd_mod",
          "usb-storage",
          "uas",
          "xhci-pci",
          "xhci-hcd",
          "ehci-pci",
          "ehci-hcd",
          "ohci-pci",
          "uhci-hcd",
          "ahci",
          "ata_piix",
          "virtio_blk",
          "virtio_scsi",
          "virtio_pci",
          "nvme",
          "nls_utf8",
          "nls_cp437",
          "nls_iso8859-1");

  private static final String PROGRAM = "usr/lib/slipway-live/mount";
  private static final String UNITS = "usr/lib/systemd/system/";
  private static final String UNIT = "slipway-live.service";

  /** Writes it. */
  public void write(OutputStream out) throws IOException {
    CpioWriter cpio = new CpioWriter(out);
    String folder = "usr/lib/modules/" + kernel + "/";
    for (String path : modules(folder)) {
      if (image.find(folder + path).orElse(null) instanceof Node.File file) {
        add(cpio, folder + path, file);
      }
    }
    // Those of the initramfs tell of the modules in it alone.
    if (image.find(folder).orElse(null) instanceof Node.Directory found) {
      for (Map.Entry<OsPath, Node> child : found.children().entrySet()) {
        String name = child.getKey().toString();
        if (name.startsWith("modules.") && child.getValue() instanceof Node.File file) {
          add(cpio, folder + name, file);
        }
      }
    }
    own(cpio, PROGRAM, 0755, "mount");
    own(cpio, UNITS + UNIT, 0644, UNIT);
    cpio.link(UNITS + "initrd-root-fs.target.requires/" + UNIT, "../" + UNIT);
    cpio.end();
  }

  private static void add(CpioWriter cpio, String path, Node.File file) throws IOException {
    Limit.BOOT_LOADER_BYTES.check(file.content().size(), "the image's /" + path);
    try (InputStream in = file.content().open()) {
      cpio.file(path, 0644, file.content().size(), in);
    }
  }

  private static void own(CpioWriter cpio, String path, int permissions, String resource)
      throws IOException {
    try (InputStream in =
        Objects.requireNonNull(LiveInitramfs.class.getResourceAsStream(resource), resource)) {
      byte[] bytes = in.readAllBytes();
      cpio.file(path, permissions, bytes.length, new ByteArrayInputStream(bytes));
    }
  }

  /** Those wanted and all that they need, by modules.dep (depmod(8)). */
  private List<String> modules(String folder) throws IOException {
    Map<String, List<String>> needs = new HashMap<>();
    Deque<String> next = new ArrayDeque<>();
    for (String line : lines(folder + "modules.dep")) {
      int colon = line.indexOf(':');
      if (colon > 0) {
        String path = line.substring(0, colon);
        needs.put(path, List.of(line.substring(colon + 1).strip().split(" +")));
        if (WANTED.contains(name(path)) || WANTED.contains(name(path).replace('_', '-'))) {
          next.add(path);
        }
      }
    }
    Set<String> all = new LinkedHashSet<>();
    while (!next.isEmpty()) {
      String path = next.remove();
      if (!path.isEmpty() && !path.startsWith("/") && !path.contains("..") && all.add(path)) {
        next.addAll(needs.getOrDefault(path, List.of()));
      }
    }
    return new ArrayList<>(all).stream().sorted().toList();
  }

  /** Of a list of the kernel's; none where the image does not have it. */
  private List<String> lines(String path) throws IOException {
    if (!(image.find(path).orElse(null) instanceof Node.File file)) {
      return List.of();
    }
    try (InputStream in = file.content().open()) {
      byte[] list = Limit.BOOT_LOADER_BYTES.read(in, "the image's /" + path);
      return new String(list, UTF_8).lines().toList();
    }
  }

  /** Whether the kernel's own lists have no driver of USB disks, as those of kernels for clouds. */
  public boolean lacksUsb() throws IOException {
    String folder = "usr/lib/modules/" + kernel + "/";
    List<String> modules = lines(folder + "modules.dep");
    return !modules.isEmpty()
        && Stream.concat(modules.stream(), lines(folder + "modules.builtin").stream())
            .noneMatch(line -> name(line.replaceFirst(":.*", "")).equals("usb-storage"));
  }

  private static String name(String path) {
    String file = path.substring(path.lastIndexOf('/') + 1);
    int end = file.indexOf(".ko");
    return end < 0 ? file : file.substring(0, end);
  }
}
