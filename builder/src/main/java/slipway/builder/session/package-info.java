/**
 * What the stages of one build share: what was asked for, which stages there are, the images that
 * they begin with, the trees that they take files from. Entry: {@code BuildSession}; callers make a
 * {@code BuildRequest}.
 *
 * <pre>
 * BuildRequest ─▶ StageGraph       which stages, and what --from names
 *                 FromImages ─▶ the store, or ImagePuller ─▶ Arrivals ─▶ the store
 *                     └──▶ StageResult ─▶ SourceTree ─▶ COPY --from, RUN --mount
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package slipway.builder.session;
