package slipway.system.kargs;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import slipway.base.Limit;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
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
    long bytes = 0;
    for (Map.Entry<OsPath, Node> child : directory.children().entrySet()) {
      String name = "/" + PATH + "/" + Printable.text(child.getKey().toString());
      if (name.endsWith(".toml") && child.getValue() instanceof Node.File file) {
        bytes += file.content().size();
        Limit.SMALL_FILE_BYTES.check(bytes, "/" + PATH);
        try (InputStream in = file.content().open()) {
          byte[] content = Limit.SMALL_FILE_BYTES.read(in, name);
          all = all.append(parse(text(content, name), name, architecture));
          Limit.KERNEL_ARGUMENTS.check(all.list().size(), "/" + PATH);
        }
      }
    }
    return all;
  }

  private static String text(byte[] bytes, String name) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new Problem(Problem.Kind.INPUT, name + " is not UTF-8", e);
    }
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
      // What nests too deep has no location.
      String line = e.getLocation() == null ? "" : ":" + e.getLocation().getLineNr();
      throw new Problem(
          Problem.Kind.INPUT, name + line + ": " + Printable.text(e.getOriginalMessage()), e);
    }
    for (String key : root.propertyNames()) {
      if (!key.equals("kargs") && !key.equals("match-architectures")) {
        throw Problem.input(
            name
                + ": unknown key \""
                + Printable.text(key)
                + "\"; known are kargs and match-architectures");
      }
    }
    if (!root.has("kargs")) {
      throw Problem.input(name + ": kargs is missing; expected kargs = [\"key=value\"]");
    }
    List<String> kargs = new ArrayList<>();
    for (String some : strings(root.path("kargs"), name, "kargs")) {
      // One string may hold several arguments.
      kargs.addAll(KernelArguments.parse(some, name + ": kargs").list());
      Limit.KERNEL_ARGUMENTS.check(kargs.size(), name);
    }
    List<String> only = strings(root.path("match-architectures"), name, "match-architectures");
    boolean matches =
        !root.has("match-architectures") || only.contains(kernelArchitecture(architecture));
    return matches ? new KernelArguments(kargs) : KernelArguments.NONE;
  }

  /** The name that {@code match-architectures} uses for one of OCI's, such as {@code x86_64}. */
  public static String kernelArchitecture(String architecture) {
    return ARCHITECTURES.getOrDefault(architecture, architecture);
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
