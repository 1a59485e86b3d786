/** The client of registries: requests, authentication, TLS, resumed downloads and uploads. */
@org.jspecify.annotations.NullMarked
package slipway.oci.registry;
