/** Loop devices. */
@org.jspecify.annotations.NullMarked
package slipway.linux.loop;
