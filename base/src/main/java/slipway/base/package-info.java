/** What every room speaks: problems with an exit code, progress, durable writes. */
@org.jspecify.annotations.NullMarked
package slipway.base;
