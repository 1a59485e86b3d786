package slipway.disk;

import java.io.IOException;
import java.util.List;
import slipway.system.boot.PrepareRootConfig;
import slipway.system.files.ImageFiles;
import slipway.tree.FileTree;

/**
 * What a machine mounts beside its root, such as /boot. It stands in fstab; where the image has a
 * transient /etc, which forgets at each start what was written to it, on the kernel's command line
 * (systemd-fstab-generator(8), from systemd 254 on).
 *
 * @param lines of fstab
 * @param forgotten whether /etc is transient
 */
record MachineMounts(List<String> lines, boolean forgotten) {
  MachineMounts {
    lines = List.copyOf(lines);
  }

  static MachineMounts of(List<String> lines, FileTree image) throws IOException {
    return new MachineMounts(lines, PrepareRootConfig.read(new ImageFiles(image)).transientEtc());
  }

  /** What goes to fstab. */
  List<String> fstab() {
    return forgotten ? List.of() : lines;
  }

  /** What goes to the kernel's command line. No mount that fails there keeps the root away. */
  List<String> arguments() {
    return forgotten ? lines.stream().map(MachineMounts::argument).toList() : List.of();
  }

  private static String argument(String line) {
    String[] fields = line.split(" ");
    String options = fields[3].contains("nofail") ? fields[3] : fields[3] + ",nofail";
    return "systemd.mount-extra=" + String.join(":", fields[0], fields[1], fields[2], options);
  }
}
