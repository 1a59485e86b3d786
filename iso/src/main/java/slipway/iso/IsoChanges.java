package slipway.iso;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import slipway.system.kargs.KernelArguments;

/**
 * What an ISO shall have that it has not.
 *
 * @param kickstart the file of answers; its name is the one that it gets on the ISO
 * @param updates an image of updates for the installer
 * @param added files and folders, put into the ISO's root under their own names
 * @param arguments for the kernel of each entry of the boot menus
 * @param removed keys of arguments that go, with all their values
 * @param replaced texts of boot menus that become others
 * @param volume the new name of the volume, which menus name too
 */
public record IsoChanges(
    Optional<Path> kickstart,
    Optional<Path> updates,
    List<Path> added,
    KernelArguments arguments,
    List<String> removed,
    List<Replaced> replaced,
    Optional<String> volume) {

  /** A text of a boot menu, and what stands in its place. */
  public record Replaced(String from, String to) {}

  /** Nothing. */
  public static final IsoChanges NONE =
      new IsoChanges(
          Optional.empty(),
          Optional.empty(),
          List.of(),
          KernelArguments.NONE,
          List.of(),
          List.of(),
          Optional.empty());

  public IsoChanges {
    added = List.copyOf(added);
    removed = List.copyOf(removed);
    replaced = List.copyOf(replaced);
  }

  /** As {@link #NONE}, with a kickstart file. */
  public static IsoChanges ofKickstart(Path file) {
    return new IsoChanges(
        Optional.of(file),
        NONE.updates,
        NONE.added,
        NONE.arguments,
        NONE.removed,
        NONE.replaced,
        NONE.volume);
  }

  /** Whether the kernel's arguments become others. */
  boolean changeKernels() {
    return kickstart.isPresent()
        || updates.isPresent()
        || !arguments.list().isEmpty()
        || !removed.isEmpty();
  }
}
