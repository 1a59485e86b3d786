package slipway.disk.config;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;

/**
 * What a machine gets beside its image: the {@code config.toml} or {@code config.json} that
 * bootc-image-builder takes (osbuild blueprint, table {@code customizations}).
 *
 * @param kernelArguments from {@code kernel.append}, split at blanks outside of quotes
 * @param hostname or null
 * @param timezone name below /usr/share/zoneinfo, or null
 * @param locale such as {@code C.UTF-8}, or null
 * @param rootMinimum bytes that the root file system has at least; 0 when not given
 * @param bootMinimum likewise of /boot
 * @param keymap of the console, or null
 * @param timeServers that the clock is set by; none for those of the image
 * @param services which units start by themselves
 * @param firewall what is let in
 * @param layout how the disk is divided
 * @param console of GRUB
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
    long rootMinimum,
    long bootMinimum,
    @Nullable String keymap,
    List<String> timeServers,
    Services services,
    Firewall firewall,
    DiskLayout layout,
    GrubConsole console) {
  /** Nothing beside the image. */
  public static final DiskConfig EMPTY =
      new DiskConfig(List.of(), List.of(), List.of(), null, null, null, List.of(), List.of(), 0);

  /** With what machines are given most. */
  public DiskConfig(
      List<User> users,
      List<Group> groups,
      List<String> kernelArguments,
      @Nullable String hostname,
      @Nullable String timezone,
      @Nullable String locale,
      List<CustomFile> files,
      List<CustomDirectory> directories,
      long rootMinimum) {
    this(
        users,
        groups,
        kernelArguments,
        hostname,
        timezone,
        locale,
        files,
        directories,
        rootMinimum,
        0,
        null,
        List.of(),
        Services.NONE,
        Firewall.NONE,
        DiskLayout.USUAL,
        GrubConsole.USUAL);
  }

  public DiskConfig {
    users = List.copyOf(users);
    groups = List.copyOf(groups);
    kernelArguments = List.copyOf(kernelArguments);
    files = List.copyOf(files);
    directories = List.copyOf(directories);
    timeServers = List.copyOf(timeServers);
  }

  /** Whether any of it is kept in /etc. */
  public boolean changesEtc() {
    return !users.isEmpty()
        || !groups.isEmpty()
        || hostname != null
        || timezone != null
        || locale != null
        || keymap != null
        || !timeServers.isEmpty()
        || !services.equals(Services.NONE)
        || !firewall.equals(Firewall.NONE)
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
   * Units as systemctl(1) takes them, each with its ending, such as {@code sshd.service}.
   *
   * @param enabled that start by themselves
   * @param disabled that do not, whatever the image's presets say
   * @param masked that nothing starts
   */
  public record Services(List<String> enabled, List<String> disabled, List<String> masked) {
    /** As the image has them. */
    public static final Services NONE = new Services(List.of(), List.of(), List.of());

    public Services {
      enabled = List.copyOf(enabled);
      disabled = List.copyOf(disabled);
      masked = List.copyOf(masked);
    }
  }

  /**
   * What firewalld lets in.
   *
   * @param ports of the default zone
   * @param enabled services of that zone
   * @param disabled services that the image allows there and the machine does not
   * @param zones by whom they are used
   */
  public record Firewall(
      List<Port> ports, List<String> enabled, List<String> disabled, List<Zone> zones) {
    /** As the image has it. */
    public static final Firewall NONE = new Firewall(List.of(), List.of(), List.of(), List.of());

    public Firewall {
      ports = List.copyOf(ports);
      enabled = List.copyOf(enabled);
      disabled = List.copyOf(disabled);
      zones = List.copyOf(zones);
    }

    /**
     * A port, or several.
     *
     * @param range a number, or two with a dash between
     */
    public record Port(String range, String protocol) {}

    /**
     * A zone that connections from certain places belong to.
     *
     * @param sources addresses, with or without a prefix's length
     */
    public record Zone(String name, List<String> sources) {
      public Zone {
        sources = List.copyOf(sources);
      }
    }
  }

  /**
   * What becomes of keys that blueprints know and disks of images do not have.
   *
   * @param ignored whether they are passed over; else they are a {@link slipway.base.Problem}
   * @param warnings is told in a sentence what is passed over
   */
  public record Unsupported(boolean ignored, Consumer<String> warnings) {}

  /**
   * Reads a config file; its extension decides between TOML and JSON.
   *
   * @throws slipway.base.Problem of kind INPUT that names file, line and key
   */
  public static DiskConfig parse(Path file) {
    return parse(file, new Unsupported(false, warning -> {}));
  }

  /** As {@link #parse(Path)}. */
  public static DiskConfig parse(Path file, Unsupported unsupported) {
    return DiskConfigParser.parse(file, unsupported);
  }

  /**
   * The kickstart file that a config gives to an installer, {@code installer.kickstart.contents}.
   *
   * @throws slipway.base.Problem of kind INPUT when the config says beside it what is said there
   */
  public static Optional<String> kickstart(Path file) {
    return DiskConfigParser.kickstart(file);
  }

  /**
   * That it can be followed where something is installed to a disk that is there.
   *
   * @throws slipway.base.Problem of kind INPUT when it asks for what only disk images have
   */
  public void requireInstallable() {
    layout.requireNoPassphrase();
  }

  /**
   * Reads a config that comes from elsewhere; one that begins with a brace is JSON.
   *
   * @param name for messages
   */
  public static DiskConfig parse(InputStream in, String name, Unsupported unsupported)
      throws IOException {
    return DiskConfigParser.parse(in, name, unsupported);
  }

  /**
   * The config that lies in a folder by its usual name.
   *
   * @throws slipway.base.Problem of kind INPUT when there are two
   */
  public static Optional<Path> in(Path folder) {
    Path json = folder.resolve("config.json");
    Path toml = folder.resolve("config.toml");
    if (Files.exists(json) && Files.exists(toml)) {
      throw Problem.input(
          "found \"config.json\" and also \"config.toml\" in "
              + folder
              + ", only a single one is supported");
    }
    return Stream.of(json, toml).filter(Files::exists).findFirst();
  }

  /**
   * The same on a disk with a table of that kind.
   *
   * @throws Problem of kind USAGE when the config names another
   */
  public DiskConfig withTable(PartitionTable table) {
    return with(users, kernelArguments, files, layout.with(table));
  }

  /**
   * The same on the disk that the image asks for, as far as this config does not say itself how its
   * file systems or the disk shall be. A table that was asked for remains.
   */
  public DiskConfig onDiskOf(ImageDisk image) {
    DiskLayout tableAlone = new DiskLayout(layout.table(), 0, 0, List.of());
    if (!layout.equals(tableAlone)) {
      return this;
    }
    boolean isSized = rootMinimum != 0 || bootMinimum != 0;
    boolean isOfBase = isSized || image.layout().equals(DiskLayout.USUAL);
    DiskLayout wanted = isOfBase ? image.base() : image.layout();
    return new DiskConfig(
        users,
        groups,
        kernelArguments,
        hostname,
        timezone,
        locale,
        files,
        directories,
        isSized ? rootMinimum : image.rootMinimum(),
        isSized ? bootMinimum : image.bootMinimum(),
        keymap,
        timeServers,
        services,
        firewall,
        new DiskLayout(
            layout.table() == null ? wanted.table() : layout.table(),
            wanted.sector(),
            wanted.minimum(),
            wanted.offset(),
            wanted.partitions()),
        console);
  }

  /** The same with another user at the end. */
  public DiskConfig withUser(User user) {
    return with(appended(users, List.of(user)), kernelArguments, files, layout);
  }

  /** The same with another file at the end. */
  public DiskConfig withFile(CustomFile file) {
    return with(users, kernelArguments, appended(files, List.of(file)), layout);
  }

  /** The same with more kernel arguments. */
  public DiskConfig withKernelArguments(String... more) {
    return with(users, appended(kernelArguments, List.of(more)), files, layout);
  }

  private static <T> List<T> appended(List<T> list, List<T> more) {
    return Stream.concat(list.stream(), more.stream()).toList();
  }

  private DiskConfig with(
      List<User> users, List<String> arguments, List<CustomFile> files, DiskLayout layout) {
    return new DiskConfig(
        users,
        groups,
        arguments,
        hostname,
        timezone,
        locale,
        files,
        directories,
        rootMinimum,
        bootMinimum,
        keymap,
        timeServers,
        services,
        firewall,
        layout,
        console);
  }
}
