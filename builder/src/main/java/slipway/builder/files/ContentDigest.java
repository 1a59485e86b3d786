package slipway.builder.files;

import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import slipway.linux.posix.OpenDirectory;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.linux.posix.Xattrs;
import slipway.oci.model.Digest;

/**
 * One digest over what a COPY takes: names, types, modes, owners when they are kept, attributes and
 * contents, but no times.
 */
public final class ContentDigest {
  private final MessageDigest total = Digest.Algorithm.SHA256.newMessageDigest();
  private final DataOutputStream out =
      new DataOutputStream(new DigestOutputStream(OutputStream.nullOutputStream(), total));
  private final byte[] buffer = new byte[128 * 1024];

  /** Adds an item with all below it. */
  public void add(CopySource source, CopySource.Item item, IgnoreRules excludes)
      throws IOException {
    bytes(item.inside().bytes());
    out.writeBoolean(item.stat().isDirectory());
    source.walk(
        item, excludes, (relative, path, stat) -> entry(source.keepOwners(), relative, path, stat));
    out.writeByte(-1);
  }

  /** Adds the directories above an item that come along. */
  public void addParents(CopySource source, CopySource.Item item) throws IOException {
    out.writeInt(item.pivot());
    try (OpenDirectory top = OpenDirectory.of(source.root())) {
      for (OsPath at = item.inside(); !at.isEmpty(); at = at.parent()) {
        Optional<Stat> stat = top.stat(at);
        if (stat.isPresent() && stat.get().isDirectory()) {
          out.writeInt(stat.get().mode());
          out.writeInt(source.keepOwners() ? stat.get().uid() : 0);
          out.writeInt(source.keepOwners() ? stat.get().gid() : 0);
        }
      }
    }
  }

  private void entry(boolean owners, OsPath relative, OsPath path, Stat stat) throws IOException {
    out.writeByte(1);
    bytes(relative.bytes());
    out.writeInt(stat.mode());
    if (owners) {
      out.writeInt(stat.uid());
      out.writeInt(stat.gid());
    }
    if (stat.isSymlink()) {
      bytes(Posix.readlink(path).bytes());
      return;
    }
    attributes(path);
    if (stat.isRegular()) {
      content(path);
    } else {
      out.writeLong(stat.rdev());
    }
  }

  private void attributes(OsPath path) throws IOException {
    List<OsPath> names = Xattrs.llistxattr(path);
    TreeMap<OsPath, byte[]> sorted = new TreeMap<>();
    for (OsPath name : names) {
      byte[] value = TreeCopier.isCopied(name) ? Xattrs.lgetxattr(path, name) : null;
      if (value != null) {
        sorted.put(name, value);
      }
    }
    out.writeInt(sorted.size());
    for (var e : sorted.entrySet()) {
      bytes(e.getKey().bytes());
      bytes(e.getValue());
    }
  }

  private void content(OsPath path) throws IOException {
    MessageDigest file = Digest.Algorithm.SHA256.newMessageDigest();
    try (InputStream in = TreeCopier.openRegular(path)) {
      for (int n; (n = in.read(buffer)) >= 0; ) {
        file.update(buffer, 0, n);
      }
    }
    out.write(file.digest());
  }

  private void bytes(byte[] bytes) throws IOException {
    out.writeInt(bytes.length);
    out.write(bytes);
  }

  /** The digest of all that was added. */
  public String hex() {
    return Digest.of(Digest.Algorithm.SHA256, total.digest()).hex();
  }

  /** The digest of a file's content. */
  public static Digest ofFile(Path file) throws IOException {
    MessageDigest digest = Digest.Algorithm.SHA256.newMessageDigest();
    try (InputStream in = Files.newInputStream(file)) {
      byte[] buffer = new byte[128 * 1024];
      for (int n; (n = in.read(buffer)) >= 0; ) {
        digest.update(buffer, 0, n);
      }
    }
    return Digest.of(Digest.Algorithm.SHA256, digest.digest());
  }
}
