/** Benchmarks against peers. */
@org.jspecify.annotations.NullMarked
package slipway.bench;
