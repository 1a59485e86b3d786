package slipway.media.kickstart;

import java.util.List;
import java.util.stream.Stream;

/**
 * A kickstart file that was read.
 *
 * @param name as the user gave it
 * @param items what was understood, in the order of the file; what an included file holds stands
 *     behind its {@link KickstartItem.Inclusion}
 * @param findings in the order of the file, what concerns the whole file last
 */
public record KickstartFile(
    String name,
    KickstartVersion version,
    List<KickstartItem> items,
    List<KickstartFinding> findings) {
  public KickstartFile {
    items = List.copyOf(items);
    findings = List.copyOf(findings);
  }

  /** Whether an installer of this version takes it. */
  public boolean isValid() {
    return findings.stream().noneMatch(KickstartFinding::isError);
  }

  /** The items of one kind. */
  public <T extends KickstartItem> Stream<T> all(Class<T> kind) {
    return items.stream().filter(kind::isInstance).map(kind::cast);
  }
}
