/**
 * What builds keep on the disk to save time: unpacked layers, results of steps, directories of
 * {@code RUN --mount=type=cache}. Entry: {@code BuildStorage}, which says what there is and throws
 * it away; a build uses the other classes.
 *
 * <pre>
 * a step's CacheKey ─▶ StepCache ─▶ the name of a snapshot ─▶ Snapshots ─▶ LayerExporter ─▶ a blob
 *                                                                 ▲
 * a base image's layer (LayerRef) ─────── unpacked ───────────────┘
 *
 * Workspace         what is not finished, of one build; Leftovers removes it
 * CacheDurability   what a power cut may have harmed
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package slipway.builder.cache;
