package slipway.ostree;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import slipway.archive.tar.Metadata;
import slipway.linux.posix.OsPath;
import slipway.ostree.object.Checksum;
import slipway.tree.Content;
import slipway.tree.FileTree;
import slipway.tree.Node;

/** Trees for tests. */
public final class Trees {
  private Trees() {}

  /** Builds a tree path by path; parents are made as root's 0755. */
  public static final class Builder {
    private final Map<OsPath, Object> root = new TreeMap<>();
    private final Map<Map<?, ?>, Metadata> metadata = new java.util.IdentityHashMap<>();

    public Builder dir(String path, Metadata meta) {
      metadata.put(descend(OsPath.of(path).components()), meta);
      return this;
    }

    public Builder put(OsPath path, Node node) {
      List<OsPath> parts = path.components();
      descend(parts.subList(0, parts.size() - 1)).put(parts.getLast(), node);
      return this;
    }

    public Builder put(String path, Node node) {
      return put(OsPath.of(path), node);
    }

    public Builder file(String path, int mode, String content) {
      return put(path, Trees.file(Metadata.file(mode), content));
    }

    public Builder link(String path, String target) {
      return put(path, new Node.Symlink(Metadata.symlink(), OsPath.of(target)));
    }

    @SuppressWarnings("unchecked")
    private Map<OsPath, Object> descend(List<OsPath> parts) {
      Map<OsPath, Object> at = root;
      for (OsPath part : parts) {
        at = (Map<OsPath, Object>) at.computeIfAbsent(part, p -> new TreeMap<OsPath, Object>());
      }
      return at;
    }

    public FileTree build() {
      return new FileTree(directory(root));
    }

    @SuppressWarnings("unchecked")
    private Node.Directory directory(Map<OsPath, Object> entries) {
      TreeMap<OsPath, Node> children = new TreeMap<>();
      entries.forEach(
          (name, value) ->
              children.put(
                  name, value instanceof Node n ? n : directory((Map<OsPath, Object>) value)));
      return new Node.Directory(metadata.getOrDefault(entries, Metadata.directory(0755)), children);
    }
  }

  public static Node.File file(Metadata metadata, String content) {
    return file(metadata, content.getBytes(StandardCharsets.UTF_8));
  }

  public static Node.File file(Metadata metadata, byte[] content) {
    return new Node.File(metadata, Content.of(content));
  }

  public static Node.Symlink link(String target) {
    return new Node.Symlink(Metadata.symlink(), OsPath.of(target));
  }

  public static Metadata.Xattr xattr(String name, String value) {
    return new Metadata.Xattr(OsPath.of(name), value.getBytes(StandardCharsets.UTF_8));
  }

  /** All that a real tree may hold, and what may go wrong with it. */
  public static FileTree nasty() {
    Builder b = new Builder();
    b.dir("", Metadata.directory(0755));
    b.file("usr/bin/plain", 0755, "#!/bin/sh\n");
    b.file("usr/bin/setuid", 04755, "setuid");
    b.file("usr/bin/setgid", 02711, "setgid");
    b.put("usr/bin/owned", file(Metadata.file(0640).withOwner(1234, 4321), "owned"));
    b.put(
        "usr/bin/bigids", file(Metadata.file(0600).withOwner((int) 3_000_000_000L, 65536), "ids"));
    b.file("usr/bin/empty", 0644, "");
    b.file("usr/bin/empty2", 0600, "");
    b.file("usr/bin/unreadable", 0, "secret");
    Node.File shared = file(Metadata.file(0644), "one inode, two names");
    b.put("usr/lib/hard1", shared).put("usr/lib/sub/hard2", shared);
    b.file("usr/lib/same-content", 0644, "one inode, two names");
    b.put(
        "usr/lib/attributes",
        file(
            Metadata.file(0644)
                .withXattrs(
                    List.of(
                        xattr("user.b", "2"),
                        xattr("user.a", ""),
                        xattr("trusted.t", "t\0u"),
                        xattr("user.long", "v".repeat(1000)))),
            "attributes"));
    byte[] capability = {1, 0, 0, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    b.put(
        "usr/bin/ping",
        file(
            Metadata.file(0755)
                .withXattrs(
                    List.of(new Metadata.Xattr(OsPath.of("security.capability"), capability))),
            "ping"));
    b.dir(
        "usr/lib/dir-attributes",
        Metadata.directory(02775).withOwner(7, 8).withXattrs(List.of(xattr("user.d", "dir"))));
    b.dir("usr/tmp", Metadata.directory(01777));
    b.dir("usr/empty-dir", Metadata.directory(0700));
    b.link("usr/lib/absolute", "/etc/passwd");
    b.link("usr/lib/dangling", "../nowhere/" + "x".repeat(200));
    b.link("usr/lib/long", "y".repeat(4000));
    b.put(
        "usr/lib/owned-link",
        new Node.Symlink(Metadata.symlink().withOwner(5, 6), OsPath.of("attributes")));
    b.file("usr/share/" + "n".repeat(255), 0644, "long name");
    b.file("usr/share/" + "é".repeat(127), 0644, "long name in UTF-8");
    b.file("usr/share/new\nline\ttab\u0001", 0644, "control characters");
    b.file("usr/share/ leading and trailing ", 0644, "blanks");
    b.file("usr/share/quote\"'\\$`*?[", 0644, "shell");
    b.file("usr/share/日本語", 0644, "kanji");
    b.file("usr/share/-rf", 0644, "option");
    b.file("usr/share/z", 0644, "order").file("usr/share/Z", 0644, "order");
    b.file("usr/share/a.b", 0644, "order").file("usr/share/a/b", 0644, "order");
    b.put("usr/lib/chunk", file(Metadata.file(0644), bytes(1, 256 * 1024)));
    b.put("usr/lib/chunk-and-one", file(Metadata.file(0644), bytes(2, 256 * 1024 + 1)));
    b.put("usr/lib/large", file(Metadata.file(0755), bytes(3, 5_000_001)));
    for (int i = 0; i < 3000; i++) {
      b.file("usr/many/entry-%05d-with-a-name-of-some-length".formatted(i), 0644, "n" + i % 10);
    }
    return b.build();
  }

  public static byte[] bytes(long seed, int length) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  /** A line for every node: type, metadata, attributes, content hash; to compare trees with. */
  public static List<String> describe(FileTree tree) throws java.io.IOException {
    List<String> lines = new ArrayList<>();
    tree.walk(
        (path, node) -> {
          Metadata m = node.metadata();
          StringBuilder line = new StringBuilder();
          line.append(path).append(' ').append(Integer.toOctalString(m.mode()));
          line.append(' ').append(Integer.toUnsignedString(m.uid()));
          line.append(':').append(Integer.toUnsignedString(m.gid()));
          for (Metadata.Xattr x : m.xattrs()) {
            line.append(' ').append(x.name()).append('=');
            line.append(java.util.HexFormat.of().formatHex(x.value()));
          }
          if (node instanceof Node.Symlink s) {
            line.append(" -> ").append(s.target());
          }
          if (node instanceof Node.File f) {
            try (var in = f.content().open()) {
              byte[] bytes = in.readAllBytes();
              line.append(' ').append(bytes.length).append(' ').append(Checksum.sha256(bytes));
            }
          }
          lines.add(line.toString());
        });
    return lines;
  }
}
