/**
 * What every command shares.
 *
 * <pre>
 *  State        --root: where state is; opens the store
 *  Followed     --target-imgref: what a machine follows
 *  Limits       --limit, taken before a command sees its words
 *  Signals      SIGTERM, SIGINT, SIGHUP
 *  PathValue    reads paths, none of which is empty
 *  UsageFault   wrong usage in one sentence of our own style
 *  Product      where the product's jars are
 *  Version      version.txt, which the build fills in
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package slipway.cli.command;
