/**
 * What images are read from and written to, the copying between any two, and the checks of what
 * arrives.
 */
@org.jspecify.annotations.NullMarked
package slipway.oci.copy;
