/** Tests of the whole: the direction of dependencies, clients of other makers, virtual machines. */
@org.jspecify.annotations.NullMarked
package slipway.e2e;
