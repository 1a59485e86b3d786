package slipway.media.kickstart;

/** A part of a kickstart file, in the order of the file. */
public sealed interface KickstartItem
    permits KickstartCommand, KickstartSection, KickstartItem.Inclusion {
  /** Where it begins. */
  KickstartPlace at();

  /**
   * {@code %include} or {@code %ksappend}.
   *
   * @param directive with its percent sign
   * @param target a path or an address
   * @param followed whether what it names was read and stands behind this
   */
  record Inclusion(KickstartPlace at, String directive, String target, boolean followed)
      implements KickstartItem {}
}
