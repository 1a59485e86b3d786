/** The layout of a bootable root: deployments, boot entries, /etc merge, /var, pruning. */
@org.jspecify.annotations.NullMarked
package slipway.sysroot;
