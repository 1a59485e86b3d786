package slipway.system.boot;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import slipway.base.Printable;
import slipway.base.Problem;
import slipway.oci.model.Digest;
import slipway.tree.Content;
import slipway.tree.FileTree;
import slipway.tree.Node;

/**
 * The kernel of an image and what belongs to it, {@code usr/lib/modules/VERSION/}: what is copied
 * to {@code /boot} and the checksum that names the copy (ostree manual, "Deployments", "bootcsum").
 *
 * @param version of the kernel
 * @param files what is copied
 * @param deviceTree the value for {@code devicetree} in the boot entry, a file's name, or null
 * @param deviceTrees whether there is a {@code dtb} directory, for {@code fdtdir}
 */
public record KernelLayout(
    String version, List<BootFile> files, @Nullable String deviceTree, boolean deviceTrees) {
  private static final String MODULES = "usr/lib/modules";

  /**
   * A file that goes to {@code /boot}.
   *
   * @param source below the deployment
   * @param name below the directory in {@code /boot}
   * @param summed whether it counts for the boot checksum
   */
  public record BootFile(String source, String name, boolean summed, Content content) {}

  /** Somewhere to look for a kernel. */
  private interface Source {
    /** Names in a directory in byte order; none when it does not exist. */
    List<String> list(String directory) throws IOException;

    /** A regular file. */
    Optional<Content> file(String path) throws IOException;
  }

  /** Looks into an image. */
  public static KernelLayout of(FileTree tree) throws IOException {
    return find(
        new Source() {
          @Override
          public List<String> list(String directory) {
            return tree.find(directory)
                .filter(n -> n instanceof Node.Directory)
                .map(n -> ((Node.Directory) n).children().keySet().stream())
                .map(names -> names.map(Object::toString).toList())
                .orElse(List.of());
          }

          @Override
          public Optional<Content> file(String path) {
            return tree.find(path)
                .filter(n -> n instanceof Node.File)
                .map(n -> ((Node.File) n).content());
          }
        });
  }

  /**
   * Looks into an image, and refuses one that has another thing than a file where a file is
   * optional: it would count as missing, and nobody would hear of that before the machine starts
   * without it.
   *
   * @throws Problem of kind INPUT
   */
  public static KernelLayout require(FileTree tree) throws IOException {
    KernelLayout kernel = of(tree);
    for (String name : List.of("initramfs.img", "initramfs", "devicetree")) {
      String path = MODULES + "/" + kernel.version + "/" + name;
      Optional<Node> there = tree.find(path);
      if (there.isPresent() && !(there.get() instanceof Node.File)) {
        throw Problem.input(
            "the image's /"
                + path
                + " is a link or a folder, and starts nothing; put the file itself there");
      }
    }
    return kernel;
  }

  /** Looks into a deployment. */
  public static KernelLayout of(Path deployment) throws IOException {
    return find(
        new Source() {
          @Override
          public List<String> list(String directory) throws IOException {
            TreeSet<String> names = new TreeSet<>();
            Path path = deployment.resolve(directory);
            if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
              try (DirectoryStream<Path> children = Files.newDirectoryStream(path)) {
                children.forEach(c -> names.add(String.valueOf(c.getFileName())));
              }
            }
            return List.copyOf(names);
          }

          @Override
          public Optional<Content> file(String path) throws IOException {
            Path file = deployment.resolve(path);
            return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
                ? Optional.of(content(file, Files.size(file)))
                : Optional.empty();
          }
        });
  }

  private static Content content(Path file, long size) {
    return new Content() {
      @Override
      public long size() {
        return size;
      }

      @Override
      public InputStream open() throws IOException {
        return Files.newInputStream(file);
      }
    };
  }

  private static KernelLayout find(Source source) throws IOException {
    List<String> versions = new ArrayList<>();
    for (String name : source.list(MODULES)) {
      if (source.file(MODULES + "/" + name + "/vmlinuz").isPresent()) {
        versions.add(name);
      }
    }
    if (versions.size() != 1) {
      throw Problem.input(
          versions.isEmpty()
              ? "the image has no kernel: /usr/lib/modules/*/vmlinuz does not exist"
              : "the image has "
                  + versions.size()
                  + " kernels in /usr/lib/modules ("
                  + Printable.text(String.join(", ", versions))
                  + "); it must have exactly one");
    }
    String version = versions.getFirst();
    if (!version.chars().allMatch(KernelLayout::isPlain)) {
      throw Problem.input(
          "the image's kernel version \""
              + Printable.text(version)
              + "\" cannot stand in a boot menu: name the directory in /usr/lib/modules with"
              + " letters, digits and . _ + ~ - : alone");
    }
    String base = MODULES + "/" + version + "/";
    List<BootFile> files = new ArrayList<>();
    add(files, source, base + "vmlinuz", "vmlinuz-" + version, true);
    if (!add(files, source, base + "initramfs.img", "initramfs-" + version + ".img", true)) {
      add(files, source, base + "initramfs", "initramfs-" + version + ".img", true);
    }
    boolean tree = add(files, source, base + "devicetree", "devicetree-" + version, true);
    int before = files.size();
    if (!tree) {
      addDirectory(files, source, base + "dtb", "dtb");
    }
    boolean trees = files.size() > before;
    add(files, source, base + ".vmlinuz.hmac", ".vmlinuz-" + version + ".hmac", false);
    add(files, source, base + "aboot.img", "aboot-" + version + ".img", false);
    return new KernelLayout(
        version, List.copyOf(files), tree ? "devicetree-" + version : null, trees);
  }

  /** Boot loaders split a file's name at blanks, and some expand what shells do. */
  private static boolean isPlain(int c) {
    return (c >= '0' && c <= '9')
        || (c >= 'A' && c <= 'Z')
        || (c >= 'a' && c <= 'z')
        || "._+~-:".indexOf(c) >= 0;
  }

  private static boolean add(
      List<BootFile> files, Source source, String path, String name, boolean summed)
      throws IOException {
    Optional<Content> content = source.file(path);
    content.ifPresent(c -> files.add(new BootFile(path, name, summed, c)));
    return content.isPresent();
  }

  private static void addDirectory(List<BootFile> files, Source source, String path, String name)
      throws IOException {
    for (String child : source.list(path)) {
      if (!add(files, source, path + "/" + child, name + "/" + child, true)) {
        addDirectory(files, source, path + "/" + child, name + "/" + child);
      }
    }
  }

  /**
   * The same files as they lie in {@code /boot}. What is missing there cannot be opened.
   *
   * @param directory of this kernel in {@code /boot}
   */
  public KernelLayout at(Path directory) {
    List<BootFile> there =
        files.stream()
            .map(
                f ->
                    new BootFile(
                        f.source(),
                        f.name(),
                        f.summed(),
                        content(directory.resolve(f.name()), f.content().size())))
            .toList();
    return new KernelLayout(version, there, deviceTree, deviceTrees);
  }

  public String kernelName() {
    return "vmlinuz-" + version;
  }

  /** The initramfs' name in {@code /boot}, or null when the image has none. */
  @Nullable
  public String initramfsName() {
    String name = "initramfs-" + version + ".img";
    return files.stream().anyMatch(f -> f.name().equals(name)) ? name : null;
  }

  /** sha256 over kernel, initramfs and device trees, one after the other. */
  public String bootChecksum() throws IOException {
    MessageDigest hash = Digest.Algorithm.SHA256.newMessageDigest();
    byte[] buffer = new byte[256 * 1024];
    for (BootFile file : files) {
      if (file.summed()) {
        try (InputStream in = file.content().open()) {
          for (int n; (n = in.read(buffer)) >= 0; ) {
            hash.update(buffer, 0, n);
          }
        }
      }
    }
    return HexFormat.of().formatHex(hash.digest());
  }

  /**
   * Bytes that files take in {@code /boot}, each rounded up to a block.
   *
   * @param counts which of them, by their names there
   */
  public long bytes(long blockSize, Predicate<String> counts) {
    return files.stream()
        .filter(f -> counts.test(f.name()))
        .mapToLong(f -> (f.content().size() + blockSize - 1) / blockSize * blockSize)
        .sum();
  }
}
