/** What a configuration changes in an image: users, groups, files. */
@org.jspecify.annotations.NullMarked
package slipway.disk.customize;
