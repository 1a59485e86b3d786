/** What is deployed: deployments, origins, boot entries, what is staged. */
@org.jspecify.annotations.NullMarked
package slipway.sysroot.state;
