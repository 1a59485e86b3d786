/**
 * Trees that a build takes files from, without following a way out of them: what is chosen, what is
 * left out, its digest, its copy. Entry: {@code CopySource}.
 *
 * <pre>
 * a directory ─▶ CopySource ── select: patterns ─▶ items ── walk ─┬─▶ ContentDigest   for the cache
 *                    ▲                                            └─▶ TreeCopier      into the image
 *               IgnoreRules      .containerignore, --exclude
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package slipway.builder.files;
