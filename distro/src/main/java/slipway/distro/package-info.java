/**
 * Base images from a distribution's packages; Debian now. Entry: {@link slipway.distro.BaseImage}
 * with a {@link slipway.distro.BaseRequest}. Packages are listed in {@code BaseImage}; files and
 * scripts are data, in this package's resources.
 *
 * <pre>
 *  1 BaseMirror        which mirror: the given one, else that of this machine's apt
 *  2 BaseBootstrap     mmdebstrap installs packages into STATE/base/work
 *  3 base/root/…       files of the image, as they are listed in BaseImage
 *  4 BaseAgent         /usr/lib/slipway: jars, a Java runtime, start-up caches trained in the tree;
 *                      /usr/bin/bootc; units
 *  5 base/finish.sh    layout of an image: state to /var, package database to /usr, units by their
 *                      presets, kernel and initramfs in /usr/lib/modules
 *  6 BaseUsers         sysusers.d lines for users that packages made
 *  7 system.lint       bootc's rules; a broken one ends the build
 *  8 BaseLayers        deals the tree to layers, from what changes least:
 *                        grub, packages-0 …, kernel, initramfs, agent, rest
 *  9 BaseWriter        layers side by side, config, manifest; the name in the store comes last
 *
 *  STATE/base/archives/SUITE/   downloaded packages     kept for the next build, until BaseStorage
 *  STATE/base/agent/KEY/        a finished agent        prunes them
 * </pre>
 *
 * {@link slipway.distro.SelfImage} is an image of the product itself, by 1, 2 and 9 too: {@code
 * BaseWork} is where both are put together, {@code ProductHome} the product in either.
 *
 * <p>{@link slipway.system.lint.ImageLint} checks any image's tree, not only those that are made
 * here.
 */
@org.jspecify.annotations.NullMarked
package slipway.distro;
