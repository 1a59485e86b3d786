/** Programs of the system: an argument list, never a shell. */
@org.jspecify.annotations.NullMarked
package slipway.linux.process;
