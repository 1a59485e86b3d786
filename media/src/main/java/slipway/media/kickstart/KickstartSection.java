package slipway.media.kickstart;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** A section, which begins with a word behind a percent sign and ends with {@code %end}. */
public sealed interface KickstartSection extends KickstartItem {
  /** The word that it begins with, percent sign and all. */
  String name();

  /**
   * {@code %pre}, {@code %pre-install}, {@code %post}, {@code %onerror} or {@code %traceback}.
   *
   * @param interpreter program that runs it
   * @param log file that takes what it prints
   * @param inChroot whether it runs in the installed system
   * @param body as it stands, line ends included
   */
  record Script(
      KickstartPlace at,
      String name,
      String interpreter,
      @Nullable String log,
      boolean errorOnFail,
      boolean inChroot,
      String body)
      implements KickstartSection {}

  /** {@code %packages}: lines without comments, in their order; a minus takes away. */
  record Packages(
      KickstartPlace at,
      String name,
      boolean excludeDocs,
      boolean ignoreMissing,
      boolean defaults,
      boolean multilib,
      boolean noCore,
      boolean excludeWeakDependencies,
      boolean ignoreBroken,
      @Nullable String languages,
      @Nullable Long timeout,
      @Nullable Long retries,
      List<String> lines)
      implements KickstartSection {
    public Packages {
      lines = List.copyOf(lines);
    }
  }

  /** {@code %certificate}. */
  record Certificate(
      KickstartPlace at,
      String name,
      String filename,
      @Nullable String directory,
      @Nullable String type,
      String body)
      implements KickstartSection {}

  /** {@code %addon} or {@code %anaconda}, which belong to an installer's own parts. */
  record Skipped(KickstartPlace at, String name, List<String> words, String body)
      implements KickstartSection {
    public Skipped {
      words = List.copyOf(words);
    }
  }
}
