package slipway.builder.copy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import slipway.base.Position;
import slipway.builder.cache.CacheKey;
import slipway.builder.files.CopySource;
import slipway.builder.files.IgnoreRules;
import slipway.builder.files.TreeCopier;
import slipway.builder.language.Chmod;
import slipway.builder.language.Containerfile.Stage;
import slipway.builder.language.Expander;
import slipway.builder.language.Heredoc;
import slipway.builder.language.Instruction;
import slipway.builder.session.BuildSession;
import slipway.builder.session.SourceTree;
import slipway.builder.session.StepExecutor;
import slipway.container.OverlayMount;
import slipway.linux.posix.InRoot;
import slipway.linux.posix.OpenDirectory;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Stat;
import slipway.system.accounts.ImageAccounts;
import slipway.tree.Layer;
import slipway.tree.LayerUnpacker;
import slipway.tree.Node;

/** A COPY or ADD: what it takes is known before it is carried out, and is part of its key. */
public final class CopyStep implements AutoCloseable {
  private final BuildSession session;
  private final Instruction.Copy copy;
  private final Position at;
  private final List<String> paths = new ArrayList<>();
  private final List<Download> downloads = new ArrayList<>();
  private final List<Heredoc> documents = new ArrayList<>();
  private final List<String> excludePatterns = new ArrayList<>();
  private final IgnoreRules excludes;
  private final String destination;
  private final @Nullable String chown;
  private final @Nullable String chmod;
  private final SourceTree tree;
  private final String text;
  private final String inputs;

  /**
   * @param directory the working directory of the image
   */
  public CopyStep(
      BuildSession session, Stage stage, Instruction.Copy copy, Expander expander, String directory)
      throws IOException, InterruptedException {
    this.session = session;
    this.copy = copy;
    this.at = copy.at();
    String to = expander.word(copy.destination(), at);
    this.destination = to.startsWith("/") ? to : directory + "/" + to;
    for (String source : copy.sources()) {
      String word = expander.word(source, at);
      if (copy.add() && isDownload(word)) {
        downloads.add(new Download(word, copy, session));
      } else {
        paths.add(word);
      }
    }
    for (Heredoc h : copy.inline()) {
      documents.add(
          h.expand() ? h.withContent(expander.document(h.text(), at)) : h.withContent(h.text()));
    }
    for (String pattern : copy.flags().excludes()) {
      excludePatterns.add(expander.word(pattern, at));
    }
    this.excludes = IgnoreRules.excludes(excludePatterns, at);
    this.chown = expand(expander, copy.flags().chown());
    this.chmod = expand(expander, copy.flags().chmod());
    this.tree = SourceTree.of(session, stage, expand(expander, copy.from()), at);
    this.text = describe(to);
    this.inputs = digest();
  }

  /** Whether a source of ADD is fetched from elsewhere. */
  public static boolean isDownload(String source) {
    return Download.isRemote(source);
  }

  private @Nullable String expand(Expander expander, @Nullable String text) {
    return text == null ? null : expander.word(text, at);
  }

  private String describe(String to) {
    StringBuilder all = new StringBuilder(copy.keyword());
    Instruction.CopyFlags flags = copy.flags();
    append(all, " --from=", copy.from());
    append(all, " --chown=", chown);
    append(all, " --chmod=", chmod);
    excludePatterns.forEach(p -> append(all, " --exclude=", p));
    append(all, " --parents", flags.parents() ? "" : null);
    append(all, " --checksum=", flags.checksum());
    append(all, " --keep-git-dir", flags.keepGitDirectory() ? "" : null);
    append(all, " --unpack=", flags.unpack() == null ? null : flags.unpack().toString());
    paths.forEach(p -> append(all, " ", p));
    downloads.forEach(d -> append(all, " ", d.address()));
    documents.forEach(d -> append(all, " <<", d.name()));
    return all.append(' ').append(to).toString();
  }

  private static void append(StringBuilder all, String before, @Nullable String value) {
    if (value != null) {
      all.append(before).append(value);
    }
  }

  private String digest() throws IOException, InterruptedException {
    List<String> parts = new ArrayList<>(List.of(destination));
    if (!paths.isEmpty()) {
      parts.add(
          tree.digest(
              paths, excludes, excludePatterns, copy.flags().parents(), copy.keyword(), at));
    }
    for (Download d : downloads) {
      parts.add(d.digest());
    }
    for (Heredoc d : documents) {
      parts.add(d.name());
      parts.add(d.content());
    }
    return CacheKey.of(parts);
  }

  /** For the history and the key. */
  public String text() {
    return text;
  }

  /** The digest of all that is copied. */
  public String inputs() {
    return inputs;
  }

  /** Carries it out, as {@link StepExecutor.Action} says. */
  public void apply(List<Path> lowers, Path upper, Path scratch)
      throws IOException, InterruptedException {
    try (OverlayMount target = OverlayMount.writable(lowers, upper, scratch)) {
      InRoot.Ownership owner =
          chown == null ? null : ImageAccounts.of(target.root()).ownership(chown, at);
      Chmod mode = chmod == null ? null : Chmod.parse(chmod, at);
      List<CopySource.Item> items =
          paths.isEmpty()
              ? List.of()
              : tree.select(paths, copy.flags().parents(), copy.keyword(), at);
      boolean into = intoDirectory(target.root(), items.size());
      try (TreeCopier copier = new TreeCopier(target.root(), owner, mode, at)) {
        for (CopySource.Item item : items) {
          item(copier, item, into);
        }
        for (Download d : downloads) {
          downloaded(copier, d, into);
        }
        for (Heredoc d : documents) {
          byte[] content = d.content().getBytes(StandardCharsets.UTF_8);
          copier.write(content, OsPath.of(d.name()), destination, into, session.nowSeconds());
        }
      }
    }
  }

  /** Whether files go into the destination rather than becoming it. */
  private boolean intoDirectory(OsPath root, int items) throws IOException {
    boolean written = destination.endsWith("/") || destination.endsWith("/.");
    boolean exists = leadsToDirectory(root);
    if (items + downloads.size() + documents.size() > 1 && !written && !exists) {
      throw at.problem(
          copy.keyword()
              + " of several files needs a directory as its destination; write "
              + copy.destination()
              + "/");
    }
    return written || exists || copy.flags().parents();
  }

  /**
   * A link to nothing does not: a file takes its place, as with BuildKit. buildah would make a
   * directory where the link points, which nobody means who copies a resolv.conf.
   */
  private boolean leadsToDirectory(OsPath root) throws IOException {
    OsPath inside = OsPath.of(InRoot.clean(destination));
    try (OpenDirectory top = OpenDirectory.of(root)) {
      return top.stat(inside).filter(Stat::isDirectory).isPresent();
    }
  }

  private void item(TreeCopier copier, CopySource.Item item, boolean into)
      throws IOException, InterruptedException {
    CopySource source = tree.open();
    if (copy.add() && item.stat().isRegular() && unpacks(true)) {
      Optional<InputStream> archive = Archive.open(source.open(item));
      if (archive.isPresent()) {
        try (InputStream tar = archive.get()) {
          unpack(copier, tar);
        }
        return;
      }
    }
    String to = copy.flags().parents() ? copier.parents(source, item, destination) : destination;
    copier.copy(source, item, excludes, to, into);
  }

  private boolean unpacks(boolean otherwise) {
    Boolean said = copy.flags().unpack();
    return said == null ? otherwise : said;
  }

  /**
   * Unpacks beside the image, then copies: names in the archive cannot lead anywhere else.
   * Directories that it only names in the paths of files are left alone where they exist.
   */
  private void unpack(TreeCopier copier, InputStream tar) throws IOException {
    Path directory = session.workspace().newDirectory("archive");
    try {
      Layer layer = LayerUnpacker.unpack(tar, directory);
      Set<OsPath> implied = new HashSet<>();
      layer.walk(
          (path, node) -> {
            if (node instanceof Node.Directory d && d.implied()) {
              implied.add(path);
            }
          });
      CopySource unpacked =
          new CopySource(OsPath.of(directory), IgnoreRules.NONE, true, "the archive");
      copier.unpacked(unpacked, excludes, destination, implied::contains);
    } finally {
      session.workspace().discard(directory);
    }
  }

  private void downloaded(TreeCopier copier, Download download, boolean into) throws IOException {
    CopySource source = download.source();
    CopySource.Item item = download.item();
    if (item.stat().isRegular() && unpacks(false)) {
      Optional<InputStream> archive = Archive.open(source.open(item));
      if (archive.isPresent()) {
        try (InputStream tar = archive.get()) {
          unpack(copier, tar);
        }
        return;
      }
    }
    copier.copy(source, item, excludes, destination, into);
  }

  @Override
  public void close() throws IOException {
    tree.close();
  }
}
