package slipway.disk.config;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import slipway.base.Limit;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.system.kargs.KernelArguments;
import slipway.system.kargs.KernelArgumentsDirectory;
import slipway.tree.FileTree;
import slipway.tree.Node;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.toml.TomlMapper;

/**
 * What an image says of its installation: {@code bootc/install/*.toml} below /usr/lib,
 * /usr/local/lib and /etc (bootc-install-config(5)). A file in a later folder replaces the one of
 * that name in an earlier one; all are merged in the order of their names.
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
  private static final TomlMapper TOML = new TomlMapper();

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
          byte[] text = Limit.SMALL_FILE_BYTES.read(in, name);
          reading.add(new String(text, StandardCharsets.UTF_8), name);
        }
      }
    }
    return new InstallConfig(
        reading.rootfs, reading.arguments, List.copyOf(reading.deleted), reading.ignored);
  }

  /** Arguments without those that the image wants away: whole ones, or all of a key. */
  public KernelArguments withoutDeleted(KernelArguments arguments) {
    return new KernelArguments(
        arguments.list().stream()
            .filter(a -> !deleted.contains(a) && !deleted.contains(a.replaceFirst("=.*", "")))
            .toList());
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

    void add(String text, String name) {
      JsonNode root;
      try {
        root = TOML.readTree(text);
      } catch (JacksonException e) {
        String line = e.getLocation() == null ? "" : ":" + e.getLocation().getLineNr();
        throw new Problem(
            Problem.Kind.INPUT, name + line + ": " + Printable.text(e.getOriginalMessage()), e);
      }
      ignore(root, name, "", Set.of("install"));
      JsonNode install = root.path("install");
      if (!install.isMissingNode() && !install.isObject()) {
        throw Problem.input(name + ": install is not a table");
      }
      List<String> only = strings(install, name, "match-architectures");
      if (install.has("match-architectures") && !only.contains(architecture)) {
        return;
      }
      ignore(install, name, "install.", KNOWN);
      JsonNode type = install.at("/filesystem/root/type");
      rootfs(type.isMissingNode() ? install.path("root-fs-type") : type, name);
      for (String some : strings(install, name, "kargs")) {
        arguments = arguments.append(KernelArguments.parse(some, name + ": install.kargs"));
      }
      deleted.addAll(strings(install, name, "karg-deletes"));
    }

    private void rootfs(JsonNode type, String name) {
      if (type.isMissingNode()) {
        return;
      }
      for (RootFileSystem known : RootFileSystem.values()) {
        if (type.isString() && type.stringValue().equals(known.label())) {
          rootfs = known;
          return;
        }
      }
      throw Problem.input(
          name
              + ": the root's file system "
              + Printable.text(type.toString())
              + " is not known; there are ext4, xfs and btrfs, choose one with --rootfs");
    }

    private void ignore(JsonNode table, String name, String prefix, Set<String> known) {
      for (String key : table.propertyNames()) {
        if (!known.contains(key)) {
          ignored.add(
              name + ": " + prefix + Printable.text(key) + " is not followed by disks, ignored");
        }
      }
    }

    private static List<String> strings(JsonNode install, String name, String key) {
      List<String> list = new ArrayList<>();
      JsonNode array = install.path(key);
      boolean good = array.isMissingNode() || array.isArray();
      for (JsonNode element : array) {
        good &= element.isString();
        list.add(element.asString(""));
      }
      if (!good) {
        throw Problem.input(name + ": install." + key + " is not a list of strings");
      }
      return list;
    }
  }
}
