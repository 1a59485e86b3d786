package slipway.sysroot.write;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.List;
import slipway.base.AtomicFile;
import slipway.base.FileReason;
import slipway.base.Printable;
import slipway.linux.posix.Ioctls;
import slipway.linux.posix.OsPath;
import slipway.ostree.container.Composefs;
import slipway.ostree.object.Checksum;
import slipway.ostree.repo.Repository;
import slipway.sysroot.state.Deployment;
import slipway.system.boot.PrepareRootConfig;
import slipway.tree.FileTree;

/**
 * The composefs image of a deployment, {@code .ostree.cfs}, which is the root that it starts with.
 * What it has to be follows from the commit, with or without the fs-verity digests of the objects.
 */
public final class InstalledComposefs {
  static final String NAME = ".ostree.cfs";

  private final Path directory;
  private final Repository repository;
  private final Deployment deployment;

  public InstalledComposefs(Path root, Repository repository, Deployment deployment) {
    this.directory = root.resolve(deployment.directory());
    this.repository = repository;
    this.deployment = deployment;
  }

  /** Writes that of a new deployment, if it wants one. */
  static void write(Path directory, FileTree tree) throws IOException {
    PrepareRootConfig config = PrepareRootConfig.read(directory);
    if (config.composefs().wanted()) {
      write(directory.resolve(NAME), tree, config.composefs().checked());
    }
  }

  private static void write(Path image, FileTree tree, boolean digests) throws IOException {
    try (AtomicFile file = AtomicFile.create(image)) {
      OutputStream out = new BufferedOutputStream(file.out(), 256 * 1024);
      Composefs.writeDeployment(tree, digests, out);
      out.flush();
      Files.setPosixFilePermissions(file.temporary(), PosixFilePermissions.fromString("rw-r--r--"));
      // As bootc labels it.
      InheritedLabel.give(file.temporary(), image.resolveSibling("usr"));
      file.commit();
    }
  }

  /**
   * Looks, and changes nothing.
   *
   * @return a sentence when it is not what it has to be
   * @throws slipway.base.Problem when the tree of the deployment cannot be read
   */
  public List<String> check() throws IOException {
    Path image = directory.resolve(NAME);
    String shown =
        "the composefs image " + NAME + " of the deployment " + Printable.text(deployment.id());
    if (!Files.isRegularFile(image, LinkOption.NOFOLLOW_LINKS)) {
      boolean wanted = PrepareRootConfig.read(directory).composefs().wanted();
      return wanted ? List.of(shown + " is missing") : List.of();
    }
    byte[] found;
    try {
      found = digest(image);
    } catch (IOException e) {
      return List.of(shown + " cannot be read: " + FileReason.of(e));
    }
    FileTree tree = repository.readTree(deployment.checksum());
    return isSame(found, tree, false) || isSame(found, tree, true)
        ? List.of()
        : List.of(shown + " is damaged");
  }

  private static byte[] digest(Path image) throws IOException {
    MessageDigest hash = Checksum.newDigest();
    byte[] buffer = new byte[256 * 1024];
    try (InputStream in = Files.newInputStream(image)) {
      for (int n; (n = in.read(buffer)) >= 0; ) {
        hash.update(buffer, 0, n);
      }
    }
    return hash.digest();
  }

  private static boolean isSame(byte[] found, FileTree tree, boolean digests) throws IOException {
    MessageDigest hash = Checksum.newDigest();
    Composefs.writeDeployment(
        tree, digests, new DigestOutputStream(OutputStream.nullOutputStream(), hash));
    return Arrays.equals(found, hash.digest());
  }

  /**
   * Writes it once more when it is not what it has to be; a rename is the commit point.
   *
   * @return how many images were written
   */
  public int mend() throws IOException {
    if (check().isEmpty()) {
      return 0;
    }
    FileTree tree = repository.readTree(deployment.checksum());
    boolean digests = PrepareRootConfig.read(directory).composefs().checked();
    OsPath folder = OsPath.of(directory);
    // The directory itself cannot be changed, once a deployment is complete.
    boolean sealed = !deployment.staged();
    if (sealed) {
      Ioctls.setImmutable(folder, false);
    }
    try {
      write(directory.resolve(NAME), tree, digests);
    } finally {
      if (sealed) {
        Ioctls.setImmutable(folder, true);
      }
    }
    return 1;
  }
}
