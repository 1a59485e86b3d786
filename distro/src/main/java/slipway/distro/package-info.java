/**
 * Base images from a distribution's packages; Debian now. Lists of packages and files are data, in
 * this package's resources.
 */
@org.jspecify.annotations.NullMarked
package slipway.distro;
