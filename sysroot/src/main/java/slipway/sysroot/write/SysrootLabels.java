package slipway.sysroot.write;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import slipway.base.RawText;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.Stat;
import slipway.linux.posix.UnixException;
import slipway.linux.posix.Xattrs;
import slipway.system.selinux.FileLabels;
import slipway.tree.FileTree;

/**
 * The SELinux labels of all that an installation writes, by the policy of its image: the machine
 * that installs may have another policy, or none, and what has no label the installed one cannot
 * read.
 *
 * <ul>
 *   <li>{@code /boot}, and a deployment's {@code /etc} and its stateroot's {@code /var}, by what
 *       they are there;
 *   <li>{@code /ostree} as {@code /usr}, as bootc does; origins as ostree labels them; podman's
 *       store of bound images as podman's own;
 *   <li>what else lies at the top, two levels deep, where it has none: below may be an old system.
 * </ul>
 *
 * <p>Objects of the repository, and so the files of deployments, have the labels of their commit,
 * which are a part of what they are called by.
 */
public final class SysrootLabels {
  private static final OsPath ROOT = OsPath.of("");
  private static final OsPath USR = OsPath.of("usr");
  private static final OsPath ETC = OsPath.of("etc");
  private static final OsPath ORIGINS = OsPath.of("etc/ostree/remotes.d/dummy.conf");
  private static final OsPath STORE = OsPath.of("var/lib/containers/storage");

  /** What the kernel of a machine with SELinux calls the label of a file that has none. */
  private static final Pattern NONE = Pattern.compile(".*:(unlabeled|file)_t:.*");

  /** Why a file of an old system keeps the label that it has, or has none. */
  private static final Set<Integer> SPARED =
      Set.of(
          UnixException.EPERM,
          UnixException.ENOENT,
          UnixException.ENOTDIR,
          // Its other attributes take all the room that one file has.
          UnixException.ENOSPC);

  private static final Pattern OBJECT = Pattern.compile("repo/objects/../[^/]*\\.file");
  private static final Pattern VAR = Pattern.compile("deploy/[^/]*/var");
  private static final Pattern DEPLOYMENT = Pattern.compile("deploy/[^/]*/deploy/[^/]*");
  private static final Pattern UPPER =
      Pattern.compile("deploy/[^/]*/backing/[^/]*/root-transient/upper");

  private final InstalledLabels labels;

  private SysrootLabels(InstalledLabels labels) {
    this.labels = labels;
  }

  /**
   * Labels them; does nothing for an image without a policy.
   *
   * @param root of a sysroot that nothing runs from, with /boot mounted in it
   * @param image that was installed
   */
  public static void apply(Path root, FileTree image) throws IOException {
    Optional<InstalledLabels> labels = InstalledLabels.of(image);
    if (labels.isPresent()) {
      new SysrootLabels(labels.get()).apply(OsPath.of(root));
    }
  }

  /**
   * Labels a folder, with all in it, as if it were another one.
   *
   * @param path of that below the root
   */
  public static void apply(Path folder, String path, FileTree image) throws IOException {
    Optional<InstalledLabels> labels = InstalledLabels.of(image);
    if (labels.isPresent()) {
      labels.get().apply(OsPath.of(folder), OsPath.of(path));
    }
  }

  private void apply(OsPath root) throws IOException {
    Stat top = Posix.lstat(root);
    labels.set(root, ROOT, top.mode());
    for (OsPath name : Posix.list(root)) {
      OsPath child = root.resolve(name);
      if (name.is("ostree")) {
        ostree(child, ROOT);
      } else if (name.is("boot")) {
        long device = Posix.lstat(child).device();
        // Kernels may be hard links of objects; an EFI system partition is another file system.
        labels.apply(child, name, s -> s.device() == device && !(s.isRegular() && s.nlink() > 1));
      } else {
        bare(child, name, top.device(), 2);
      }
    }
  }

  /**
   * Labels what has no label, as far as that can be: an old system may run, so that files go
   * meanwhile, and of others its administrator lets nothing be changed (chattr +i).
   *
   * @param levels that are looked at
   */
  private void bare(OsPath file, OsPath path, long device, int levels) throws IOException {
    try {
      Stat stat = Posix.lstat(file);
      if (stat.device() != device) {
        return;
      }
      byte[] present = Xattrs.lgetxattr(file, FileLabels.ATTRIBUTE);
      if (present == null || NONE.matcher(RawText.decode(present)).matches()) {
        labels.set(file, path, stat.mode());
      }
      if (stat.isDirectory() && levels > 1) {
        for (OsPath name : Posix.list(file)) {
          bare(file.resolve(name), path.resolve(name), device, levels - 1);
        }
      }
    } catch (UnixException e) {
      if (!SPARED.contains(e.errno())) {
        throw e;
      }
    }
  }

  /**
   * @param inside the path below {@code /ostree}
   */
  private void ostree(OsPath file, OsPath inside) throws IOException {
    String path = inside.toString();
    Stat stat = Posix.lstat(file);
    if (OBJECT.matcher(path).matches()) {
      return;
    }
    if (VAR.matcher(path).matches()) {
      labels.apply(file, OsPath.of("var"));
    } else if (path.equals("bootc/storage")) {
      labels.apply(file, STORE);
    } else if (UPPER.matcher(path).matches()) {
      labels.set(file, ROOT, stat.mode());
    } else if (DEPLOYMENT.matcher(path).matches()) {
      deployment(file, stat);
    } else {
      labels.set(file, USR, Stat.S_IFDIR);
      if (stat.isDirectory()) {
        for (OsPath name : Posix.list(file)) {
          ostree(file.resolve(name), inside.resolve(name));
        }
      }
    }
  }

  /** A deployment, or the origin of one. */
  private void deployment(OsPath file, Stat stat) throws IOException {
    if (!stat.isDirectory()) {
      labels.set(file, ORIGINS, Stat.S_IFREG);
      return;
    }
    for (OsPath name : Posix.list(file)) {
      if (name.equals(ETC)) {
        labels.apply(file.resolve(name), ETC);
      } else if (name.is(InstalledComposefs.NAME)) {
        labels.set(file.resolve(name), USR, Stat.S_IFDIR);
      }
    }
  }
}
