/**
 * TOML and JSON that people write: {@link slipway.base.document.ConfigDocument} reads a file and
 * tells what is wrong in it with file and line.
 *
 * <pre>
 *  text ─▶ ConfigDocument.toml, .json ─▶ one tree for both, keys as customizations.user[1].uid
 *             │ no TOML, no JSON             │ a value is wrong
 *             ▼                              ▼
 *         SyntaxFault: in words          ConfigPlaces: the line on which the key stands
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package slipway.base.document;
