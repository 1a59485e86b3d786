package slipway.disk.config;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import slipway.base.Limit;
import slipway.base.Printable;
import slipway.base.document.ConfigDocument;
import slipway.linux.posix.OsPath;
import slipway.system.kargs.KernelArguments;
import slipway.system.kargs.KernelArgumentsDirectory;
import slipway.tree.FileTree;
import slipway.tree.Node;
import tools.jackson.databind.JsonNode;

/**
 * What an image says of its installation: {@code bootc/install/*.toml} below /usr/lib,
 * /usr/local/lib, /usr/etc and /etc (bootc-install-config(5)). A file in a later folder replaces
 * the one of that name in an earlier one; all are merged in the order of their names.
 *
 * @param rootfs of the root, or null when the image does not say
 * @param kernelArguments for every machine that is installed of it
 * @param deleted arguments, or keys of arguments, that are taken away again
 * @param ignored a sentence for each key that a disk does not follow
 */
public record InstallConfig(
    @Nullable RootFileSystem rootfs,
    KernelArguments kernelArguments,
    List<String> deleted,
    List<String> ignored) {
  private static final List<String> FOLDERS =
      List.of(
          "usr/lib/bootc/install",
          "usr/local/lib/bootc/install",
          "usr/etc/bootc/install",
          "etc/bootc/install");

  private static final Set<String> KNOWN =
      Set.of("root-fs-type", "filesystem", "kargs", "karg-deletes", "match-architectures");

  /** Reads it from an image's tree. */
  public static InstallConfig of(FileTree tree, String architecture) throws IOException {
    Map<OsPath, String> places = new TreeMap<>();
    for (String folder : FOLDERS) {
      if (tree.find(folder).orElse(null) instanceof Node.Directory directory) {
        for (Map.Entry<OsPath, Node> child : directory.children().entrySet()) {
          if (child.getKey().toString().endsWith(".toml")
              && child.getValue() instanceof Node.File) {
            places.put(child.getKey(), folder);
          }
        }
      }
    }
    Reading reading = new Reading(KernelArgumentsDirectory.kernelArchitecture(architecture));
    for (Map.Entry<OsPath, String> place : places.entrySet()) {
      OsPath path = OsPath.of(place.getValue()).resolve(place.getKey());
      String name = "the image's /" + Printable.text(path.toString());
      if (tree.find(path).orElseThrow() instanceof Node.File file) {
        try (InputStream in = file.content().open()) {
          byte[] bytes = Limit.SMALL_FILE_BYTES.read(in, name);
          reading.add(ConfigDocument.toml(bytes, name));
        }
      }
    }
    return new InstallConfig(
        reading.rootfs, reading.arguments, List.copyOf(reading.deleted), reading.ignored);
  }

  /** Arguments without those that the image wants away: whole ones, or all of a key. */
  public KernelArguments withoutDeleted(KernelArguments arguments) {
    return arguments.without(deleted);
  }

  /** The files as they are merged. */
  private static final class Reading {
    private final String architecture;
    private final List<String> deleted = new ArrayList<>();
    private final List<String> ignored = new ArrayList<>();
    private KernelArguments arguments = KernelArguments.NONE;
    private @Nullable RootFileSystem rootfs;

    Reading(String architecture) {
      this.architecture = architecture;
    }

    void add(ConfigDocument document) {
      JsonNode root = document.root();
      ignore(document, root, "", Set.of("install"));
      JsonNode install = root.path("install");
      if (!install.isMissingNode() && !install.isObject()) {
        throw document.wrong("install", "install is not a table");
      }
      List<String> only = strings(document, "match-architectures");
      if (install.has("match-architectures") && !only.contains(architecture)) {
        return;
      }
      ignore(document, install, "install.", KNOWN);
      if (install.at("/filesystem/root").has("type")) {
        rootfs(document, install.at("/filesystem/root/type"), "install.filesystem.root.type");
      } else if (install.has("root-fs-type")) {
        rootfs(document, install.path("root-fs-type"), "install.root-fs-type");
      }
      String kargs = "install.kargs";
      for (String some : strings(document, "kargs")) {
        arguments =
            arguments.append(KernelArguments.parse(some, document.place(kargs) + ": " + kargs));
      }
      deleted.addAll(strings(document, "karg-deletes"));
    }

    private static List<String> strings(ConfigDocument document, String key) {
      return document.strings(document.root().path("install"), key, "install." + key);
    }

    private void rootfs(ConfigDocument document, JsonNode type, String at) {
      for (RootFileSystem known : RootFileSystem.values()) {
        if (type.isString() && type.stringValue().equals(known.label())) {
          rootfs = known;
          return;
        }
      }
      throw document.wrong(
          at,
          "the root's file system "
              + type
              + " is not known; there are ext4, xfs and btrfs, choose one on the command line");
    }

    private void ignore(ConfigDocument document, JsonNode table, String prefix, Set<String> known) {
      for (String key : table.propertyNames()) {
        if (!known.contains(key)) {
          String at = prefix + key;
          ignored.add(document.wrong(at, at + " is not followed by disks, ignored").getMessage());
        }
      }
    }
  }
}
