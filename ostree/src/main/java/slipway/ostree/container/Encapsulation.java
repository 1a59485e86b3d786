package slipway.ostree.container;

import java.util.Optional;
import slipway.base.Problem;
import slipway.linux.posix.OsPath;
import slipway.oci.model.Digest;
import slipway.oci.model.ImageConfig;
import slipway.oci.model.Manifest;
import slipway.ostree.object.Checksum;
import slipway.system.selinux.FileLabels;

/**
 * How a commit lies in the layers of an image (ostree-ext, "ostree-container", format version 1):
 * its objects stand below {@code sysroot/ostree/repo}, and names of the file system are hard links
 * to them. A content object comes behind its extended attributes, which a tar would not keep as
 * they are. The layer with the commit has all directories too; others, if there are any, have
 * content alone.
 *
 * <pre>
 *  sysroot/ostree/repo/config                                mode=bare-split-xattrs
 *  sysroot/ostree/repo/objects/XX/….commit, .commitmeta, .dirtree, .dirmeta
 *  sysroot/ostree/repo/objects/XX/….file-xattrs-link         a(ayay) of the object that follows, or
 *                                                            a hard link to a ….file-xattrs
 *  sysroot/ostree/repo/objects/XX/….file                     owner and mode are the tar's
 *  usr/bin/x                                                 a hard link to it; what is empty is not
 *  etc/…                                                     usr/etc of the commit
 *
 *  version 0, read only: sysroot/ostree/repo/xattrs/HEX, and ….file.xattrs, hard links to those
 *
 *  labels  ostree.final-diffid  diff id of the last layer that belongs to the commit
 *          ostree.commit        the commit
 * </pre>
 */
final class Encapsulation {
  static final String FINAL_DIFF_ID = "ostree.final-diffid";
  static final String COMMIT = "ostree.commit";
  static final String REPOSITORY = "sysroot/ostree/repo";
  static final String CONFIG = "[core]\nrepo_version=1\nmode=bare-split-xattrs\n";
  static final OsPath LABEL = FileLabels.ATTRIBUTE;

  private static final int FIRST = 2;
  private static final int HEX = 64;

  private Encapsulation() {}

  /**
   * How many layers of an image hold the objects of a commit, bottom first; those above are layers
   * of files as in any other image, which were derived from it. The first of them has the commit.
   *
   * @return 0 for an image of files alone, and for one that was flattened later: its label names a
   *     layer that is gone
   * @throws Problem of kind CORRUPT when config and manifest do not fit together
   */
  static int layers(Manifest.Image manifest, ImageConfig config) {
    if (config.diffIds().size() != manifest.layers().size()) {
      throw Problem.corrupt("the image's config lists other layers than its manifest");
    }
    String last = config.labels().get(FINAL_DIFF_ID);
    return last == null
        ? 0
        : config.diffIds().stream().map(Digest::toString).toList().indexOf(last) + 1;
  }

  /** Where an object lies. */
  static OsPath path(Checksum checksum, String suffix) {
    String hex = checksum.hex();
    return OsPath.of(
        REPOSITORY
            + "/objects/"
            + hex.substring(0, FIRST)
            + "/"
            + hex.substring(FIRST)
            + "."
            + suffix);
  }

  /**
   * An object as its path names it.
   *
   * @param suffix behind the first dot, such as {@code file-xattrs-link}
   */
  record Name(Checksum checksum, String suffix) {}

  /** What a path in the layer names, if that is an object. */
  static Optional<Name> name(OsPath path) {
    String text = path.toString();
    String objects = REPOSITORY + "/objects/";
    if (!text.startsWith(objects)) {
      return Optional.empty();
    }
    String rest = text.substring(objects.length());
    int dot = rest.indexOf('.');
    if (dot != HEX + 1 || rest.charAt(FIRST) != '/') {
      return Optional.empty();
    }
    String hex = rest.substring(0, FIRST) + rest.substring(FIRST + 1, dot);
    return Checksum.isChecksum(hex)
        ? Optional.of(new Name(new Checksum(hex), rest.substring(dot + 1)))
        : Optional.empty();
  }
}
