/** config.toml and its neighbours: parsed strictly, every fault with file and line. */
@org.jspecify.annotations.NullMarked
package slipway.disk.config;
