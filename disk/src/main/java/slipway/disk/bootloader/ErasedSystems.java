package slipway.disk.bootloader;

import java.util.Collection;
import java.util.List;
import java.util.Locale;

/**
 * What the loaders of systems that were erased look for, by which they are known on an EFI system
 * partition.
 *
 * @param boots ids of the file systems in which loaders look for {@code /boot}
 * @param kernels ids of which one stands in a kernel that firmware starts by itself
 */
public record ErasedSystems(List<String> boots, List<String> kernels) {
  /** Nothing was erased. */
  public static final ErasedSystems NONE = new ErasedSystems(List.of(), List.of());

  public ErasedSystems {
    boots = List.copyOf(boots);
    kernels = List.copyOf(kernels);
  }

  /** Whether none is looked for. */
  public boolean isNone() {
    return boots.isEmpty() && kernels.isEmpty();
  }

  /**
   * Whether a file is theirs.
   *
   * @param vendor its folder below {@code EFI}
   * @param text what it holds, one character for each byte
   */
  boolean isTheirs(String vendor, String text) {
    Collection<String> ids = EfiFolder.isShared(vendor) ? kernels : boots;
    String lower = text.toLowerCase(Locale.ROOT);
    return ids.stream().anyMatch(id -> lower.contains(id.toLowerCase(Locale.ROOT)));
  }
}
