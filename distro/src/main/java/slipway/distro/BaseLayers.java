package slipway.distro;

import java.io.IOException;
import java.util.Comparator;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.function.Function;
import slipway.linux.posix.OsPath;
import slipway.system.files.ImageFiles;
import slipway.tree.FileTree;
import slipway.tree.Node;

/**
 * Deals a base image's tree out to layers by what changes together, so that an update fetches
 * little: kernel, initramfs, boot loader and host agent have a layer each; Debian's packages are
 * dealt to a fixed number of layers by the name of their source package, which does not move when
 * others come or go; what no package owns (configuration, the package database) is the small rest.
 */
final class BaseLayers {
  /** So many layers for packages: enough that one update leaves most of them alone. */
  private static final int BUCKETS = 6;

  private static final String MODULES = "usr/lib/modules/";

  /** The directories that have become links into /usr; package lists still name them. */
  private static final Map<String, String> MERGED =
      Map.of("bin", "usr/bin", "sbin", "usr/sbin", "lib", "usr/lib", "lib64", "usr/lib64");

  private final Map<String, String> sourceOfPath;
  private final Map<Node, String> partOfInode = new IdentityHashMap<>();

  private BaseLayers(Map<String, String> sourceOfPath) {
    this.sourceOfPath = sourceOfPath;
  }

  /**
   * Splits the tree; every part has the directories that lead to its files.
   *
   * @return parts by name, bottom layer first; laid over each other they give the tree again
   */
  static Map<String, FileTree> split(FileTree tree) throws IOException {
    BaseLayers layers = new BaseLayers(owners(new ImageFiles(tree)));
    Map<String, Node.Directory> parts = layers.deal(OsPath.of(""), tree.root());
    Map<String, FileTree> ordered = new LinkedHashMap<>();
    parts.entrySet().stream()
        .sorted(Map.Entry.comparingByKey(Comparator.comparing(BaseLayers::rank)))
        .forEach(e -> ordered.put(e.getKey(), new FileTree(e.getValue())));
    return ordered;
  }

  /** What changes least is at the bottom. */
  private static String rank(String part) {
    return switch (part) {
      case "grub" -> "1";
      case "kernel" -> "3";
      case "initramfs" -> "4";
      case "agent" -> "5";
      case "rest" -> "6";
      default -> "2" + part;
    };
  }

  private Map<String, Node.Directory> deal(OsPath path, Node.Directory directory) {
    Map<String, NavigableMap<OsPath, Node>> dealt = new HashMap<>();
    Function<String, NavigableMap<OsPath, Node>> of =
        part -> dealt.computeIfAbsent(part, p -> new TreeMap<>());
    directory
        .children()
        .forEach(
            (name, node) -> {
              OsPath child = path.resolve(name);
              if (node instanceof Node.Directory below) {
                deal(child, below).forEach((part, tree) -> of.apply(part).put(name, tree));
              } else {
                String part = partOfInode.computeIfAbsent(node, n -> part(child.toString()));
                of.apply(part).put(name, node);
              }
            });
    if (dealt.isEmpty()) {
      dealt.put(part(path.toString()), new TreeMap<>());
    }
    Map<String, Node.Directory> result = new HashMap<>();
    dealt.forEach(
        (part, children) -> result.put(part, new Node.Directory(directory.metadata(), children)));
    return result;
  }

  private String part(String path) {
    if (path.startsWith(MODULES)) {
      return path.endsWith("/initramfs.img") ? "initramfs" : "kernel";
    }
    if (path.startsWith("usr/lib/slipway/")
        || path.equals("usr/bin/bootc")
        || path.equals("usr/bin/rpm-ostree")) {
      return "agent";
    }
    if (path.startsWith("usr/lib/grub/")) {
      return "grub";
    }
    String source = path.startsWith("etc/") ? null : sourceOfPath.get(path);
    return source == null ? "rest" : "packages-" + Math.floorMod(source.hashCode(), BUCKETS);
  }

  /** Source package by path, from dpkg's database (deb-src names are the unit of updates). */
  private static Map<String, String> owners(ImageFiles files) throws IOException {
    Map<String, String> sources = new HashMap<>();
    for (Map<String, String> stanza :
        BaseMirror.stanzas(files.text(BaseImage.DPKG + "/status").orElse(""))) {
      String name = stanza.getOrDefault("package", "");
      String source = stanza.getOrDefault("source", name).split(" ", 2)[0];
      sources.put(name, source);
    }
    Map<String, String> owners = new HashMap<>();
    for (String list : files.names(BaseImage.DPKG + "/info")) {
      if (list.endsWith(".list")) {
        String name = list.substring(0, list.length() - ".list".length()).split(":", 2)[0];
        String source = sources.getOrDefault(name, name);
        files
            .text(BaseImage.DPKG + "/info/" + list)
            .orElse("")
            .lines()
            .forEach(path -> owners.put(merged(path), source));
      }
    }
    return owners;
  }

  private static String merged(String path) {
    String relative = path.startsWith("/") ? path.substring(1) : path;
    int slash = relative.indexOf('/');
    String first = slash < 0 ? relative : relative.substring(0, slash);
    String target = MERGED.get(first);
    return target == null || slash < 0 ? relative : target + relative.substring(slash);
  }
}
