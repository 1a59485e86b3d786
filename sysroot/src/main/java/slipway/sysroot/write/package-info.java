/** What writes to a sysroot: deployments, boot entries, the merge of /etc, the clean-up. */
@org.jspecify.annotations.NullMarked
package slipway.sysroot.write;
