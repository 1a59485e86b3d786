package slipway.sysroot;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import slipway.base.Problem;
import slipway.linux.OsPath;
import slipway.tree.FileTree;
import slipway.tree.Node;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.toml.TomlMapper;

/**
 * The kernel arguments that an image brings: {@code /usr/lib/bootc/kargs.d/*.toml} (bootc, "Kernel
 * arguments"), each with {@code kargs = ["a=b"]} and optionally {@code match-architectures =
 * ["x86_64"]}, in the order of their names.
 */
public final class KernelArgumentsDirectory {
  /** Where the files stand in an image. */
  public static final String PATH = "usr/lib/bootc/kargs.d";

  private static final int LIMIT = 1024 * 1024;
  private static final TomlMapper TOML = new TomlMapper();

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
   * @throws Problem of kind INPUT that names file and key
   */
  public static KernelArguments read(FileTree tree, String architecture) throws IOException {
    Optional<Node> found = tree.find(PATH);
    KernelArguments all = KernelArguments.NONE;
    if (found.isEmpty() || !(found.get() instanceof Node.Directory directory)) {
      return all;
    }
    for (Map.Entry<OsPath, Node> child : directory.children().entrySet()) {
      String name = "/" + PATH + "/" + child.getKey();
      if (name.endsWith(".toml") && child.getValue() instanceof Node.File file) {
        if (file.content().size() > LIMIT) {
          throw Problem.input(name + " is larger than 1 MiB");
        }
        try (InputStream in = file.content().open()) {
          String text = new String(in.readNBytes(LIMIT), StandardCharsets.UTF_8);
          all = all.append(parse(text, name, architecture));
        }
      }
    }
    return all;
  }

  /**
   * Parses one file.
   *
   * @param name of the file, for messages
   */
  public static KernelArguments parse(String text, String name, String architecture) {
    JsonNode root;
    try {
      root = TOML.readTree(text);
    } catch (JacksonException e) {
      throw new Problem(
          Problem.Kind.INPUT,
          name + ":" + e.getLocation().getLineNr() + ": " + e.getOriginalMessage(),
          e);
    }
    for (String key : root.propertyNames()) {
      if (!key.equals("kargs") && !key.equals("match-architectures")) {
        throw Problem.input(
            name + ": unknown key \"" + key + "\"; known are kargs and match-architectures");
      }
    }
    if (!root.has("kargs")) {
      throw Problem.input(name + ": kargs is missing; expected kargs = [\"key=value\"]");
    }
    List<String> kargs = strings(root.path("kargs"), name, "kargs");
    List<String> only = strings(root.path("match-architectures"), name, "match-architectures");
    String here = ARCHITECTURES.getOrDefault(architecture, architecture);
    boolean matches = !root.has("match-architectures") || only.contains(here);
    return matches ? new KernelArguments(kargs) : KernelArguments.NONE;
  }

  private static List<String> strings(JsonNode array, String name, String key) {
    List<String> list = new ArrayList<>();
    if (!array.isMissingNode() && !array.isArray()) {
      throw Problem.input(name + ": " + key + " is not a list of strings");
    }
    for (JsonNode element : array) {
      if (!element.isString() || element.asString().isBlank()) {
        throw Problem.input(name + ": " + key + " is not a list of strings");
      }
      list.add(element.asString());
    }
    return list;
  }
}
