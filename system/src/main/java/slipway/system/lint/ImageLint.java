package slipway.system.lint;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.system.accounts.Sysusers;
import slipway.system.boot.ImageKernel;
import slipway.system.boot.PrepareRootConfig;
import slipway.system.files.ImageFiles;
import slipway.system.kargs.KernelArgumentsDirectory;
import slipway.tree.FileTree;
import slipway.tree.Node;

/**
 * The rules that a bootable image keeps: those of {@code bootc container lint}, by the same names
 * (bootc, crates/lib/src/lints.rs), over the tree of an image.
 */
public final class ImageLint {
  private static final String PREPARE_ROOT = "ostree/prepare-root.conf";

  private ImageLint() {}

  /** What breaking a rule means. */
  public enum Kind {
    /** The image will not work. */
    FATAL,
    /** The image works, with a surprise in store. */
    WARNING
  }

  /** Looks at a tree; gives one sentence for each thing that breaks the rule. */
  @FunctionalInterface
  public interface Check {
    List<String> broken(ImageFiles tree) throws IOException;
  }

  /**
   * A rule.
   *
   * @param name such as {@code var-run}, by which it is skipped
   */
  public record Rule(String name, Kind kind, String description, Check check) {}

  /**
   * A broken rule.
   *
   * @param texts what breaks it, at least one
   */
  public record Finding(Rule rule, List<String> texts) {
    public Finding {
      texts = List.copyOf(texts);
    }
  }

  /** The outcome: how many rules hold, which do not, how many were skipped. */
  public record Report(int passed, int skipped, List<Finding> findings) {
    public Report {
      findings = List.copyOf(findings);
    }

    /** How many broken rules are of this kind. */
    public long count(Kind kind) {
      return findings.stream().filter(f -> f.rule().kind() == kind).count();
    }
  }

  private static final List<Rule> RULES =
      List.of(
          new Rule(
              "api-base-directories",
              Kind.FATAL,
              "/dev, /proc, /sys, /run, /tmp and /var exist and are directories.",
              ImageLint::apiDirectories),
          new Rule(
              "baseimage-composefs",
              Kind.WARNING,
              "prepare-root.conf turns composefs on.",
              ImageLint::composefs),
          new Rule(
              "baseimage-root",
              Kind.FATAL,
              "/sysroot is a directory and /ostree a link to sysroot/ostree.",
              ImageLint::root),
          new Rule(
              "bootc-kargs",
              Kind.FATAL,
              "Every file in /usr/lib/bootc/kargs.d can be read.",
              ImageLint::kernelArguments),
          new Rule(
              "buildah-injected",
              Kind.WARNING,
              "No empty /etc/hostname or /etc/resolv.conf is left over from a builder.",
              ImageLint::injected),
          new Rule("etc-usretc", Kind.FATAL, "Not both /etc and /usr/etc.", ImageLint::usrEtc),
          new Rule(
              "kernel", Kind.FATAL, "At most one kernel in /usr/lib/modules.", ImageLint::kernel),
          new Rule("nonempty-boot", Kind.WARNING, "/boot exists and is empty.", ImageLint::boot),
          new Rule(
              "nonempty-run-tmp", Kind.WARNING, "/run and /tmp are empty.", ImageLint::runAndTmp),
          new Rule(
              "sysusers",
              Kind.WARNING,
              "Every user and group in /etc has a line in sysusers.d.",
              ImageLint::sysusers),
          new Rule(
              "utf8",
              Kind.FATAL,
              "Names of files and targets of links are UTF-8.",
              ImageLint::utf8),
          new Rule("var-log", Kind.WARNING, "No logs in /var/log.", ImageLint::varLog),
          new Rule("var-run", Kind.FATAL, "/var/run is a link.", ImageLint::varRun),
          new Rule(
              "var-tmpfiles",
              Kind.WARNING,
              "All that is in /var is made by tmpfiles.d.",
              ImageLint::varTmpfiles));

  /** All rules, by name. */
  public static List<Rule> rules() {
    return RULES;
  }

  /**
   * Holds a tree against the rules.
   *
   * @param skipped names of rules to leave out
   * @throws Problem of kind USAGE when a skipped name is none
   */
  public static Report check(FileTree tree, Set<String> skipped) throws IOException {
    for (String name : skipped) {
      if (RULES.stream().noneMatch(rule -> rule.name().equals(name))) {
        throw Problem.usage(
            "no lint is called \""
                + name
                + "\"; there are "
                + String.join(", ", RULES.stream().map(Rule::name).toList()));
      }
    }
    ImageFiles files = new ImageFiles(tree);
    List<Finding> findings = new ArrayList<>();
    int passed = 0;
    for (Rule rule : RULES) {
      if (skipped.contains(rule.name())) {
        continue;
      }
      List<String> broken = rule.check().broken(files);
      if (broken.isEmpty()) {
        passed++;
      } else {
        findings.add(new Finding(rule, broken));
      }
    }
    return new Report(passed, skipped.size(), findings);
  }

  private static List<String> apiDirectories(ImageFiles files) {
    return Stream.of("dev", "proc", "sys", "run", "tmp", "var")
        .filter(name -> !(files.node(name) instanceof Node.Directory))
        .map(
            name ->
                files.node(name) == null
                    ? "/" + name + " is missing"
                    : "/" + name + " is not a directory")
        .toList();
  }

  private static List<String> composefs(ImageFiles files) throws IOException {
    for (String folder : List.of("etc", "usr/etc", "usr/lib")) {
      Optional<String> text = files.text(folder + "/" + PREPARE_ROOT);
      if (text.isPresent()) {
        String name = "/" + folder + "/" + PREPARE_ROOT;
        boolean wanted = PrepareRootConfig.parse(text.get(), name).composefs().wanted();
        return wanted ? List.of() : List.of(name + " does not turn composefs on");
      }
    }
    return List.of("/usr/lib/" + PREPARE_ROOT + " is missing, so composefs is off");
  }

  private static List<String> root(ImageFiles files) {
    List<String> broken = new ArrayList<>();
    if (!(files.node("sysroot") instanceof Node.Directory)) {
      broken.add("/sysroot is not a directory");
    }
    if (!(files.node("ostree") instanceof Node.Symlink link)
        || !link.target().is("sysroot/ostree")) {
      broken.add("/ostree is not a link to sysroot/ostree");
    }
    return broken;
  }

  private static List<String> kernelArguments(ImageFiles files) throws IOException {
    try {
      KernelArgumentsDirectory.read(files.tree(), "amd64");
      return List.of();
    } catch (Problem e) {
      return List.of(String.valueOf(e.getMessage()));
    }
  }

  private static List<String> injected(ImageFiles files) {
    return Stream.of("etc/hostname", "etc/resolv.conf")
        .filter(p -> files.node(p) instanceof Node.File f && f.content().size() == 0)
        .map(p -> "/" + p + " is empty; a builder left it")
        .toList();
  }

  private static List<String> usrEtc(ImageFiles files) {
    boolean both = files.node("etc") != null && files.node("usr/etc") != null;
    return both ? List.of("/usr/etc exists beside /etc; put its files into /etc") : List.of();
  }

  private static List<String> kernel(ImageFiles files) {
    List<String> kernels =
        files.names(ImageKernel.MODULES).stream()
            .filter(version -> files.node(ImageKernel.MODULES + "/" + version + "/vmlinuz") != null)
            .toList();
    return kernels.size() <= 1
        ? List.of()
        : List.of("there are several kernels: " + String.join(", ", kernels));
  }

  private static List<String> boot(ImageFiles files) {
    if (!(files.node("boot") instanceof Node.Directory)) {
      return List.of("/boot is not a directory");
    }
    return files.names("boot").stream()
        // What a unified kernel lies in; efi is where a system mounts a partition.
        .filter(name -> !name.equals("EFI"))
        .map(name -> "/boot/" + name + " will not be in a deployment")
        .toList();
  }

  private static List<String> runAndTmp(ImageFiles files) throws IOException {
    List<String> broken = new ArrayList<>();
    files.walk(
        "run",
        (path, node) -> {
          // Builders mount the machine's resolv.conf where the stub's link points to.
          boolean stub =
              path.is("run/systemd")
                  || path.is("run/systemd/resolve")
                  || path.is("run/systemd/resolve/stub-resolv.conf");
          if (!stub) {
            broken.add("/" + path + " is hidden by what is mounted on /run");
          }
        });
    files.walk("tmp", (path, node) -> broken.add("/" + path + " is a temporary file"));
    return broken;
  }

  private static List<String> sysusers(ImageFiles files) throws IOException {
    Sysusers declared = Sysusers.of(files.configuration("sysusers.d").values());
    List<String> broken = new ArrayList<>();
    for (String user : Sysusers.names(files.text("etc/passwd").orElse(""))) {
      if (!declared.users().contains(user)) {
        broken.add("user " + user + " of /etc/passwd has no line in sysusers.d");
      }
    }
    for (String group : Sysusers.names(files.text("etc/group").orElse(""))) {
      if (!declared.groups().contains(group)) {
        broken.add("group " + group + " of /etc/group has no line in sysusers.d");
      }
    }
    return broken;
  }

  private static List<String> utf8(ImageFiles files) throws IOException {
    List<String> broken = new ArrayList<>();
    files
        .tree()
        .walk(
            (path, node) -> {
              if (!path.name().isUtf8()) {
                broken.add("the name /" + path + " is not UTF-8");
              }
              if (node instanceof Node.Symlink link && !link.target().isUtf8()) {
                broken.add("the target of the link /" + path + " is not UTF-8");
              }
            });
    return broken;
  }

  private static List<String> varLog(ImageFiles files) throws IOException {
    List<String> broken = new ArrayList<>();
    files.walk(
        "var/log",
        (path, node) -> {
          if (node instanceof Node.File file && file.content().size() > 0) {
            broken.add("/" + path + " is a log of the build");
          }
        });
    return broken;
  }

  private static List<String> varRun(ImageFiles files) {
    Node run = files.node("var/run");
    return run == null || run instanceof Node.Symlink
        ? List.of()
        : List.of("/var/run is not a link; it has to be one to ../run");
  }

  private static List<String> varTmpfiles(ImageFiles files) throws IOException {
    Set<String> covered = covered(files.configuration("tmpfiles.d"));
    List<String> broken = new ArrayList<>();
    files.walk(
        "var",
        (path, node) -> {
          if (!covered.contains("/" + path)) {
            broken.add(
                "/" + path + " has no line in tmpfiles.d, so machines that exist do not get it");
          }
        });
    return broken;
  }

  /** The paths that tmpfiles.d(5) lines make, and their parents, which come with them. */
  private static Set<String> covered(Map<String, String> files) {
    Set<String> paths = new LinkedHashSet<>();
    for (String file : files.values()) {
      for (String line : file.lines().toList()) {
        List<String> words = Sysusers.words(line);
        if (words.size() >= 2 && "fFdDvqQpLCcbw".indexOf(words.getFirst().charAt(0)) >= 0) {
          OsPath path = OsPath.of(words.get(1).replace("%%", "%").replaceFirst("(?<=.)/+$", ""));
          while (path.length() > 1) {
            paths.add(path.toString());
            path = path.parent();
          }
        }
      }
    }
    return paths;
  }
}
