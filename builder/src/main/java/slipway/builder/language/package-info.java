/**
 * The language of Containerfiles: lines, instructions, flags, words and their expansion, patterns.
 * Entry: {@code Containerfile}.
 */
@org.jspecify.annotations.NullMarked
package slipway.builder.language;
