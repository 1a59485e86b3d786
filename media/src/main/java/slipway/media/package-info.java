/** Running and shipping media: virtual machines. */
@org.jspecify.annotations.NullMarked
package slipway.media;
