/** The OCI distribution server and its storage. */
@org.jspecify.annotations.NullMarked
package slipway.registry;
