package slipway.system.kargs;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import slipway.base.Limit;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.base.document.ConfigDocument;
import slipway.linux.posix.OsPath;
import slipway.system.files.ImageFiles;
import slipway.tree.FileTree;
import slipway.tree.Node;
import tools.jackson.databind.JsonNode;

/**
 * The kernel arguments that an image brings: {@code /usr/lib/bootc/kargs.d/*.toml} (bootc, "Kernel
 * arguments"), each with {@code kargs = ["a=b"]} and optionally {@code match-architectures =
 * ["x86_64"]}, in the order of their names.
 */
public final class KernelArgumentsDirectory {
  /** Where the files stand in an image. */
  public static final String PATH = "usr/lib/bootc/kargs.d";

  /** OCI's names of architectures and the kernel's, which these files use. */
  private static final Map<String, String> ARCHITECTURES =
      Map.of(
          "amd64", "x86_64",
          "arm64", "aarch64",
          "ppc64le", "powerpc64",
          "riscv64", "riscv64",
          "s390x", "s390x");

  private KernelArgumentsDirectory() {}

  /**
   * Reads them from an image's tree.
   *
   * @param architecture in OCI's names, such as {@code amd64}
   * @throws Problem of kind INPUT that names file and key, or a link that leads to no file
   */
  public static KernelArguments read(FileTree tree, String architecture) throws IOException {
    KernelArguments all = KernelArguments.NONE;
    long bytes = 0;
    for (Map.Entry<OsPath, Node> child : new ImageFiles(tree).children(PATH).entrySet()) {
      String name = "/" + PATH + "/" + Printable.text(child.getKey().toString());
      Optional<byte[]> content =
          name.endsWith(".toml") ? content(tree, child, name) : Optional.empty();
      if (content.isPresent()) {
        bytes += content.get().length;
        Limit.SMALL_FILE_BYTES.check(bytes, "/" + PATH);
        all = all.append(arguments(ConfigDocument.toml(content.get(), name), name, architecture));
        Limit.KERNEL_ARGUMENTS.check(all.list().size(), "/" + PATH);
      }
    }
    return all;
  }

  /**
   * A file's content, links followed within the image; nothing of a directory, and of a link to
   * {@code /dev/null}, by which systemd's folders hide a file.
   */
  private static Optional<byte[]> content(FileTree tree, Map.Entry<OsPath, Node> child, String name)
      throws IOException {
    return switch (child.getValue()) {
      case Node.File file -> {
        try (InputStream in = file.content().open()) {
          yield Optional.of(Limit.SMALL_FILE_BYTES.read(in, name));
        }
      }
      case Node.Symlink link when link.target().is("/dev/null") -> Optional.empty();
      case Node.Symlink link -> {
        Optional<byte[]> found =
            new ImageFiles(tree).bytes(OsPath.of(PATH).resolve(child.getKey()));
        if (found.isEmpty()) {
          throw Problem.input(
              name
                  + " is a link to "
                  + Printable.text(link.target().toString())
                  + ", which is no file of the image; make it a file, or remove it");
        }
        yield found;
      }
      default -> Optional.empty();
    };
  }

  /**
   * Parses one file.
   *
   * @param name of the file, for messages
   */
  public static KernelArguments parse(String text, String name, String architecture) {
    return arguments(ConfigDocument.toml(text, name), name, architecture);
  }

  private static KernelArguments arguments(
      ConfigDocument document, String name, String architecture) {
    JsonNode root = document.root();
    for (String key : root.propertyNames()) {
      if (!key.equals("kargs") && !key.equals("match-architectures")) {
        throw document.wrong(
            key, "unknown key \"" + key + "\"; known are kargs and match-architectures");
      }
    }
    if (!root.has("kargs")) {
      throw Problem.input(name + ": kargs is missing; expected kargs = [\"key=value\"]");
    }
    List<String> kargs = new ArrayList<>();
    for (String some : strings(document, "kargs")) {
      // One string may hold several arguments.
      kargs.addAll(KernelArguments.parse(some, document.place("kargs") + ": kargs").list());
      Limit.KERNEL_ARGUMENTS.check(kargs.size(), name);
    }
    List<String> only = strings(document, "match-architectures");
    boolean matches =
        !root.has("match-architectures") || only.contains(kernelArchitecture(architecture));
    return matches ? new KernelArguments(kargs) : KernelArguments.NONE;
  }

  /** The name that {@code match-architectures} uses for one of OCI's, such as {@code x86_64}. */
  public static String kernelArchitecture(String architecture) {
    return ARCHITECTURES.getOrDefault(architecture, architecture);
  }

  private static List<String> strings(ConfigDocument document, String key) {
    List<String> list = document.strings(document.root(), key, key);
    if (list.stream().anyMatch(String::isBlank)) {
      throw document.wrong(key, key + " holds an empty string");
    }
    return list;
  }
}
