/**
 * COPY and ADD. Entry: {@code CopyStep}.
 *
 * <pre>
 * the context, a stage, an image ─┐
 * Download: a file or repository ─┼─▶ CopyStep ─▶ TreeCopier ─▶ the step's layer
 * a document in the text ─────────┘      └─ Archive: what ADD unpacks
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package slipway.builder.copy;
