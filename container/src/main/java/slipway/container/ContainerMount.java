package slipway.container;

import java.util.List;

/**
 * A mount of a container, as the OCI runtime specification has it (config.md, "Mounts").
 *
 * @param target absolute path in the container
 * @param type such as {@code tmpfs} or {@code bind}
 * @param source a path of this machine for a bind
 * @param directory whether the mount point is a directory
 */
public record ContainerMount(
    String target, String type, String source, List<String> options, boolean directory) {
  public static ContainerMount bind(
      String source, String target, boolean directory, boolean readOnly) {
    return new ContainerMount(
        target, "bind", source, List.of("rbind", "rprivate", readOnly ? "ro" : "rw"), directory);
  }

  boolean isReadOnlyBind() {
    return type.equals("bind") && options.contains("ro");
  }

  static ContainerMount of(String target, String type, String... options) {
    return new ContainerMount(target, type, type, List.of(options), true);
  }
}
