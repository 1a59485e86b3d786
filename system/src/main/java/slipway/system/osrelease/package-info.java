/** os-release(5). */
@org.jspecify.annotations.NullMarked
package slipway.system.osrelease;
