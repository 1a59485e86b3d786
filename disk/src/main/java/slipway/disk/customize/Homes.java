package slipway.disk.customize;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import slipway.linux.posix.RootedFile;
import slipway.linux.posix.Stat;
import slipway.linux.posix.TreeCopy;

/**
 * Home folders in the /var of a machine that does not run, and the keys in them. As useradd(8)
 * does: a folder that is there keeps its owner and mode, a new one gets what /etc/skel has.
 *
 * @param tree the deployment, whose links such as {@code /home} tell where in /var homes lie
 * @param var the machine's /var
 */
record Homes(Path tree, Path var) {
  /** A user's home folder, made when it is missing. */
  Path make(String home, String user, int uid, int gid) throws IOException {
    Path path = locate(home, user);
    OwnedFiles.parents(var, path);
    if (!OwnedFiles.exists(path)) {
      OwnedFiles.folder(path, 0700, uid, gid);
      Path skel = tree.resolve("etc/skel");
      if (OwnedFiles.isDirectory(skel)) {
        for (OsPath name : Posix.list(OsPath.of(skel))) {
          OsPath target = OsPath.of(path).resolve(name);
          TreeCopy.copy(OsPath.of(skel).resolve(name), target, new OfUser(uid, gid), n -> {});
        }
      }
    }
    OwnedFiles.requireDirectory(path);
    return path;
  }

  /** Adds keys to those that may log in. */
  static void authorize(Path home, String keys, int uid, int gid) throws IOException {
    Path ssh = home.resolve(".ssh");
    if (!OwnedFiles.exists(ssh)) {
      OwnedFiles.folder(ssh, 0700, uid, gid);
    }
    OwnedFiles.requireDirectory(ssh);
    Path file = ssh.resolve("authorized_keys");
    String before = "";
    if (OwnedFiles.exists(file)) {
      if (!Posix.lstat(OsPath.of(file)).isRegular()) {
        throw Problem.input(
            "the image's authorized_keys of " + home.getFileName() + " is not a regular file");
      }
      byte[] bytes =
          RootedFile.read(
                  OsPath.of(ssh),
                  OsPath.of("authorized_keys"),
                  RootedFile.Links.BENEATH,
                  "the image's authorized_keys of " + home.getFileName())
              .orElseThrow();
      before = new String(bytes, StandardCharsets.ISO_8859_1);
    }
    String gap = before.isEmpty() || before.endsWith("\n") ? "" : "\n";
    String added = new String(keys.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
    byte[] all = (before + gap + added + "\n").getBytes(StandardCharsets.ISO_8859_1);
    OwnedFiles.put(file, all, 0600, uid, gid);
  }

  /** Where a home lies: below /var, or below a link of the image that leads into it. */
  private Path locate(String home, String user) throws IOException {
    int cut = home.indexOf('/', 1);
    String top = cut < 0 ? home.substring(1) : home.substring(1, cut);
    String rest = cut < 0 ? "" : home.substring(cut + 1);
    String inVar = inVar(top);
    if (inVar == null || (inVar.isEmpty() && rest.isEmpty())) {
      throw Problem.input(
          "the home \""
              + home
              + "\" of the user \""
              + user
              + "\" lies in the image's read-only part; give one below /home or /var");
    }
    return var.resolve(inVar).resolve(rest);
  }

  /** What a folder of the root is below /var; null when it is the image's own. */
  private @org.jspecify.annotations.Nullable String inVar(String top) throws IOException {
    if (top.equals("var")) {
      return "";
    }
    Path there = tree.resolve(top);
    if (!OwnedFiles.exists(there)) {
      // As ostree makes them.
      return switch (top) {
        case "home" -> "home";
        case "root" -> "roothome";
        default -> null;
      };
    }
    if (!Posix.lstat(OsPath.of(there)).isSymlink()) {
      return null;
    }
    Path target = Path.of("/").resolve(Posix.readlink(OsPath.of(there)).toPath()).normalize();
    return target.startsWith("/var") && target.getNameCount() > 1
        ? target.subpath(1, target.getNameCount()).toString()
        : null;
  }

  /** Files of /etc/skel become the user's own; devices and the like stay behind. */
  private record OfUser(int uid, int gid) implements TreeCopy.Rules {
    @Override
    public boolean takes(Stat source) {
      return source.isDirectory() || source.isSymlink() || source.isRegular();
    }

    @Override
    public void finish(OsPath source, Stat stat, OsPath target) throws IOException {
      Posix.lchown(target, uid, gid);
      if (!stat.isSymlink()) {
        Posix.chmod(target, stat.permissions() & 0777);
      }
    }
  }
}
