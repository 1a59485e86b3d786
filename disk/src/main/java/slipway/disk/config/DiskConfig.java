package slipway.disk.config;

import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a machine gets beside its image: the {@code config.toml} or {@code config.json} that
 * bootc-image-builder takes (osbuild blueprint, table {@code customizations}).
 *
 * @param kernelArguments from {@code kernel.append}, split at blanks outside of quotes
 * @param hostname or null
 * @param timezone name below /usr/share/zoneinfo, or null
 * @param locale such as {@code C.UTF-8}, or null
 * @param rootMinimum bytes that the root file system has at least; 0 when not given
 */
public record DiskConfig(
    List<User> users,
    List<Group> groups,
    List<String> kernelArguments,
    @Nullable String hostname,
    @Nullable String timezone,
    @Nullable String locale,
    List<CustomFile> files,
    List<CustomDirectory> directories,
    long rootMinimum) {
  /** Nothing beside the image. */
  public static final DiskConfig EMPTY =
      new DiskConfig(List.of(), List.of(), List.of(), null, null, null, List.of(), List.of(), 0);

  public DiskConfig {
    users = List.copyOf(users);
    groups = List.copyOf(groups);
    kernelArguments = List.copyOf(kernelArguments);
    files = List.copyOf(files);
    directories = List.copyOf(directories);
  }

  /** Whether any of it is kept in /etc. */
  public boolean changesEtc() {
    return !users.isEmpty()
        || !groups.isEmpty()
        || hostname != null
        || timezone != null
        || locale != null
        || Stream.concat(
                files.stream().map(CustomFile::path),
                directories.stream().map(CustomDirectory::path))
            .anyMatch(path -> path.startsWith("/etc/"));
  }

  /**
   * A user to make, or to change when the image has one of that name.
   *
   * @param password a crypt(5) hash, a mark that locks the account ({@code !}, {@code *}), or plain
   *     text; null for none
   * @param key SSH public keys, one a line; null for none
   * @param home null for /home/NAME
   * @param expireDate days since the epoch after which the account is locked; null for never
   * @param forcePasswordReset whether a new password is asked for at the first login
   */
  public record User(
      String name,
      @Nullable String description,
      @Nullable String password,
      @Nullable String key,
      @Nullable String home,
      @Nullable String shell,
      List<String> groups,
      @Nullable Integer uid,
      @Nullable Integer gid,
      @Nullable Integer expireDate,
      boolean forcePasswordReset) {
    public User {
      groups = List.copyOf(groups);
    }

    /** A user with a key and nothing else. */
    public static User withKey(String name, String key) {
      return new User(name, null, null, key, null, null, List.of(), null, null, null, false);
    }

    /** The password is not for logs. */
    @Override
    public String toString() {
      return "User[" + name + "]";
    }
  }

  /** A group to make; without a gid the next free one is taken. */
  public record Group(String name, @Nullable Integer gid) {}

  /**
   * A file to write.
   *
   * @param path absolute, below /etc or /root
   * @param mode permission bits
   * @param user owner by name or number
   */
  public record CustomFile(String path, String data, int mode, String user, String group) {}

  /** A directory to make, below /etc. */
  public record CustomDirectory(
      String path, int mode, String user, String group, boolean ensureParents) {}

  /**
   * Reads a config file; its extension decides between TOML and JSON.
   *
   * @throws slipway.base.Problem of kind INPUT that names file, line and key
   */
  public static DiskConfig parse(Path file) {
    return parse(file, warning -> {});
  }

  /**
   * As {@link #parse(Path)}.
   *
   * @param warnings is told in a sentence what the file asks for that disks do not have and that is
   *     ignored, as bootc-image-builder does
   */
  public static DiskConfig parse(Path file, Consumer<String> warnings) {
    return DiskConfigParser.parse(file, warnings);
  }

  /** The same with another user at the end. */
  public DiskConfig withUser(User user) {
    List<User> all = new java.util.ArrayList<>(users);
    all.add(user);
    return new DiskConfig(
        all, groups, kernelArguments, hostname, timezone, locale, files, directories, rootMinimum);
  }

  /** The same with another file at the end. */
  public DiskConfig withFile(CustomFile file) {
    List<CustomFile> all = new java.util.ArrayList<>(files);
    all.add(file);
    return new DiskConfig(
        users, groups, kernelArguments, hostname, timezone, locale, all, directories, rootMinimum);
  }

  /** The same with more kernel arguments. */
  public DiskConfig withKernelArguments(String... more) {
    List<String> all = new java.util.ArrayList<>(kernelArguments);
    all.addAll(List.of(more));
    return new DiskConfig(
        users, groups, all, hostname, timezone, locale, files, directories, rootMinimum);
  }
}
