package slipway.cli.machine;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.cli.output.JsonText;
import slipway.host.status.StatusDocument;
import slipway.linux.posix.OsPath;
import slipway.oci.model.Platform;
import slipway.system.boot.ImageKernel;
import slipway.system.kargs.KernelArgumentsDirectory;
import slipway.system.lint.ImageLint;
import slipway.tree.DirectoryReader;
import slipway.tree.FileTree;
import slipway.tree.Node;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** {@code bootc container}: what can be said of an image while it is built. */
@Command(
    name = "container",
    mixinStandardHelpOptions = true,
    description = "Look at an image while it is built, from inside or at its root.",
    subcommands = {
      ContainerCommand.Lint.class,
      ContainerCommand.Inspect.class,
      ContainerExport.class,
      ContainerDigest.class,
      ContainerUkify.class
    })
public final class ContainerCommand implements Callable<Integer> {
  private static final Path RUNNING = Path.of("/");
  private static final String ROOTFS = "--rootfs";

  /** What a machine that runs an image mounts from it, and nobody else over it. */
  private static final Set<OsPath> OWN = Set.of(OsPath.of("usr"));

  @Override
  public Integer call() {
    throw Problem.usage(
        "container needs to know what to do: lint, inspect, export, compute-composefs-digest or"
            + " ukify");
  }

  /** What is mounted in a build's container is not of its image. */
  static FileTree tree(Path root, String option) throws IOException {
    return tree(root, option, path -> true);
  }

  private static FileTree tree(Path root, String option, Predicate<OsPath> include)
      throws IOException {
    if (!Files.isDirectory(root)) {
      throw Problem.usage(option + " " + Printable.text(root.toString()) + " is not a folder");
    }
    return DirectoryReader.readWithoutMounts(root, OWN, include);
  }

  /** {@code bootc container lint}. */
  @Command(
      name = "lint",
      mixinStandardHelpOptions = true,
      description = "Hold an image's files against the rules of bootable images.",
      footer = {
        "bootc container lint --fatal-warnings",
        "bootc container lint --rootfs /mnt --skip var-log"
      })
  public static final class Lint implements Callable<Integer> {
    private static final int SHOWN = 5;

    @Option(
        names = ROOTFS,
        paramLabel = "DIR",
        defaultValue = "/",
        description = "root of the image (default: ${DEFAULT-VALUE})")
    Path root = RUNNING;

    @Option(names = "--fatal-warnings", description = "fail for warnings too")
    boolean fatalWarnings;

    @Option(names = "--list", description = "list the rules as YAML and look at nothing")
    boolean list;

    @Option(
        names = "--skip",
        paramLabel = "NAME",
        description = "a rule to leave out; may be repeated")
    List<String> skipped = List.of();

    @Option(names = "--no-truncate", description = "tell all that breaks a rule, not five of each")
    boolean all;

    @Option(names = "--json", description = "as JSON, with all that breaks a rule")
    boolean json;

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws IOException {
      PrintWriter out = spec.commandLine().getOut();
      if (list) {
        if (json) {
          ArrayNode rules = JsonNodeFactory.instance.arrayNode();
          ImageLint.rules().forEach(rule -> rules.add(document(rule)));
          out.println(JsonText.pretty(rules));
        } else {
          ImageLint.rules().forEach(rule -> print(out, rule));
        }
        out.flush();
        return 0;
      }
      Set<String> without = new LinkedHashSet<>(skipped);
      // The builder's own files are mounted over those in question; /var may be one of its caches.
      boolean running = root.toAbsolutePath().normalize().equals(RUNNING);
      without.add(running ? "buildah-injected" : "var-tmpfiles");
      ImageLint.Report report = ImageLint.check(tree(root, ROOTFS), without);
      if (json) {
        out.println(JsonText.pretty(document(report)));
      } else {
        print(out, report);
      }
      out.flush();
      long warnings = report.count(ImageLint.Kind.WARNING);
      long failed = report.count(ImageLint.Kind.FATAL) + (fatalWarnings ? warnings : 0);
      if (failed > 0) {
        throw Problem.input("Checks failed: " + failed);
      }
      return 0;
    }

    private static ObjectNode document(ImageLint.Rule rule) {
      return JsonNodeFactory.instance
          .objectNode()
          .put("name", rule.name())
          .put("type", type(rule))
          .put("description", rule.description());
    }

    private static ObjectNode document(ImageLint.Report report) {
      ObjectNode document =
          JsonNodeFactory.instance
              .objectNode()
              .put("passed", report.passed())
              .put("skipped", report.skipped());
      ArrayNode findings = document.putArray("findings");
      for (ImageLint.Finding finding : report.findings()) {
        ObjectNode found = findings.addObject();
        found.put("name", finding.rule().name()).put("type", type(finding.rule()));
        finding.texts().forEach(found.putArray("texts")::add);
      }
      return document;
    }

    private static String type(ImageLint.Rule rule) {
      return rule.kind().name().toLowerCase(Locale.ROOT);
    }

    private void print(PrintWriter out, ImageLint.Report report) {
      report.findings().forEach(finding -> print(out, finding));
      out.println("Checks passed: " + report.passed());
      out.println("Checks skipped: " + report.skipped());
      long warnings = report.count(ImageLint.Kind.WARNING);
      if (warnings > 0) {
        out.println("Warnings: " + warnings);
      }
    }

    private static void print(PrintWriter out, ImageLint.Rule rule) {
      out.println("- name: " + rule.name());
      out.println("  type: " + type(rule));
      out.println(
          "  description: "
              + JsonText.pretty(JsonNodeFactory.instance.stringNode(rule.description())));
    }

    private void print(PrintWriter out, ImageLint.Finding finding) {
      boolean fatal = finding.rule().kind() == ImageLint.Kind.FATAL;
      List<String> texts = finding.texts();
      int shown = all ? texts.size() : Math.min(SHOWN, texts.size());
      StringBuilder text = new StringBuilder(fatal ? "Failed lint: " : "Lint warning: ");
      text.append(finding.rule().name()).append(": ").append(Printable.text(texts.getFirst()));
      for (String more : texts.subList(1, shown)) {
        text.append("\n  ").append(Printable.text(more));
      }
      if (shown < texts.size()) {
        text.append("\n  ...and ").append(texts.size() - shown).append(" more");
      }
      out.println(text);
    }
  }

  /** {@code bootc container inspect}. */
  @Command(
      name = "inspect",
      mixinStandardHelpOptions = true,
      description = "Show the kernel and the kernel arguments of an image.",
      footer = {"bootc container inspect --json", "bootc container inspect --rootfs /mnt"})
  public static final class Inspect implements Callable<Integer> {
    private static final String VMLINUZ = "vmlinuz";
    private static final List<String> PARTS =
        List.of(ImageKernel.UNIFIED, ImageKernel.MODULES, KernelArgumentsDirectory.PATH);

    /** How it is shown. */
    public enum Format {
      HUMANREADABLE,
      YAML,
      JSON
    }

    @Option(
        names = ROOTFS,
        paramLabel = "DIR",
        defaultValue = "/",
        description = "root of the image (default: ${DEFAULT-VALUE})")
    Path root = RUNNING;

    @Option(names = "--json", description = "as JSON")
    boolean json;

    @Option(
        names = "--format",
        paramLabel = "humanreadable|yaml|json",
        description = "default: for people")
    @Nullable Format format;

    @Spec CommandSpec spec;

    @Override
    public Integer call() throws IOException {
      FileTree tree = shown();
      List<String> arguments =
          KernelArgumentsDirectory.read(tree, Platform.host().architecture()).list();
      ImageKernel kernel = ImageKernel.find(tree).orElse(null);
      PrintWriter out = spec.commandLine().getOut();
      Format chosen = Bootc.format(json, format, Format.JSON);
      switch (chosen == null ? Format.HUMANREADABLE : chosen) {
        case JSON -> out.println(JsonText.pretty(document(arguments, kernel)));
        case YAML -> out.print(StatusDocument.yaml(document(arguments, kernel)));
        case HUMANREADABLE -> {
          out.println("Kernel: " + (kernel == null ? "<none>" : Printable.text(kernel.version())));
          if (kernel != null) {
            out.println("  Type: " + (kernel.unified() ? "UKI" : "vmlinuz"));
          }
          out.println(
              " Kargs: "
                  + (arguments.isEmpty() ? "<none>" : Printable.text(String.join(" ", arguments))));
        }
      }
      out.flush();
      return 0;
    }

    /** The parts that are shown; the whole image where they may lie elsewhere in it. */
    private FileTree shown() throws IOException {
      FileTree parts = tree(root, ROOTFS, Inspect::isShown);
      boolean[] elsewhere = {false};
      parts.walk((path, node) -> elsewhere[0] |= node instanceof Node.Symlink && isFollowed(path));
      return elsewhere[0] ? tree(root, ROOTFS) : parts;
    }

    /** Whether a link would be followed: one that leads to a part, a kernel, or a file of those. */
    private static boolean isFollowed(OsPath path) {
      return path.toString().endsWith("/" + VMLINUZ)
          || PARTS.stream()
              .anyMatch(
                  part ->
                      path.is(part)
                          || part.startsWith(path.toString() + "/")
                          || path.parent().is(part));
    }

    /** Whether a path is a part of what is shown, or leads to one: the rest may be large. */
    private static boolean isShown(OsPath path) {
      return PARTS.stream()
          .anyMatch(
              part ->
                  path.is(part)
                      || path.startsWith(part + "/")
                      || part.startsWith(path.toString() + "/"));
    }

    /** In the order of the reference's fields. */
    private static Map<String, @Nullable Object> document(
        List<String> arguments, @Nullable ImageKernel kernel) {
      Map<String, @Nullable Object> document = new LinkedHashMap<>();
      document.put("kargs", arguments);
      Map<String, Object> shown = new LinkedHashMap<>();
      if (kernel != null) {
        shown.put("version", kernel.version());
        shown.put("unified", kernel.unified());
      }
      document.put("kernel", kernel == null ? null : shown);
      return document;
    }
  }
}
