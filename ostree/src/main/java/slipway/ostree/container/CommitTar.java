package slipway.ostree.container;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import slipway.archive.tar.Metadata;
import slipway.archive.tar.TarHeaderWriter;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.ostree.gvariant.GVariant;
import slipway.ostree.object.Checksum;
import slipway.ostree.object.Commit;
import slipway.ostree.object.CommitSpec;
import slipway.ostree.object.Objects;
import slipway.ostree.object.TreeRoot;
import slipway.ostree.repo.ObjectContent;
import slipway.ostree.repo.Repository;
import slipway.tree.Node;

/** Writes a commit and all its objects as the one layer of an image, see {@link Encapsulation}. */
final class CommitTar {
  private static final OsPath NONE = OsPath.of("");
  private static final OsPath SYSROOT = OsPath.of("sysroot");
  private static final int BUFFER = 128 * 1024;

  private final Repository repository;
  private final Commit commit;
  private final OutputStream out;
  private final TarHeaderWriter headers;

  /** What each directory is, and its entries as an object. */
  private final Map<Node.Directory, Directory> directories = new IdentityHashMap<>();

  private final Map<Checksum, Content> contents = new LinkedHashMap<>();
  private final Set<Checksum> written = new HashSet<>();
  private boolean hasVarTmp;

  private record Directory(TreeRoot root, byte[] entries, byte[] metadata) {}

  /** A content object with the names that it has. */
  private record Content(Node node, List<OsPath> paths) {}

  private CommitTar(Repository repository, Commit commit, OutputStream out) {
    this.repository = repository;
    this.commit = commit;
    this.out = new BufferedOutputStream(out, BUFFER);
    this.headers = new TarHeaderWriter(this.out);
  }

  /**
   * Writes it; the same commit gives the same bytes.
   *
   * @param out flushed, not closed
   * @throws Problem of kind INPUT for a commit that is not in the one form that its checksum could
   *     be made again of
   */
  static void write(Repository repository, Commit commit, OutputStream out) throws IOException {
    new CommitTar(repository, commit, out).write();
  }

  private void write() throws IOException {
    Node.Directory root = repository.readTree(commit).root();
    TreeRoot made = describe(NONE, root).root();
    byte[] bytes = Objects.commit(spec(commit));
    if (!made.equals(commit.root()) || !Checksum.sha256(bytes).equals(commit.checksum())) {
      throw Problem.input(
          "the commit " + commit.checksum() + " has objects that are not in normal form");
    }
    headers.write(OsPath.of("./"), '5', root.metadata(), 0, NONE, 0);
    structure();
    object(commit.checksum(), "commit", bytes);
    Map<String, GVariant> detached = repository.readDetachedMetadata(commit.checksum());
    if (!detached.isEmpty()) {
      object(commit.checksum(), "commitmeta", GVariant.dictionary(detached).toBytes());
    }
    Directory top = directory(root);
    object(top.root().dirmeta(), "dirmeta", top.metadata());
    directories(NONE, root, true);
    if (!hasVarTmp) {
      directory("var/tmp", 01777);
    }
    for (Map.Entry<Checksum, Content> content : contents.entrySet()) {
      content(content.getKey(), content.getValue());
    }
    out.write(new byte[1024]);
    out.flush();
  }

  static CommitSpec spec(Commit commit) {
    return new CommitSpec(
        commit.metadata(),
        commit.parent(),
        commit.subject(),
        commit.body(),
        commit.timestamp(),
        commit.root());
  }

  private Directory directory(Node.Directory directory) {
    return java.util.Objects.requireNonNull(directories.get(directory));
  }

  // ---- what is to be written ----

  /** Works out the objects below a directory, and collects the content. */
  private Directory describe(OsPath path, Node.Directory directory) {
    TreeMap<OsPath, Checksum> files = new TreeMap<>();
    TreeMap<OsPath, TreeRoot> below = new TreeMap<>();
    for (Map.Entry<OsPath, Node> child : directory.children().entrySet()) {
      OsPath where = path.resolve(child.getKey());
      if (child.getValue() instanceof Node.Directory d) {
        below.put(child.getKey(), describe(where, d).root());
      } else {
        Checksum checksum = checksum(child.getValue());
        files.put(child.getKey(), checksum);
        Content content =
            contents.computeIfAbsent(
                checksum, c -> new Content(child.getValue(), new ArrayList<>()));
        content.paths().add(where);
      }
    }
    byte[] entries = Objects.dirTree(files, below);
    byte[] metadata = Objects.metadata(directory.metadata()).toBytes();
    Directory described =
        new Directory(
            new TreeRoot(Checksum.sha256(entries), Checksum.sha256(metadata)), entries, metadata);
    directories.put(directory, described);
    return described;
  }

  private static Checksum checksum(Node node) {
    return switch (node) {
      case Node.File f when f.content() instanceof ObjectContent object -> object.checksum();
      case Node.Symlink s -> Objects.symlinkChecksum(s.metadata(), s.target());
      default -> throw new AssertionError("a repository holds files and links");
    };
  }

  // ---- entries ----

  private void structure() throws IOException {
    OsPath at = NONE;
    for (OsPath name : OsPath.of(Encapsulation.REPOSITORY + "/objects").components()) {
      at = at.isEmpty() ? name : at.resolve(name);
      directory(at.toString(), 0755);
    }
    for (int i = 0; i < 256; i++) {
      directory(Encapsulation.REPOSITORY + "/objects/%02x".formatted(i), 0755);
    }
    for (String name :
        List.of(
            "extensions",
            "refs",
            "refs/heads",
            "refs/mirrors",
            "refs/remotes",
            "state",
            "tmp",
            "tmp/cache")) {
      directory(Encapsulation.REPOSITORY + "/" + name, 0755);
    }
    data(
        OsPath.of(Encapsulation.REPOSITORY + "/config"),
        Encapsulation.CONFIG.getBytes(StandardCharsets.UTF_8));
  }

  private void directory(String path, int permissions) throws IOException {
    headers.write(OsPath.of(path + "/"), '5', Metadata.directory(permissions), 0, NONE, 0);
  }

  private void data(OsPath path, byte[] bytes) throws IOException {
    headers.write(path, '0', Metadata.file(0644), bytes.length, NONE, 0);
    out.write(bytes);
    headers.pad(bytes.length);
  }

  /** An object that is no content; each once. */
  private void object(Checksum checksum, String suffix, byte[] bytes) throws IOException {
    if (suffix.equals("commitmeta") || written.add(checksum)) {
      data(Encapsulation.path(checksum, suffix), bytes);
    }
  }

  private void directories(OsPath path, Node.Directory directory, boolean shown)
      throws IOException {
    Directory described = directory(directory);
    object(described.root().dirtree(), "dirtree", described.entries());
    hasVarTmp |= path.is("var/tmp");
    for (Map.Entry<OsPath, Node> child : directory.children().entrySet()) {
      if (child.getValue() instanceof Node.Directory d) {
        OsPath where = path.resolve(child.getKey());
        Directory below = directory(d);
        object(below.root().dirmeta(), "dirmeta", below.metadata());
        // A tar of an image has no name twice, and this one is there for the repository.
        boolean entry = shown && !where.equals(SYSROOT);
        if (entry) {
          headers.write(
              outside(where).concat(OsPath.of("/")), '5', unlabelled(d.metadata()), 0, NONE, 0);
        }
        directories(where, d, entry);
      }
    }
  }

  /** Where an image has what a commit has in {@code usr/etc}. */
  private static OsPath outside(OsPath path) {
    return path.is("usr/etc") || path.startsWith("usr/etc/")
        ? path.substring("usr/".length())
        : path;
  }

  private static Metadata unlabelled(Metadata metadata) {
    return metadata.withXattrs(
        metadata.xattrs().stream().filter(x -> !x.name().equals(Encapsulation.LABEL)).toList());
  }

  private void content(Checksum checksum, Content content) throws IOException {
    OsPath object = Encapsulation.path(checksum, "file");
    Metadata own = content.node().metadata();
    GVariant described = Objects.metadata(own);
    data(
        Encapsulation.path(checksum, "file-xattrs-link"),
        described.child(described.count() - 1).toBytes());
    Metadata shown = unlabelled(own);
    boolean empty = false;
    switch (content.node()) {
      case Node.File f -> {
        long size = f.content().size();
        empty = size == 0;
        headers.write(object, '0', shown, size, NONE, 0);
        try (InputStream in = f.content().open()) {
          in.transferTo(out);
        }
        headers.pad(size);
      }
      case Node.Symlink s -> headers.write(object, '2', shown, 0, s.target(), 0);
      default -> throw new AssertionError("a repository holds files and links");
    }
    for (OsPath path : content.paths()) {
      if (!path.startsWith("sysroot/")) {
        // Builders that change an empty file would change all others that are linked to it.
        headers.write(
            outside(path), empty ? '0' : '1', empty ? shown : own, 0, empty ? NONE : object, 0);
      }
    }
  }
}
