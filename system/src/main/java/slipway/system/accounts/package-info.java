/** passwd and group of a tree. */
@org.jspecify.annotations.NullMarked
package slipway.system.accounts;
