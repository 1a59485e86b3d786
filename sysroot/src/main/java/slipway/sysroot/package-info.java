/**
 * The layout of a bootable root, and the one place that changes it. Entry: {@code Sysroot}; a
 * change is a {@code Plan} first.
 */
@org.jspecify.annotations.NullMarked
package slipway.sysroot;
