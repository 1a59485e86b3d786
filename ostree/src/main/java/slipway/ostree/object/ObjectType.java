package slipway.ostree.object;

/** The kinds of object in a repository. */
public enum ObjectType {
  COMMIT("commit"),
  DIRTREE("dirtree"),
  DIRMETA("dirmeta"),
  /** A regular file or a symbolic link; {@code .filez} in an archive repository. */
  FILE("file"),
  /** Detached metadata of a commit; mutable, named by the commit. */
  COMMITMETA("commitmeta");

  private final String suffix;

  ObjectType(String suffix) {
    this.suffix = suffix;
  }

  /** File name extension of a loose object in the bare modes. */
  public String suffix() {
    return suffix;
  }
}
