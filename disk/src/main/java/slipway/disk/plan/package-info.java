/** What goes where on a disk. */
@org.jspecify.annotations.NullMarked
package slipway.disk.plan;
