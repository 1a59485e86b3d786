/** Repositories, tags, uploads, and the journal that holds them. */
@org.jspecify.annotations.NullMarked
package slipway.registry.catalog;
