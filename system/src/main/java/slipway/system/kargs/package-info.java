/** Kernel arguments and kargs.d. */
@org.jspecify.annotations.NullMarked
package slipway.system.kargs;
