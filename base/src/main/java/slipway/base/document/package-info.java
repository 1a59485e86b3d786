/**
 * TOML and JSON that people write: {@link slipway.base.document.ConfigDocument} reads a file and
 * tells what is wrong in it with file and line.
 */
@org.jspecify.annotations.NullMarked
package slipway.base.document;
