/** The OCI distribution server. Entry: {@code RegistryServer}. */
@org.jspecify.annotations.NullMarked
package slipway.registry;
